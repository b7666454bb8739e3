import type { NeutralChat } from '../../neutral.ts';
import type { AnswerContext } from '../../translation.ts';

/** The chat that an answer belongs to. */
export function chatOf({ request }: AnswerContext): NeutralChat {
  if (request.kind !== 'chat') throw new TypeError('A chat is answered only where one was asked for.');
  return request;
}

/** An answer's id: the provider's where it gave one, else ours. */
export function answerId(id: string, { requestId }: AnswerContext, prefix: string): string {
  return id === '' ? `${prefix}-${requestId}` : id;
}
