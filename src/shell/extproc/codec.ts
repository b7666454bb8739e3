import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { Type } from 'protobufjs';

/** A header as Envoy sends it; the value is in `rawValue`, or in `value` with older ones. */
export interface HeaderValue {
  readonly key: string;
  readonly value?: string;
  readonly rawValue?: Uint8Array;
}

export interface HttpHeaders {
  readonly headers?: { readonly headers?: readonly HeaderValue[] };
  readonly endOfStream?: boolean;
}

export interface HttpBody {
  readonly body?: Uint8Array;
  readonly endOfStream?: boolean;
}

/** google.protobuf.Value, as far as attributes and metadata use it. */
export interface StructValue {
  readonly stringValue?: string;
  readonly numberValue?: number;
  readonly boolValue?: boolean;
  readonly structValue?: Struct;
}

/** google.protobuf.Struct */
export interface Struct {
  readonly fields?: Readonly<Record<string, StructValue>>;
}

/** One message from Envoy: one of the phases, with attributes on the first of each direction. */
export interface ProcessingRequest {
  readonly requestHeaders?: HttpHeaders;
  readonly responseHeaders?: HttpHeaders;
  readonly requestBody?: HttpBody;
  readonly responseBody?: HttpBody;
  readonly requestTrailers?: object;
  readonly responseTrailers?: object;
  readonly attributes?: Readonly<Record<string, Struct>>;
  /** On the first message; Envoy's before 1.34 do not send it. */
  readonly protocolConfig?: { readonly responseBodyMode?: number };
}

/** envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode: chunks are answered by chunks, as many and as long as one likes, and by the end. */
export const FULL_DUPLEX_STREAMED = 4;

/** envoy.config.core.v3.HeaderValueOption.HeaderAppendAction */
export const APPEND = 0;
export const OVERWRITE = 2;

export interface HeaderMutation {
  readonly setHeaders?: readonly { readonly header: { readonly key: string; readonly rawValue: Uint8Array }; readonly appendAction: number }[];
  readonly removeHeaders?: readonly string[];
}

export interface CommonResponse {
  readonly headerMutation?: HeaderMutation;
  readonly bodyMutation?:
    | { readonly body: Uint8Array }
    | { readonly clearBody: true }
    | { readonly streamedResponse: { readonly body: Uint8Array; readonly endOfStream: boolean } };
  readonly clearRouteCache?: boolean;
}

/** One answer to one message. */
export type ProcessingResponse =
  | { readonly requestHeaders: { readonly response?: CommonResponse }; /** By namespace. */ readonly dynamicMetadata?: Struct }
  | { readonly responseHeaders: { readonly response?: CommonResponse } }
  | { readonly requestBody: { readonly response?: CommonResponse } }
  | { readonly responseBody: { readonly response?: CommonResponse } }
  | { readonly requestTrailers: object }
  | { readonly responseTrailers: object }
  | { readonly immediateResponse: ImmediateResponse };

export interface ImmediateResponse {
  readonly status: { readonly code: number };
  readonly headers?: HeaderMutation;
  readonly body: Uint8Array;
  readonly details: string;
}

const PROTO = fileURLToPath(new URL('../../../proto/envoy/service/ext_proc/v3/external_processor.proto', import.meta.url));

const root = protobuf.loadSync(PROTO);
const requestType: Type = root.lookupType('envoy.service.ext_proc.v3.ProcessingRequest');
const responseType: Type = root.lookupType('envoy.service.ext_proc.v3.ProcessingResponse');

/** From the inside: BodyMutation.body, CommonResponse.body_mutation, BodyResponse.response, ProcessingResponse.request_body. */
const BODY_FIELDS = [1, 3, 1, 3];

/** The wire type of bytes and messages. https://protobuf.dev/programming-guides/encoding/ */
const LENGTH_DELIMITED = 2;

/** Throws on bytes that are not the message. */
export function decodeRequest(bytes: Uint8Array): ProcessingRequest {
  return requestType.decode(bytes) as unknown as ProcessingRequest;
}

export function encodeResponse(response: ProcessingResponse): Uint8Array {
  return responseType.encode(response as Record<string, unknown>).finish();
}

/** A request's body that takes the place of the one that came. */
export function bodyOf(response: ProcessingResponse): Uint8Array | undefined {
  const mutation = 'requestBody' in response ? response.requestBody.response?.bodyMutation : undefined;
  return mutation !== undefined && 'body' in mutation ? mutation.body : undefined;
}

/** What stands before that body, which is the last of its message: it need not be copied into one. */
export function encodeBeforeBody(body: Uint8Array): Uint8Array {
  const fields: number[] = [];
  let { length } = body;
  for (const id of BODY_FIELDS) {
    const tag = protobuf.Writer.create()
      .uint32((id << 3) | LENGTH_DELIMITED)
      .uint32(length)
      .finish();
    fields.unshift(...tag);
    length += tag.length;
  }
  return Uint8Array.from(fields);
}

/** For tests and load generators, which play Envoy. */
export function encodeRequest(request: ProcessingRequest): Uint8Array {
  return requestType.encode(request as unknown as Record<string, unknown>).finish();
}

export function decodeResponse(bytes: Uint8Array): ProcessingResponse {
  return responseType.decode(bytes) as unknown as ProcessingResponse;
}
