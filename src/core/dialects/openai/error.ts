import { encodeJson } from '../../json/index.ts';
import type { ListedModel, LocalReply, Refusal, RefusalCode } from '../types.ts';

type ErrorType = 'invalid_request_error' | 'insufficient_quota' | 'rate_limit_error' | 'server_error';

/** OpenAI's coarse `type` of each refusal; `code` says which one it is. */
const TYPES: Readonly<Record<RefusalCode, ErrorType>> = {
  invalid_json: 'invalid_request_error',
  invalid_body: 'invalid_request_error',
  invalid_value: 'invalid_request_error',
  unsupported_content_type: 'invalid_request_error',
  unsupported_content_encoding: 'invalid_request_error',
  unsupported_state: 'invalid_request_error',
  not_translatable: 'invalid_request_error',
  operation_not_supported: 'invalid_request_error',
  object_not_found: 'invalid_request_error',
  request_too_large: 'invalid_request_error',
  empty_body: 'invalid_request_error',
  method_not_allowed: 'invalid_request_error',
  endpoint_not_supported: 'invalid_request_error',
  stateful_endpoint_refused: 'invalid_request_error',
  model_not_found: 'invalid_request_error',
  model_not_allowed: 'invalid_request_error',
  headers_too_large: 'invalid_request_error',
  host_mismatch: 'invalid_request_error',
  unauthenticated: 'invalid_request_error',
  upgrade_refused: 'invalid_request_error',
  price_unknown: 'invalid_request_error',
  cost_unbounded: 'invalid_request_error',
  budget_exhausted: 'insufficient_quota',
  budget_too_small_for_call: 'insufficient_quota',
  budget_wait_timeout: 'insufficient_quota',
  budget_unavailable: 'server_error',
  rate_limit_exceeded: 'rate_limit_error',
  too_many_waiting: 'rate_limit_error',
  no_provider_available: 'server_error',
  provider_key_missing: 'server_error',
  too_many_large_requests: 'server_error',
  sidecar_overloaded: 'server_error',
  processor_unavailable: 'server_error',
  provider_unreachable: 'server_error',
  provider_untrusted: 'server_error',
  merged_call_failed: 'server_error',
  provider_timeout: 'server_error',
  internal_error: 'server_error',
};

/** `created` of listed models: the provider's date is not known here, and the field is not optional. */
const CREATED_UNKNOWN = 0;

/**
 * A refusal in OpenAI's form. `x-should-retry` and `retry-after` are what the official SDKs obey. The id goes where they
 * look for one, `x-request-id`. Source: OpenAI API reference, "Error codes"; the `openai` package's client and error modules.
 */
export function refusal(reason: Refusal, requestId: string): LocalReply {
  const { code, message, param = null } = reason;
  const headers: [string, string][] = [
    ['x-request-id', requestId],
    ['x-should-retry', String(reason.shouldRetry)],
  ];
  if (reason.retryAfterS !== undefined) headers.push(['retry-after', String(Math.max(0, Math.ceil(reason.retryAfterS)))]);
  return jsonReply(reason.status, { error: { message, type: TYPES[code], param, code } }, headers);
}

/** The answer to `GET /models`. */
export function modelsList(models: readonly ListedModel[]): LocalReply {
  return jsonReply(200, { object: 'list', data: models.map(modelObject) });
}

/** The answer to `GET /models/{id}`. */
export function modelItem(model: ListedModel): LocalReply {
  return jsonReply(200, modelObject(model));
}

function modelObject({ id, ownedBy }: ListedModel): Readonly<Record<string, unknown>> {
  return { id, object: 'model', created: CREATED_UNKNOWN, owned_by: ownedBy };
}

function jsonReply(status: number, value: unknown, headers: readonly [string, string][] = []): LocalReply {
  return { status, headers: [['content-type', 'application/json'], ...headers], body: encodeJson(value) };
}
