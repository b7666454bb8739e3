/** The gRPC status codes that this server ends a stream with. https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const GrpcStatus = { ok: 0, invalidArgument: 3, resourceExhausted: 8, unimplemented: 12, internal: 13 } as const;

export type GrpcCode = (typeof GrpcStatus)[keyof typeof GrpcStatus];

/** A status as the trailers that end a gRPC stream; its message percent-encoded, as the protocol wants it. */
export function trailersOf(code: GrpcCode, message: string): Record<string, string> {
  return message === '' ? { 'grpc-status': String(code) } : { 'grpc-status': String(code), 'grpc-message': encodeURIComponent(message) };
}
