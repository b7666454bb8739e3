import { decodeUtf8, encodeJson, parseJson } from '../../../json/index.ts';
import type { NeutralError, NeutralErrorKind } from '../../neutral.ts';
import type { LocalReply } from '../../types.ts';
import { isObject, objectAt, wordAt } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** Longest sentence of a provider's that is passed on. */
const MAX_MESSAGE_CHARS = 2000;
const MAX_CODE_CHARS = 128;

const FIRST_ERROR_STATUS = 400;
const LAST_ERROR_STATUS = 599;
/** What stands for an answer that is none, whatever its status. */
const BAD_GATEWAY = 502;

/** What looks like a key in a provider's sentence: some repeat the one that they did not accept. */
const KEY_LIKE = /\b(?:(?:sk|pk|rk|hs|gsk|xai)[-_]|AIza|Bearer )[\w*.-]{8,}/g;

interface ErrorForm {
  readonly status: number;
  readonly type: 'invalid_request_error' | 'insufficient_quota' | 'rate_limit_error' | 'server_error';
  /** OpenAI's own code, where the provider gave none. */
  readonly code: string | null;
}

/** OpenAI's status, type and code of each kind. Source: OpenAI's guide "Error codes", and the types that refusals here have. */
const FORMS: Readonly<Record<NeutralErrorKind, ErrorForm>> = {
  invalid_request: { status: 400, type: 'invalid_request_error', code: null },
  authentication: { status: 401, type: 'invalid_request_error', code: 'invalid_api_key' },
  permission: { status: 403, type: 'invalid_request_error', code: null },
  not_found: { status: 404, type: 'invalid_request_error', code: 'model_not_found' },
  request_too_large: { status: 413, type: 'invalid_request_error', code: 'request_too_large' },
  rate_limit: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  quota: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  overloaded: { status: 503, type: 'server_error', code: 'overloaded' },
  timeout: { status: 504, type: 'server_error', code: 'timeout' },
  content_filter: { status: 400, type: 'invalid_request_error', code: 'content_filter' },
  server_error: { status: 500, type: 'server_error', code: null },
};

/** Codes and types that say more than a status does, of OpenAI and of servers compatible with it. */
const KINDS: ReadonlyMap<string, NeutralErrorKind> = new Map([
  ['billing_hard_limit_reached', 'quota'],
  ['billing_not_active', 'quota'],
  ['content_filter', 'content_filter'],
  ['content_policy_violation', 'content_filter'],
  ['context_length_exceeded', 'invalid_request'],
  ['exceeded_current_quota_error', 'quota'],
  ['insufficient_balance', 'quota'],
  ['insufficient_quota', 'quota'],
  ['invalid_api_key', 'authentication'],
  ['authentication_error', 'authentication'],
  ['invalid_prompt', 'invalid_request'],
  ['invalid_request_error', 'invalid_request'],
  ['model_not_found', 'not_found'],
  ['not_found_error', 'not_found'],
  ['overloaded_error', 'overloaded'],
  ['engine_overloaded', 'overloaded'],
  ['engine_overloaded_error', 'overloaded'],
  ['permission_error', 'permission'],
  ['permission_denied', 'permission'],
  ['rate_limit_exceeded', 'rate_limit'],
  ['rate_limit_error', 'rate_limit'],
  ['rate_limit_reached_error', 'rate_limit'],
  ['server_error', 'server_error'],
  ['internal_server_error', 'server_error'],
  ['timeout', 'timeout'],
]);

/** Codes that decide whatever the status; the others only where there is no status to go by. */
const DECISIVE: ReadonlySet<NeutralErrorKind> = new Set(['quota', 'content_filter', 'overloaded']);

/**
 * Reads a provider's error: OpenAI's form, `{"error": "…"}`, `{"detail": …}`, `{"message": …}`, an array of one (Google's
 * compatible API), or a page that is no JSON at all, which is told by its status only.
 */
