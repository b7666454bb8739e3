import { encodeJson } from '../../json/index.ts';
import type { ListedModel, LocalReply, Refusal, RefusalCode } from '../types.ts';
import { errorValue } from './rpc.ts';
import type { RpcStatus } from './rpc.ts';

/** Google's coarse status of each refusal; the reason in `ErrorInfo` says which one it is. */
const STATUSES: Readonly<Record<RefusalCode, RpcStatus>> = {
  invalid_json: 'INVALID_ARGUMENT',
  invalid_body: 'INVALID_ARGUMENT',
  invalid_value: 'INVALID_ARGUMENT',
  unsupported_content_type: 'INVALID_ARGUMENT',
  unsupported_content_encoding: 'INVALID_ARGUMENT',
  unsupported_state: 'FAILED_PRECONDITION',
  not_translatable: 'INVALID_ARGUMENT',
  operation_not_supported: 'UNIMPLEMENTED',
  object_not_found: 'NOT_FOUND',
  request_too_large: 'INVALID_ARGUMENT',
  empty_body: 'INVALID_ARGUMENT',
  headers_too_large: 'INVALID_ARGUMENT',
  host_mismatch: 'INVALID_ARGUMENT',
  unauthenticated: 'UNAUTHENTICATED',
  upgrade_refused: 'PERMISSION_DENIED',
  method_not_allowed: 'UNIMPLEMENTED',
  endpoint_not_supported: 'NOT_FOUND',
  stateful_endpoint_refused: 'PERMISSION_DENIED',
  model_not_found: 'NOT_FOUND',
  model_not_allowed: 'PERMISSION_DENIED',
  price_unknown: 'PERMISSION_DENIED',
  cost_unbounded: 'PERMISSION_DENIED',
  budget_exhausted: 'RESOURCE_EXHAUSTED',
  budget_too_small_for_call: 'RESOURCE_EXHAUSTED',
  budget_wait_timeout: 'RESOURCE_EXHAUSTED',
  rate_limit_exceeded: 'RESOURCE_EXHAUSTED',
  too_many_waiting: 'RESOURCE_EXHAUSTED',
  budget_unavailable: 'UNAVAILABLE',
  no_provider_available: 'UNAVAILABLE',
  provider_key_missing: 'UNAVAILABLE',
  too_many_large_requests: 'UNAVAILABLE',
  sidecar_overloaded: 'UNAVAILABLE',
  processor_unavailable: 'UNAVAILABLE',
  provider_unreachable: 'UNAVAILABLE',
  provider_untrusted: 'UNAVAILABLE',
  merged_call_failed: 'UNAVAILABLE',
  provider_timeout: 'DEADLINE_EXCEEDED',
  internal_error: 'INTERNAL',
};

/** What a listed model can be asked for. The list does not say what a model is; the names of those that embed do. */
const CHAT_METHODS: readonly string[] = ['generateContent', 'countTokens'];
const EMBEDDING_METHODS: readonly string[] = ['embedContent', 'batchEmbedContents'];

/**
 * A refusal in Google's form. Their SDKs retry by status alone and only where they are told to; other clients obey
 * `RetryInfo` or the headers. Source: `ApiError` of `@google/genai`; google/rpc/error_details.proto.
 */
export function refusal(reason: Refusal, requestId: string): LocalReply {
  const retryAfterS = reason.retryAfterS === undefined ? undefined : Math.max(0, Math.ceil(reason.retryAfterS));
  const headers: [string, string][] = [
    ['x-request-id', requestId],
    ['x-should-retry', String(reason.shouldRetry)],
  ];
  if (retryAfterS !== undefined) headers.push(['retry-after', String(retryAfterS)]);
  const value = errorValue({
    code: reason.status,
    status: STATUSES[reason.code],
    message: reason.message,
    reason: reason.code,
    ...(reason.param === undefined ? {} : { param: reason.param }),
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
    requestId,
  });
  return jsonReply(reason.status, value, headers);
}

/** The answer to `GET /v1beta/models`, on one page. */
export function modelsList(models: readonly ListedModel[]): LocalReply {
  return jsonReply(200, { models: models.map(modelObject) });
}

/** The answer to `GET /v1beta/models/{model}`. */
export function modelItem(model: ListedModel): LocalReply {
  return jsonReply(200, modelObject(model));
}

/** Source: Gemini API reference, "Model". Limits are left out, as they are not known here. */
function modelObject({ id, ownedBy }: ListedModel): Readonly<Record<string, unknown>> {
  return {
    name: `models/${id}`,
    displayName: id,
    description: `Provided by ${ownedBy}.`,
    supportedGenerationMethods: /embed/i.test(id) ? EMBEDDING_METHODS : CHAT_METHODS,
  };
}

function jsonReply(status: number, value: unknown, headers: readonly [string, string][] = []): LocalReply {
  return { status, headers: [['content-type', 'application/json'], ...headers], body: encodeJson(value) };
}
