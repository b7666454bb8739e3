import type { z } from 'zod';
import type { Exchange, Failure } from '../api.ts';
import { refuse } from '../deliver.ts';
import { firstFlaw } from '../issues.ts';
import type { Flaw } from '../issues.ts';

/** Names of google.rpc.Code by the status that they come with. */
const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** Google's error shape, with details of google/rpc/error_details.proto. */
export function failure(status: number, message: string, details: readonly object[] = []): Failure {
  return { status, body: { error: { code: status, message, status: STATUSES[status] ?? 'UNKNOWN', ...(details.length === 0 ? {} : { details }) } } };
}

/** Parses as strictly as the API does; answers 400 and gives nothing where it would. */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown, exchange: Exchange): z.output<Schema> | undefined {
  if (body === undefined) {
    refuse(exchange, failure(400, 'Invalid JSON payload received. Unexpected end of string.'));
    return undefined;
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const flaw = firstFlaw(result.error);
  refuse(
    exchange,
    failure(400, sentenceOf(flaw), [
      { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: fieldOf(flaw.path), description: sentenceOf(flaw) }] },
    ]),
  );
  return undefined;
}

function sentenceOf({ path, issue }: Flaw): string {
  const field = fieldOf(path);
  if (issue.code === 'unrecognized_keys')
    return `Invalid JSON payload received. Unknown name "${issue.keys[0] ?? ''}"${field === '' ? '' : ` at '${field}'`}: Cannot find field.`;
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return `* GenerateContentRequest.${field}: ${field} is not specified`;
  return `Invalid value at '${field}': ${issue.message}`;
}

/** `contents[0].parts[1].text`. */
function fieldOf(path: readonly (string | number)[]): string {
  return path.reduce<string>((whole, part) => (typeof part === 'number' ? `${whole}[${part}]` : whole === '' ? part : `${whole}.${part}`), '');
}
