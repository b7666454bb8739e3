import type { NeutralError, NeutralErrorKind } from '../../neutral.ts';
import type { LocalReply } from '../../types.ts';
import { errorReply } from '../error.ts';
import type { ErrorObject, ErrorType } from '../error.ts';

const TYPES: Readonly<Record<NeutralErrorKind, ErrorType>> = {
  invalid_request: 'invalid_request_error',
  authentication: 'authentication_error',
  permission: 'permission_error',
  not_found: 'not_found_error',
  request_too_large: 'request_too_large',
  rate_limit: 'rate_limit_error',
  quota: 'billing_error',
  overloaded: 'overloaded_error',
  timeout: 'timeout_error',
  content_filter: 'invalid_request_error',
  server_error: 'api_error',
};

/** What Anthropic answers where it found no status of its own. */
const FALLBACK_STATUS = 500;

/** A provider's error in Anthropic's form. Source: `ErrorResponse` of `@anthropic-ai/sdk`. */
export function writeError(error: NeutralError, requestId: string): LocalReply {
  return errorReply(errorStatus(error.status), errorObject(error), requestId, [['request-id', requestId]]);
}

/** The `error` member of an error's body, and of an error event. */
export function errorObject({ kind, status, message, code, param }: NeutralError): ErrorObject {
  // Anthropic's own spend limits come with a 429 and this type.
  const type = kind === 'quota' && status === 429 ? 'rate_limit_error' : TYPES[kind];
  if (code === undefined && param === undefined) return { type, message };
  return { type, message, details: { ...(code === undefined ? {} : { error_code: code }), ...(param === undefined ? {} : { param }) } };
}

/** Statuses of errors mean the same in all dialects; the official SDKs make a class of each. */
export function errorStatus(status: number): number {
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : FALLBACK_STATUS;
}
