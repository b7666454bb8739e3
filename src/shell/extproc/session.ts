import { begin } from '../../core/call/index.ts';
import type { AnswerHead, CallPorts, Forwarded, ForwardedCall, IncomingRequest, LocalAnswer, Replied } from '../../core/call/index.ts';
import { BACKEND_HEADER, REFUSAL_DETAILS, WORKLOAD_METADATA } from '../../core/envoyconfig/index.ts';
import type { LocalReply } from '../../core/dialects/index.ts';
import { APPEND, OVERWRITE } from './codec.ts';
import type { AttributeValue, HeaderMutation, HttpBody, HttpHeaders, ProcessingRequest } from './codec.ts';
import type { ProcessHandler, ProcessStream } from './transport.ts';

export interface SessionOptions {
  readonly ports: CallPorts;
  /** A bug: the call was answered or settled all the same. */
  readonly onError: (error: unknown) => void;
}

/**
 * One HTTP request's conversation with Envoy, in the order in which a call flows: the request (its body, or its headers
 * where it has none) → a verdict; the answer's headers; the answer's chunks; the end. The one place that orders, awaits
 * and ends: whatever way it is left, the call is settled once.
 */
export class Session implements ProcessHandler {
  readonly #stream: ProcessStream;
  readonly #options: SessionOptions;
  #id: string | undefined;
  #call: ForwardedCall | undefined;
  #ended = false;

