import { encodeJson } from '../../json/index.ts';
import type { ListedModel, LocalReply, Refusal, RefusalCode } from '../types.ts';

/** Anthropic's coarse types of errors. Source: `ErrorType` of `@anthropic-ai/sdk`; API reference, "Errors", for `request_too_large`. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'timeout_error'
  | 'api_error'
  | 'overloaded_error';

/**
 * The `type` of each refusal; `details.error_code` says which one it is. A spent budget is a rate limit, as Anthropic's own
 * spend limits are (`EnforcedSpendLimitReachedError`).
 */
const TYPES: Readonly<Record<RefusalCode, ErrorType>> = {
  invalid_json: 'invalid_request_error',
  invalid_body: 'invalid_request_error',
  invalid_value: 'invalid_request_error',
  unsupported_content_type: 'invalid_request_error',
  unsupported_content_encoding: 'invalid_request_error',
  unsupported_state: 'invalid_request_error',
  not_translatable: 'invalid_request_error',
  operation_not_supported: 'not_found_error',
  object_not_found: 'not_found_error',
  request_too_large: 'request_too_large',
  empty_body: 'invalid_request_error',
  method_not_allowed: 'invalid_request_error',
  endpoint_not_supported: 'not_found_error',
  stateful_endpoint_refused: 'permission_error',
  model_not_found: 'not_found_error',
  model_not_allowed: 'permission_error',
  headers_too_large: 'invalid_request_error',
  host_mismatch: 'invalid_request_error',
  unauthenticated: 'authentication_error',
  upgrade_refused: 'permission_error',
  price_unknown: 'permission_error',
  cost_unbounded: 'permission_error',
  budget_exhausted: 'rate_limit_error',
  budget_too_small_for_call: 'rate_limit_error',
  budget_wait_timeout: 'rate_limit_error',
  budget_unavailable: 'api_error',
  rate_limit_exceeded: 'rate_limit_error',
  too_many_waiting: 'rate_limit_error',
  no_provider_available: 'overloaded_error',
  provider_key_missing: 'api_error',
  too_many_large_requests: 'api_error',
  sidecar_overloaded: 'api_error',
  processor_unavailable: 'api_error',
  provider_unreachable: 'api_error',
  provider_untrusted: 'api_error',
  merged_call_failed: 'api_error',
  provider_timeout: 'timeout_error',
  internal_error: 'api_error',
};

/** `created_at` of listed models: "an epoch value if the release date is unknown". Source: `ModelInfo` of `@anthropic-ai/sdk`. */
const CREATED_UNKNOWN = '1970-01-01T00:00:00Z';

/**
 * A refusal in Anthropic's form. `x-should-retry` and `retry-after` are what the official SDKs obey. The id goes where they
 * look for one, `request-id`. Source: API reference, "Errors"; `ErrorResponse` and the client of `@anthropic-ai/sdk`.
 */
export function refusal(reason: Refusal, requestId: string): LocalReply {
  const { code, message, param } = reason;
  const headers: [string, string][] = [
    ['request-id', requestId],
    ['x-should-retry', String(reason.shouldRetry)],
  ];
  if (reason.retryAfterS !== undefined) headers.push(['retry-after', String(Math.max(0, Math.ceil(reason.retryAfterS)))]);
  const details = { error_code: code, ...(param === undefined ? {} : { param }) };
  return errorReply(reason.status, { type: TYPES[code], message, details }, requestId, headers);
}

/** What stands in the `error` member. */
export interface ErrorObject {
  readonly type: ErrorType;
  readonly message: string;
  readonly details?: { readonly error_code?: string; readonly param?: string };
}

/** An error's body around its object. */
export function errorReply(status: number, error: ErrorObject, requestId: string, headers: readonly (readonly [string, string])[]): LocalReply {
  return jsonReply(status, { type: 'error', error, request_id: requestId }, headers);
}

/** The answer to `GET /models`: one page, as the list is short. */
export function modelsList(models: readonly ListedModel[]): LocalReply {
  return jsonReply(200, { data: models.map(modelObject), has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null });
}

/** The answer to `GET /models/{id}`. */
export function modelItem(model: ListedModel): LocalReply {
  return jsonReply(200, modelObject(model));
}

/** `ModelInfo` has no optional fields; what is not known here is null, as it allows. */
function modelObject({ id }: ListedModel): Readonly<Record<string, unknown>> {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: CREATED_UNKNOWN,
    lifecycle: 'active',
    line: null,
    capabilities: null,
    max_input_tokens: null,
    max_tokens: null,
    deprecated_at: null,
    retires_at: null,
  };
}

function jsonReply(status: number, value: unknown, headers: readonly (readonly [string, string])[] = []): LocalReply {
  return { status, headers: [['content-type', 'application/json'], ...headers], body: encodeJson(value) };
}
