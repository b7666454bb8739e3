import { decodeUtf8, encodeJson, parseJson } from '../../../json/index.ts';
import type { NeutralError, NeutralErrorKind } from '../../neutral.ts';
import type { LocalReply } from '../../types.ts';
import { errorValue, isGoogleStatus, rpcStatusOf } from '../rpc.ts';
import { integerAt, isObject, objectAt, objectsAt, textAt, withoutAbsent, wordAt } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** Longest message and code that are taken over. */
const MAX_MESSAGE_CHARS = 2000;
const MAX_CODE_CHARS = 100;

/** A key of Google's, which its sentence about a suspended one repeats: `Consumer 'api_key:AIza...' has been suspended.` */
const KEY = /\bAIza[\w-]{8,}/g;

/** From this status on an answer is an error. */
const FIRST_ERROR_STATUS = 400;
const LAST_ERROR_STATUS = 599;

/** Source: google/rpc/code.proto; the HTTP statuses are its comments'. */
const KINDS: ReadonlyMap<string, { readonly kind: NeutralErrorKind; readonly status: number }> = new Map([
  ['INVALID_ARGUMENT', { kind: 'invalid_request', status: 400 }],
  ['FAILED_PRECONDITION', { kind: 'invalid_request', status: 400 }],
  ['OUT_OF_RANGE', { kind: 'invalid_request', status: 400 }],
  ['UNAUTHENTICATED', { kind: 'authentication', status: 401 }],
  ['PERMISSION_DENIED', { kind: 'permission', status: 403 }],
  ['NOT_FOUND', { kind: 'not_found', status: 404 }],
  ['ALREADY_EXISTS', { kind: 'invalid_request', status: 409 }],
  ['ABORTED', { kind: 'server_error', status: 409 }],
  ['RESOURCE_EXHAUSTED', { kind: 'rate_limit', status: 429 }],
  ['CANCELLED', { kind: 'server_error', status: 499 }],
  ['UNKNOWN', { kind: 'server_error', status: 500 }],
  ['INTERNAL', { kind: 'server_error', status: 500 }],
  ['DATA_LOSS', { kind: 'server_error', status: 500 }],
  ['UNIMPLEMENTED', { kind: 'invalid_request', status: 501 }],
  ['UNAVAILABLE', { kind: 'overloaded', status: 503 }],
  ['DEADLINE_EXCEEDED', { kind: 'timeout', status: 504 }],
]);

/** For errors without a status in words, and for what is no error of Google's. */
const KINDS_BY_STATUS: ReadonlyMap<number, NeutralErrorKind> = new Map([
  [400, 'invalid_request'],
  [401, 'authentication'],
  [403, 'permission'],
  [404, 'not_found'],
  [408, 'timeout'],
  [413, 'request_too_large'],
  [429, 'rate_limit'],
  [503, 'overloaded'],
  [504, 'timeout'],
]);

/** Statuses of other providers that Google's APIs do not know: payment due, and overloaded at Anthropic. */
const OTHER_STATUSES: ReadonlyMap<number, number> = new Map([
  [402, 429],
  [408, 504],
  [502, 503],
  [529, 503],
]);

/** Reads a whole answer that is an error. A stream that was not begun has it in an array. */
export function parseError(status: number, body: Uint8Array): NeutralError {
  const parsed = parseJson(body);
  const value: unknown = parsed.ok ? JSON.parse(decodeUtf8(body)) : undefined;
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return errorOf(isObject(first) ? first : {}, status);
}

/** Reads `{error: {...}}`, as an answer or as an event. `status` is the answer's, 0 for an event. */
export function errorOf(value: JsonObject, status: number): NeutralError {
  const error = objectAt(value, 'error');
  const rpc = wordAt(error, 'status');
  const known = rpc === undefined ? undefined : KINDS.get(rpc);
  const code = integerAt(error, 'code');
  const named = code !== undefined && code >= FIRST_ERROR_STATUS && code <= LAST_ERROR_STATUS ? code : undefined;
  const given = status >= FIRST_ERROR_STATUS ? status : (named ?? known?.status ?? 500);
  const details = objectsAt(error, 'details');
  const param = objectsAt(
    details.find((detail) => isOfType(detail, 'BadRequest')),
    'fieldViolations',
  ).map((violation) => wordAt(violation, 'field'))[0];
  return {
    kind: kindOf(given, known?.kind, details),
    status: given,
    message: wordAt(error, 'message')?.slice(0, MAX_MESSAGE_CHARS).replaceAll(KEY, '[key]') ?? 'The provider answered with an error that says nothing.',
    ...withoutAbsent({ param, code: reasonOf(details) ?? rpc?.slice(0, MAX_CODE_CHARS) }),
  };
}

function kindOf(status: number, known: NeutralErrorKind | undefined, details: readonly JsonObject[]): NeutralErrorKind {
  // A key that is not valid is an invalid argument to Google.
  if (reasonOf(details) === 'API_KEY_INVALID') return 'authentication';
  if (status === 413) return 'request_too_large';
  const kind = known ?? KINDS_BY_STATUS.get(status) ?? (status >= 500 ? 'server_error' : 'invalid_request');
  return kind === 'rate_limit' && isDailyQuota(details) ? 'quota' : kind;
}

/** A quota of the day is not there again in a minute. Source: quota ids in answers, such as `GenerateRequestsPerDayPerProjectPerModel`. */
function isDailyQuota(details: readonly JsonObject[]): boolean {
  const violations = details.filter((detail) => isOfType(detail, 'QuotaFailure')).flatMap((detail) => objectsAt(detail, 'violations'));
  return violations.some((violation) => textAt(violation, 'quotaId')?.includes('PerDay') === true);
}

function reasonOf(details: readonly JsonObject[]): string | undefined {
  return wordAt(
    details.find((detail) => isOfType(detail, 'ErrorInfo')),
    'reason',
  )?.slice(0, MAX_CODE_CHARS);
}

function isOfType(detail: JsonObject, type: string): boolean {
  return textAt(detail, '@type') === `type.googleapis.com/google.rpc.${type}`;
}

/** An error as the body of an answer, or as an event in a stream. */
export function errorBody(error: NeutralError, requestId: string): JsonObject {
  const code = errorStatus(error.status);
  return errorValue({
    code,
    status: rpcStatusOf(code),
    message: error.message,
    requestId,
    ...withoutAbsent({ reason: error.code, param: error.param }),
  });
}

export function writeError(error: NeutralError, requestId: string): LocalReply {
  return {
    status: errorStatus(error.status),
    headers: [
      ['content-type', 'application/json'],
      ['x-request-id', requestId],
    ],
    body: encodeJson(errorBody(error, requestId)),
  };
}

/** The nearest status that Google's APIs answer with, so that their SDKs take it for what it is. */
export function errorStatus(status: number): number {
  if (isGoogleStatus(status)) return status;
  return OTHER_STATUSES.get(status) ?? (status >= FIRST_ERROR_STATUS && status < 500 ? 400 : 500);
}
