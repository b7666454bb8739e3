import type { z } from 'zod';
import type { Exchange, Failure } from '../api.ts';
import { refuse } from '../deliver.ts';
import { firstFlaw } from '../issues.ts';
import type { Flaw } from '../issues.ts';

/** OpenAI's error shape. */
export const errorBody = (message: string, type: string, code: string | null, param: string | null = null): object => ({
  error: { message, type, param, code },
});

export function invalid(message: string, code: string | null = null, param: string | null = null): Failure {
  return { status: 400, body: errorBody(message, 'invalid_request_error', code, param) };
}

/** An error by its status alone. */
export function failure(status: number, message: string): Failure {
  if (status === 429) return { status, body: errorBody(message, 'rate_limit_error', 'rate_limit_exceeded') };
  return { status, body: errorBody(message, status >= 500 ? 'server_error' : 'invalid_request_error', null) };
}

/** Parses as strictly as the API does; answers 400 and gives nothing where it would. */
export function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown, exchange: Exchange): z.output<Schema> | undefined {
  if (body === undefined) {
    refuse(
      exchange,
      invalid(
        'We could not parse the JSON body of your request. (HINT: This likely means you aren’t using your HTTP library correctly. The API expects a JSON payload.)',
      ),
    );
    return undefined;
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  refuse(exchange, flawed(firstFlaw(result.error)));
  return undefined;
}

function flawed({ path, issue }: Flaw): Failure {
  const param = paramOf(path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const unknown = paramOf([...path, issue.keys[0] ?? '']);
      return path.length === 0
        ? invalid(`Unrecognized request argument supplied: ${issue.keys.join(', ')}`)
        : invalid(`Unknown parameter: '${unknown}'.`, 'unknown_parameter', unknown);
    }
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? invalid(`Missing required parameter: '${param}'.`, 'missing_required_parameter', param)
        : invalid(`Invalid type for '${param}': ${issue.message.replace(/^Invalid input: /, '')}.`, 'invalid_type', param);
    default:
      return invalid(`Invalid value for '${param}': ${issue.message}`, 'invalid_value', param);
  }
}

/** `messages[0].content`. */
function paramOf(path: readonly (string | number)[]): string {
  return path.reduce<string>((whole, part) => (typeof part === 'number' ? `${whole}[${part}]` : whole === '' ? part : `${whole}.${part}`), '');
}