export function parseError(status: number, body: Uint8Array): NeutralError {
  const known = status >= FIRST_ERROR_STATUS && status <= LAST_ERROR_STATUS ? status : BAD_GATEWAY;
  const parsed = parseJson(body);
  const value: unknown = parsed.ok ? JSON.parse(decodeUtf8(body)) : undefined;
  const [first] = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return readErrorObject(isObject(first) ? first : {}, known);
}

/** Reads an error's object. `status` is `undefined` within a stream, whose own status was that of a success. */
export function readErrorObject(value: JsonObject, status: number | undefined): NeutralError {
  const error = objectAt(value, 'error') ?? value;
  const code = codeOf(error);
  const type = wordAt(error, 'type');
  const named = kindOf(code) ?? kindOf(type);
  const told = status ?? statusIn(error);
  const kind = named !== undefined && (told === undefined || DECISIVE.has(named)) ? named : told === undefined ? 'server_error' : kindOfStatus(told);
  const known = told ?? FORMS[kind].status;
  const param = wordAt(error, 'param');
  return {
    kind,
    status: known,
    message: sentence(messageOf(value, error)) ?? `The provider answered with status ${known} and no explanation.`,
    ...(param === undefined ? {} : { param: param.slice(0, MAX_CODE_CHARS) }),
    ...(code === undefined ? {} : { code }),
  };
}

/** Writes OpenAI's form, with the id where its SDKs look for one. */
export function writeError(error: NeutralError, requestId: string): LocalReply {
  return {
    status: errorStatus(error.status),
    headers: [
      ['content-type', 'application/json'],
      ['x-request-id', requestId],
    ],
    body: encodeJson({ error: errorObject(error) }),
  };
}

/** The `error` member of an answer, and of a chunk. */
export function errorObject(error: NeutralError): JsonObject {
  const { type, code } = FORMS[error.kind];
  return { message: error.message, type, param: error.param ?? null, code: error.code ?? code };
}

/** OpenAI's own statuses stay; Anthropic's 529 is what OpenAI calls overloaded, and what is no error status is none of an answer's. */
export function errorStatus(status: number): number {
  if (status === 529) return FORMS.overloaded.status;
  return status >= FIRST_ERROR_STATUS && status <= LAST_ERROR_STATUS ? status : BAD_GATEWAY;
}

function kindOf(word: string | undefined): NeutralErrorKind | undefined {
  return word === undefined ? undefined : KINDS.get(word.toLowerCase());
}

function kindOfStatus(status: number): NeutralErrorKind {
  switch (status) {
    case 401:
      return 'authentication';
    case 402:
      return 'quota';
    case 403:
      return 'permission';
    case 404:
      return 'not_found';
    case 408:
    case 504:
    case 524:
      return 'timeout';
    case 413:
      return 'request_too_large';
    case 429:
      return 'rate_limit';
    case 503:
    case 529:
      return 'overloaded';
    default:
      return status < 500 ? 'invalid_request' : 'server_error';
  }
}

/** OpenRouter and Google write the status as the error's code. */
function statusIn(error: JsonObject): number | undefined {
  const code = Number(error['code'] ?? error['status']);
  return Number.isInteger(code) && code >= FIRST_ERROR_STATUS && code <= LAST_ERROR_STATUS ? code : undefined;
}

function codeOf(error: JsonObject): string | undefined {
  const code = error['code'];
  return typeof code === 'number' ? String(code) : wordAt(error, 'code')?.slice(0, MAX_CODE_CHARS);
}

/** `detail` is FastAPI's word, on which many model servers are built: a text, or a list of what is wrong with which field. */
function messageOf(value: JsonObject, error: JsonObject): unknown {
  const detail = value['detail'];
  const first: unknown = Array.isArray(detail) ? detail[0] : detail;
  const told = isObject(first) ? (first['msg'] ?? first['message']) : first;
  return error['message'] ?? (typeof value['error'] === 'string' ? value['error'] : undefined) ?? told;
}

function sentence(message: unknown): string | undefined {
  if (typeof message !== 'string' || message.trim() === '') return undefined;
  return message.slice(0, MAX_MESSAGE_CHARS).replaceAll(KEY_LIKE, '[key]');
}
