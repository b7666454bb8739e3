/**
 * Google's model of errors: a status from a short list that every API of theirs shares, and typed details.
 * Source: google/rpc/code.proto, google/rpc/error_details.proto; Google Cloud API Design Guide, "Errors".
 */
export type RpcStatus =
  | 'CANCELLED'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ABORTED'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED'
  | 'UNKNOWN';

/** The HTTP statuses that Google's APIs answer with, and the status that the body then names. */
const STATUSES: ReadonlyMap<number, RpcStatus> = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [409, 'ABORTED'],
  [413, 'INVALID_ARGUMENT'],
  [429, 'RESOURCE_EXHAUSTED'],
  [499, 'CANCELLED'],
  [500, 'INTERNAL'],
  [501, 'UNIMPLEMENTED'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
]);

/** The status in words of an HTTP status. */
export function rpcStatusOf(status: number): RpcStatus {
  return STATUSES.get(status) ?? (status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT');
}

/** Whether Google's APIs answer with this HTTP status at all. */
export function isGoogleStatus(status: number): boolean {
  return STATUSES.has(status);
}

/** Where the codes of ours come from, in `ErrorInfo`. */
const DOMAIN = 'airmesh';

const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/** An error as the body of an answer, or as an event in a stream. */
export interface RpcError {
  /** The HTTP status. */
  readonly code: number;
  readonly status: RpcStatus;
  readonly message: string;
  /** A code in lower case with underscores; `ErrorInfo` wants capitals. */
  readonly reason?: string;
  readonly param?: string;
  readonly retryAfterS?: number;
  readonly requestId?: string;
}

export function errorValue({ code, status, message, reason, param, retryAfterS, requestId }: RpcError): Readonly<Record<string, unknown>> {
  const details = [
    ...(reason === undefined ? [] : [detail('ErrorInfo', { reason: reason.toUpperCase(), domain: DOMAIN, metadata: {} })]),
    ...(param === undefined ? [] : [detail('BadRequest', { fieldViolations: [{ field: param, description: message }] })]),
    ...(retryAfterS === undefined ? [] : [detail('RetryInfo', { retryDelay: `${retryAfterS}s` })]),
    ...(requestId === undefined ? [] : [detail('RequestInfo', { requestId })]),
  ];
  return { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } };
}

function detail(type: string, value: object): Readonly<Record<string, unknown>> {
  return { '@type': `${TYPE_PREFIX}${type}`, ...value };
}
