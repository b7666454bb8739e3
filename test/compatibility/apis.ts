import { passesThrough } from '../../src/core/call/translate.ts';
import { backOf } from '../../src/core/dialects/index.ts';
import type { BackName } from '../../src/core/dialects/index.ts';
import { anthropicAnswers } from './answers/anthropic.ts';
import { geminiAnswers } from './answers/gemini.ts';
import { openaiAnswers } from './answers/openai.ts';
import { anthropicMessages } from './fronts/anthropic-messages.ts';
import { geminiEmbed, geminiGenerate } from './fronts/gemini.ts';
import { openaiChat } from './fronts/openai-chat.ts';
import { openaiCompletions, openaiEmbeddings } from './fronts/openai-others.ts';
import { openaiResponses } from './fronts/openai-responses.ts';
import { endpointOf, probeAnswer, probeRequest } from './probe.ts';
import type { Answers, Front, Outcome, Probe } from './probe.ts';

export const CHATS: readonly Front[] = [openaiChat, openaiResponses, openaiCompletions, anthropicMessages, geminiGenerate];
export const FRONTS: readonly Front[] = [...CHATS, openaiEmbeddings, geminiEmbed];

export const KINDS: readonly (readonly [BackName, name: string])[] = [
  ['openai', 'OpenAI'],
  ['azure', 'Azure OpenAI'],
  ['compatible', 'OpenAI-compatible'],
  ['deepseek', 'DeepSeek'],
  ['anthropic', 'Anthropic'],
  ['gemini', 'Gemini'],
];

/** A language of providers. `models`: one of each generation that takes something else. */
export interface BackLanguage {
  readonly name: string;
  readonly kinds: readonly BackName[];
  readonly models: readonly [string, ...string[]];
  readonly answers: Answers;
}

export const LANGUAGES: readonly BackLanguage[] = [
  { name: 'OpenAI chat completions', kinds: ['openai', 'azure', 'compatible', 'deepseek'], models: ['gpt-5.2'], answers: openaiAnswers },
  { name: 'Anthropic', kinds: ['anthropic'], models: ['claude-sonnet-4-5', 'claude-opus-4-7'], answers: anthropicAnswers },
  { name: 'Gemini', kinds: ['gemini'], models: ['gemini-2.5-flash', 'gemini-3-pro-preview'], answers: geminiAnswers },
];

/** An API and a language that it is translated to. */
export interface Pair {
  readonly front: Front;
  readonly back: BackLanguage;
  /** The kinds of providers at which it is, the first of which is tried. */
  readonly kinds: readonly [BackName, ...BackName[]];
}

export const PAIRS: readonly Pair[] = FRONTS.flatMap((front) =>
  LANGUAGES.flatMap((back): Pair[] => {
    const [first, ...others] = back.kinds.filter((kind) => isTranslated(front, kind));
    return first === undefined ? [] : [{ front, back, kinds: [first, ...others] }];
  }),
);

function isTranslated(front: Front, kind: BackName): boolean {
  if (passesThrough(front.dialect, endpointOf(front), backOf(kind))) return false;
  return probeRequest(front, { name: 'nothing', with: {} }, kind, modelsOf(kind)[0]).kind === 'said';
}

export function modelsOf(kind: BackName): readonly [string, ...string[]] {
  return LANGUAGES.find(({ kinds }) => kinds.includes(kind))?.models ?? ['m'];
}

/** What becomes of a probe, for each of the models. */
export function outcomesOf({ front, back, kinds }: Pair, probe: Probe<object>): readonly Outcome[] {
  return back.models.map((model) => probeRequest(front, probe, kinds[0], model));
}

/** Whether the provider gets the same as without it, and nobody is told. */
export function isSilent(outcome: Outcome): boolean {
  return outcome.kind === 'said' && outcome.changes.length === 0 && outcome.losses.length === 0;
}

/** The probes of answers that the callers of an API can get. */
export function answersOf({ front, back }: Pair): readonly Probe<object>[] {
  return CHATS.includes(front) ? back.answers.probes : [];
}

export function isLost({ front, back }: Pair, probe: Probe<object>): boolean {
  return probeAnswer(front, back.answers, probe, back.models[0]).length === 0;
}
