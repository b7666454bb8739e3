import type { z } from 'zod';
import type { Exchange, Failure } from '../api.ts';
import { refuse } from '../deliver.ts';
import { firstFlaw } from '../issues.ts';
import type { Flaw } from '../issues.ts';
import { errorBody } from '../openai/errors.ts';

/** DeepSeek's API has OpenAI's shape with codes of its own. Source: DeepSeek API docs, "Error Codes". */
export function failure(status: number, message: string): Failure {
  const type = status === 401 ? 'authentication_error' : status === 402 || status === 429 || status >= 500 ? 'unknown_error' : 'invalid_request_error';
  return { status, body: errorBody(message, type, 'invalid_request_error') };
}

export const UNKNOWN_MODEL = failure(400, 'Model Not Exist');

export const invalid = (message: string): Failure => failure(400, message);

/** What its parser of bodies says. */
export const unreadable = (problem: string): Failure => invalid(`Failed to deserialize the JSON body into the target type: ${problem}`);

/** Parses as strictly as OpenAI's API does; answers 400 and gives nothing where it would not. */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown, exchange: Exchange): z.output<Schema> | undefined {
  if (body === undefined) {
    refuse(exchange, invalid('Failed to parse the request body as JSON'));
    return undefined;
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  refuse(exchange, unreadable(sentenceOf(firstFlaw(result.error))));
  return undefined;
}

function sentenceOf({ path, issue }: Flaw): string {
  const place = path.reduce<string>((whole, part) => (typeof part === 'number' ? `${whole}[${part}]` : whole === '' ? part : `${whole}.${part}`), '');
  if (issue.code === 'unrecognized_keys') return `${place === '' ? '' : `${place}: `}unknown field \`${issue.keys[0] ?? ''}\``;
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return `missing field \`${path.at(-1) ?? ''}\``;
  return `${place}: ${issue.message.replace(/^Invalid input: /, 'invalid type, ')}`;
}