  constructor(stream: ProcessStream, options: SessionOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  onMessage(message: ProcessingRequest): void {
    if (message.requestBody) void this.#decide(message, message.requestBody);
    else if (message.requestHeaders) void this.#decide(message, undefined);
    else if (message.responseHeaders) this.#answerHead(message.responseHeaders, attributesOf(message));
    else if (message.responseBody) this.#answerBody(message.responseBody);
    else if (message.requestTrailers) this.#stream.send({ requestTrailers: {} });
    else if (message.responseTrailers) this.#stream.send({ responseTrailers: {} });
  }

  onEnd(): void {
    this.#ended = true;
    if (this.#call !== undefined) this.#call.end('closed');
    else if (this.#id !== undefined) this.#options.ports.budgets.cancel(this.#id);
  }

  async #decide(message: ProcessingRequest, body: HttpBody | undefined): Promise<void> {
    const { ports, onError } = this.#options;
    this.#id = ports.newId();
    let decision: Replied | Forwarded;
    try {
      decision = await begin(this.#id, incomingRequest(this.#stream, message, body), ports);
    } catch (error) {
      onError(error);
      this.#stream.send({ immediateResponse: { status: { code: 500 }, headers: headerMutation([JSON_CONTENT], []), body: INTERNAL_ERROR, details: REFUSAL_DETAILS } });
      return;
    }
    if (decision.kind === 'reply') return this.#reply(decision.reply);
    if (this.#ended) return decision.call.end('unsent');
    this.#call = decision.call;
    const { instructions } = decision;
    const mutation: HeaderMutation = headerMutation(
      [...instructions.setHeaders, [BACKEND_HEADER, instructions.providerId], [':path', instructions.path]],
      instructions.removeHeaders,
      instructions.appendHeaders,
    );
    const bodyMutation = instructions.body === undefined ? {} : { bodyMutation: { body: instructions.body } };
    const response = { headerMutation: mutation, clearRouteCache: true, ...bodyMutation };
    this.#stream.send(body === undefined ? { requestHeaders: { response } } : { requestBody: { response } });
  }

  #reply(reply: LocalReply): void {
    const details = REFUSAL_DETAILS;
    this.#stream.send({ immediateResponse: { status: { code: reply.status }, headers: headerMutation(reply.headers, []), body: reply.body, details } });
  }

  #answerHead(headers: HttpHeaders, attributes: ReadonlyMap<string, string>): void {
    const head = answerHead(headers, attributes.get('response.code_details'));
    const set = this.#call?.onAnswerHead(head) ?? [];
    this.#stream.send({ responseHeaders: set.length === 0 ? {} : { response: { headerMutation: headerMutation(set, []) } } });
    if (headers.endOfStream === true) this.#call?.end('complete');
  }

  #answerBody(chunk: HttpBody): void {
    const bytes = chunk.body ?? NO_BYTES;
    const end = chunk.endOfStream === true;
    const out = this.#call === undefined ? bytes : this.#call.onAnswerBody(bytes, end);
    if (out === bytes) this.#stream.send({ responseBody: {} });
    else this.#stream.send({ responseBody: { response: { bodyMutation: out.length === 0 ? { clearBody: true } : { body: out } } } });
    if (end) this.#call?.end('complete');
  }
}

const NO_BYTES = new Uint8Array(0);
const JSON_CONTENT = ['content-type', 'application/json'] as const;
const INTERNAL_ERROR = Buffer.from(
  JSON.stringify({ error: { message: 'The policy processor failed on this call; it was not sent on. This is a bug of ours.', type: 'server_error', param: null, code: 'internal_error' } }),
);

function incomingRequest(stream: ProcessStream, message: ProcessingRequest, body: HttpBody | undefined): IncomingRequest {
  const attributes = attributesOf(message);
  const headers = new Map<string, string>();
  let path = attributes.get('request.path');
  let method = attributes.get('request.method');
  for (const [name, value] of attributes) {
    const header = /^request\.headers\['(.+)'\]$/.exec(name)?.[1];
    if (header !== undefined && value !== '') headers.set(header, value);
  }
  for (const { key, rawValue, value } of message.requestHeaders?.headers?.headers ?? []) {
    const text = rawValue === undefined || rawValue.length === 0 ? (value ?? '') : Buffer.from(rawValue).toString('latin1');
    if (key === ':path') path ??= text;
    else if (key === ':method') method ??= text;
    else headers.set(key, text);
  }
  return { workload: stream.metadata(WORKLOAD_METADATA) ?? '', method: method ?? '', path: path ?? '', body: body?.body, headers };
}

/** The attributes of all filters in one map; they have names of their own. */
function attributesOf(message: ProcessingRequest): Map<string, string> {
  const values = new Map<string, string>();
  for (const struct of Object.values(message.attributes ?? {})) {
    for (const [name, value] of Object.entries(struct.fields ?? {})) values.set(name, textOf(value));
  }
  return values;
}

function textOf(value: AttributeValue): string {
  return String(value.stringValue ?? value.numberValue ?? value.boolValue ?? '');
}

function answerHead(message: HttpHeaders, codeDetails: string | undefined): AnswerHead {
  let status = 0;
  let contentType: string | undefined;
  for (const { key, rawValue, value } of message.headers?.headers ?? []) {
    if (key !== ':status' && key !== 'content-type') continue;
    const text = rawValue === undefined || rawValue.length === 0 ? (value ?? '') : Buffer.from(rawValue).toString('latin1');
    if (key === ':status') status = Number(text);
    else contentType = text;
  }
  return { status, contentType, local: localAnswer(codeDetails) };
}

/**
 * Why Envoy answered by itself, from its response code details; `via_upstream` is the provider's own answer.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details
 */
function localAnswer(details: string | undefined): LocalAnswer | undefined {
  if (details === undefined || details === '' || details === 'via_upstream') return undefined;
  if (/timeout/.test(details) && !/connection_timeout/.test(details)) return 'timeout';
  if (/^upstream_reset_before_response_started/.test(details)) return /connection_failure|connection_timeout|overflow/.test(details) ? 'unreachable' : 'reset';
  if (/no_healthy_upstream|cluster_not_found|maintenance_mode|overload/.test(details)) return 'unreachable';
  return 'reset';
}

function headerMutation(
  set: readonly (readonly [name: string, value: string])[],
  remove: readonly string[],
  append: readonly (readonly [name: string, value: string])[] = [],
): HeaderMutation {
  const option = ([key, value]: readonly [string, string], appendAction: number) => ({ header: { key, rawValue: Buffer.from(value, 'latin1') }, appendAction });
  return { setHeaders: [...set.map((pair) => option(pair, OVERWRITE)), ...append.map((pair) => option(pair, APPEND))], removeHeaders: remove };
}
