import type { Faults } from './faults.ts';
import { endsInToolResult, lastUserText } from './prompt.ts';
import type { Prompt, Tool } from './prompt.ts';
import { sample } from './sample.ts';
import { countTokens, generate, seedOf, splitJson } from './text.ts';

/** Length of an answer that nobody capped: this, and up to as much again. */
const DEFAULT_TOKENS = 24;

/** Hidden thinking of a model that thinks: from this to three times as much. */
const LEAST_THINKING = 32;
const THINKING_RANGE = 64;
/** Sets the text of thinking apart from the text of the answer. */
const THINKING_SHIFT = 31;

/** What a model would answer, before it is put into a wire format. */
export interface Outcome {
  readonly replies: readonly Reply[];
  /** What was asked is refused as a whole, by a filter before the model. */
  readonly isPromptBlocked: boolean;
  /** Tokens of all replies, thinking included. */
  readonly output: number;
  readonly reasoning: number;
  readonly seed: number;
}

export interface Reply {
  /** What was thought, in tokens; dialects show it or hide it. */
  readonly thought: readonly string[];
  readonly pieces: readonly string[];
  readonly calls: readonly ToolCall[];
  /** `stop_sequence` is a `stop` of which some dialects say more; the pieces of what is `refused` say so. */
  readonly finish: 'stop' | 'stop_sequence' | 'length' | 'tool_calls' | 'blocked' | 'refused';
  readonly stopSequence: string | undefined;
}

export interface ToolCall {
  readonly name: string;
  readonly input: unknown;
  /** The same as JSON. */
  readonly arguments: string;
}

/** The same answer to the same last words of the user, whatever the dialect and whatever else the body holds. */
export function replyTo(prompt: Prompt, faults: Faults): Outcome {
  const seed = seedOf(lastUserText(prompt));
  if (faults.block === 'prompt') return { replies: [], isPromptBlocked: true, output: 0, reasoning: 0, seed };
  const thought = generate(seed + THINKING_SHIFT, Math.min(prompt.thinking, prompt.cap, prompt.thinking > 0 ? LEAST_THINKING + (seed % THINKING_RANGE) : 0));
  const visible = prompt.cap - thought.length;
  const calls = callsOf(prompt, faults, seed);
  const answers = Array.from({ length: prompt.answers }, (_, index) =>
    calls.length > 0 ? called(calls, visible) : said(prompt, faults, seed + index, visible),
  );
  const replies = answers.map(({ reply }) => ({ ...reply, thought }));
  const reasoning = thought.length * replies.length;
  return { replies, isPromptBlocked: false, output: answers.reduce((sum, { tokens }) => sum + tokens, reasoning), reasoning, seed };
}

interface Answered {
  readonly reply: Omit<Reply, 'thought'>;
  readonly tokens: number;
}

/** Tools are called when a choice forces it, when the user's last words say "tool" (or "tools", for two at once), or when a fault asks for it; never right after a tool's result. */
function callsOf(prompt: Prompt, faults: Faults, seed: number): readonly ToolCall[] {
  const { tools, choice, parallel } = prompt;
  if (tools.length === 0 || choice.kind === 'none' || endsInToolResult(prompt) || faults.block === 'refusal') return [];
  const names = choice.kind === 'required' ? choice.names : undefined;
  const allowed = names === undefined ? tools : tools.filter(({ name }) => names.includes(name));
  const [, plural] = /\btool(s?)\b/i.exec(lastUserText(prompt)) ?? [];
  const least = choice.kind === 'required' ? 1 : 0;
  const wished = faults.calls ?? (plural === undefined ? least : plural === '' || allowed.length < 2 ? 1 : 2);
  const count = Math.max(least, parallel ? wished : Math.min(wished, 1));
  return Array.from({ length: allowed.length === 0 ? 0 : count }, (_, index) => callOf(allowed[index % allowed.length], seed, index));
}

function callOf(tool: Tool | undefined, seed: number, index: number): ToolCall {
  const input = tool === undefined ? {} : sample(tool.schema, seed, index);
  return { name: tool?.name ?? '', input, arguments: JSON.stringify(input) };
}

/** Calls are made whole or not at all: a cap that is too small for them leaves nothing but its tokens. */
function called(calls: readonly ToolCall[], cap: number): Answered {
  const tokens = calls.reduce((sum, call) => sum + countTokens(call.name + call.arguments), 0);
  if (tokens > cap) return { reply: { pieces: [], calls: [], finish: 'length', stopSequence: undefined }, tokens: cap };
  return { reply: { pieces: [], calls, finish: 'tool_calls', stopSequence: undefined }, tokens };
}

function said({ format, stops }: Prompt, faults: Faults, seed: number, cap: number): Answered {
  const whole =
    format === undefined || faults.block === 'refusal'
      ? generate(seed, faults.tokens ?? DEFAULT_TOKENS + (seed % DEFAULT_TOKENS))
      : splitJson(JSON.stringify(format.kind === 'schema' ? sample(format.schema, seed) : { answer: seed % 100 }));
  const shown = faults.block === 'answer' ? whole.slice(0, Math.ceil(whole.length / 2)) : whole;
  const capped = shown.slice(0, Math.max(0, Math.min(cap, shown.length)));
  const stopped = stopAt(capped, stops);
  if (stopped !== undefined)
    return { reply: { pieces: stopped.pieces, calls: [], finish: 'stop_sequence', stopSequence: stopped.sequence }, tokens: stopped.pieces.length };
  const ended = faults.block === 'answer' ? 'blocked' : faults.block === 'refusal' ? 'refused' : 'stop';
  const finish = capped.length < shown.length ? 'length' : ended;
  return { reply: { pieces: capped, calls: [], finish, stopSequence: undefined }, tokens: capped.length };
}

/** What comes before the first stop sequence, which itself is not shown. */
function stopAt(pieces: readonly string[], stops: readonly string[]): { readonly pieces: readonly string[]; readonly sequence: string } | undefined {
  const text = pieces.join('');
  const found = stops.map((sequence) => ({ sequence, at: text.indexOf(sequence) })).filter(({ sequence, at }) => at >= 0 && sequence !== '');
  const first = found.toSorted((one, other) => one.at - other.at)[0];
  if (first === undefined) return undefined;
  const before: string[] = [];
  let left = first.at;
  for (const piece of pieces) {
    if (left <= 0) break;
    before.push(piece.slice(0, left));
    left -= piece.length;
  }
  return { pieces: before, sequence: first.sequence };
}
