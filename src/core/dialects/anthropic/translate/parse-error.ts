import { parseJson } from '../../../json/index.ts';
import { FaultLog, Fields } from '../../fields.ts';
import type { NeutralError, NeutralErrorKind } from '../../neutral.ts';
import { textOf } from './values.ts';

/** Longest sentence of a provider's that is passed on. */
const MAX_MESSAGE_CHARS = 4_096;

const KINDS: ReadonlyMap<string, NeutralErrorKind> = new Map([
  ['invalid_request_error', 'invalid_request'],
  ['conflict_error', 'invalid_request'],
  ['authentication_error', 'authentication'],
  ['billing_error', 'quota'],
  ['permission_error', 'permission'],
  ['not_found_error', 'not_found'],
  ['request_too_large', 'request_too_large'],
  ['rate_limit_error', 'rate_limit'],
  ['timeout_error', 'timeout'],
  ['api_error', 'server_error'],
  ['overloaded_error', 'overloaded'],
]);

/** Statuses whose kind goes without saying. */
const STATUS_KINDS: ReadonlyMap<number, NeutralErrorKind> = new Map([
  [401, 'authentication'],
  [402, 'quota'],
  [403, 'permission'],
  [404, 'not_found'],
  [408, 'timeout'],
  [413, 'request_too_large'],
  [429, 'rate_limit'],
  [503, 'overloaded'],
  [504, 'timeout'],
  [529, 'overloaded'],
]);

/** What an error within a stream would have been as an answer. Source: API reference, "Errors". */
const KIND_STATUSES: Readonly<Record<NeutralErrorKind, number>> = {
  invalid_request: 400,
  authentication: 401,
  permission: 403,
  not_found: 404,
  request_too_large: 413,
  rate_limit: 429,
  quota: 402,
  overloaded: 529,
  timeout: 504,
  content_filter: 400,
  server_error: 500,
};

/** Reads an error, or whatever stands in its place. Source: `ErrorResponse` and `ErrorDetails` of `@anthropic-ai/sdk`. */
export function parseError(status: number, bytes: Uint8Array): NeutralError {
  const parsed = parseJson(bytes);
  const body = parsed.ok && parsed.value.kind(parsed.value.root) === 'object' ? new Fields(parsed.value, parsed.value.root, '', new FaultLog()) : undefined;
  return errorIn(body, status);
}

/** An error event of a stream. */
export function parseErrorEvent(body: Fields): NeutralError {
  return errorIn(body, undefined);
}

function errorIn(body: Fields | undefined, status: number | undefined): NeutralError {
  const error = body?.object('error');
  const details = error?.object('details');
  const code = details === undefined ? undefined : textOf(details, 'error_code');
  const param = details === undefined ? undefined : textOf(details, 'param');
  const kind = kindOf(error === undefined ? undefined : textOf(error, 'type'), code, status);
  const message = error === undefined ? undefined : textOf(error, 'message');
  return {
    kind,
    status: status ?? KIND_STATUSES[kind],
    message:
      message === undefined || message === ''
        ? status === undefined
          ? 'The provider gave up.'
          : `The provider answered with the status ${status}.`
        : message.slice(0, MAX_MESSAGE_CHARS),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  };
}

/** A spend limit is a `rate_limit_error` with a code that says so. Source: `EnforcedSpendLimitReachedError` of `@anthropic-ai/sdk`. */
function kindOf(type: string | undefined, code: string | undefined, status: number | undefined): NeutralErrorKind {
  const named = type === undefined ? undefined : KINDS.get(type);
  if (named === 'rate_limit' && code?.includes('spend_limit') === true) return 'quota';
  if (named === 'invalid_request' && status === 413) return 'request_too_large';
  if (named !== undefined) return named;
  const known = status === undefined ? 'server_error' : STATUS_KINDS.get(status);
  return known ?? (status !== undefined && status < 500 ? 'invalid_request' : 'server_error');
}
