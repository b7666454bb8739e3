import type { z } from 'zod';
import type { Exchange, Failure } from '../api.ts';
import { refuse } from '../deliver.ts';
import { firstFlaw } from '../issues.ts';
import type { Flaw } from '../issues.ts';

/** Types by status. Source: Claude API reference, "Errors". */
const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
};

export function failure(status: number, message: string, requestId: string): Failure {
  const type = TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { status, body: { type: 'error', error: { type, message }, request_id: requestId } };
}

/** Parses as strictly as the API does; answers 400 and gives nothing where it would. */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown, exchange: Exchange): z.output<Schema> | undefined {
  const { requestId } = exchange.answer;
  if (body === undefined) {
    refuse(exchange, failure(400, 'The request body is not valid JSON.', requestId));
    return undefined;
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  refuse(exchange, failure(400, sentenceOf(firstFlaw(result.error)), requestId));
  return undefined;
}

/** `messages.0.content: Field required`, as the API's own validation says it. */
function sentenceOf({ path, issue }: Flaw): string {
  const place = path.join('.');
  if (issue.code === 'unrecognized_keys') return `${[...path, issue.keys[0] ?? ''].join('.')}: Extra inputs are not permitted`;
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return `${place}: Field required`;
  return `${place}: ${issue.message.replace(/^Invalid input: expected/, 'Input should be')}`;
}
