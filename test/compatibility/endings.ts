import { anthropic, gemini, openai, translationOf } from '../../src/core/dialects/index.ts';
import type { Dialect, NeutralFinish } from '../../src/core/dialects/index.ts';
import { decodeUtf8, encodeJson } from '../../src/core/json/index.ts';
import { chatOf } from '../support/neutral-chat.ts';
import { endpointOf } from './probe.ts';
import type { Front } from './probe.ts';

export const DIALECTS: readonly Dialect[] = [openai, anthropic, gemini];

const FINISHES: readonly NeutralFinish[] = ['stop', 'stop_sequence', 'length', 'tool_calls', 'refusal', 'content_filter', 'pause'];

/** A front's answer to each reason for which an answer ends, as its member that says so. */
export function finishesOf(front: Front): readonly (readonly [reason: NeutralFinish, said: string])[] {
  return FINISHES.map((finish) => {
    const choice = { index: 0, parts: [{ kind: 'text', text: 'x' } as const], finish };
    const answer = { kind: 'chat', id: 'a', model: 'm', created: 0, choices: [choice], usage: undefined } as const;
    const written = translationOf(front.dialect).writeAnswer(answer, { endpoint: endpointOf(front), request: chatOf(), requestId: 'r', created: 0 });
    return [finish, finishIn(JSON.parse(decodeUtf8(written)))] as const;
  });
}

interface AnyAnswer {
  readonly choices?: readonly { readonly finish_reason?: string }[];
  readonly candidates?: readonly { readonly finishReason?: string }[];
  readonly stop_reason?: string;
  readonly status?: string;
  readonly incomplete_details?: { readonly reason?: string } | null;
}

function finishIn(answer: AnyAnswer): string {
  const { choices, candidates, stop_reason: stopReason, status, incomplete_details: details } = answer;
  return choices?.[0]?.finish_reason ?? candidates?.[0]?.finishReason ?? stopReason ?? details?.reason ?? status ?? '';
}

/** What a provider's status becomes for a caller, with the words of its API for it. */
export function errorOf(front: Dialect, back: Dialect, status: number): string {
  const error = translationOf(back).parseError(status, encodeJson({}));
  const { status: told, body } = translationOf(front).writeError(error, 'r');
  const { error: object } = JSON.parse(decodeUtf8(body)) as { readonly error: { readonly type?: string; readonly status?: string } };
  return `${told} \`${object.status ?? object.type ?? ''}\``;
}
