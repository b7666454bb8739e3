import type { EmbeddingPart, LocalReply } from '../../dialects/index.ts';
import type { Exchange } from '../exchange.ts';
import type { Injection } from '../inject.ts';
import type { AnswerChanges, AnswerHead } from '../request.ts';
import type { MergedCall } from './merged.ts';

/** A call that may be one of several in the provider's eyes. It is held, answered and settled by itself. */
export interface Member {
  readonly id: string;
  readonly injection: Injection;
  readonly exchange: Exchange;
  readonly part: EmbeddingPart;
  /** What becomes of it. Only the first word counts. */
  readonly tell: (told: Told) => void;
  /** Its caller has hung up. What was asked for it is paid all the same. */
  hasLeft: boolean;
}

export type Told =
  /** It goes to the provider by itself, by the hold that it has. */
  | { readonly kind: 'alone' }
  /** It goes to the provider with what the others ask. */
  | { readonly kind: 'leads'; readonly merged: MergedCall }
  /** Another's call has brought its answer, and it is settled. */
  | { readonly kind: 'answered'; readonly reply: LocalReply }
  /** It was settled without an answer. What is tried now is a call of its own. */
  | { readonly kind: 'lost' };

/** How many calls the provider's answer was for. */
export const MERGED_HEADER = 'x-airmesh-merged';

export const mergedHeader = (members: readonly unknown[]): readonly [name: string, value: string] => [MERGED_HEADER, String(members.length)];

/** An answer as this member's caller would have seen it, had it called by itself. */
export function replyOf({ id, injection }: Member, head: AnswerHead, { status, set }: AnswerChanges, body: Uint8Array): LocalReply {
  const { requestIdHeader } = injection.front.dialect;
  const said = new Set(set.map(([name]) => name));
  const from = (name: string, value: string | undefined): readonly (readonly [string, string])[] =>
    value === undefined || said.has(name) ? [] : [[name, value] as const];
  return {
    status: status ?? head.status,
    headers: [...from('content-type', head.contentType), ...from('retry-after', head.retryAfter), ...from(requestIdHeader, id), ...set],
    body,
  };
}
