import { abandon, begin, overloadRefusal, refuseBody, refuseStranger } from '../../core/call/index.ts';
import type {
  AnswerChanges,
  AnswerHead,
  CallPorts,
  ExchangeEnd,
  Forwarded,
  ForwardedCall,
  IncomingRequest,
  LocalAnswer,
  Replied,
  Room,
} from '../../core/call/index.ts';
import {
  BACKEND_HEADER,
  BODY_HEADER,
  CALLER_KEY_HEADER,
  FRONT_METADATA,
  OWN_KEY,
  PASSED_METADATA,
  PASS_HEADER,
  WORKLOAD_METADATA,
  isAskedByHeaders,
} from '../../core/envoyconfig/index.ts';
import { FULL_DUPLEX_STREAMED } from './codec.ts';
import type { HeaderMutation, HttpBody, HttpHeaders, ProcessingRequest, Struct, StructValue } from './codec.ts';
import type { ProcessHandler, ProcessStream } from './conversation.ts';
import { headerMutation, headerOf, immediateAnswer, incomingRequest, valueOf } from './headers.ts';
import { byListener } from './identify.ts';
import type { Credentials, Identify } from './identify.ts';

export interface SessionOptions {
  readonly ports: CallPorts;
  /** By the listener, if nothing is said. */
  readonly identify?: Identify;
  /** Lower-case names of headers that prove who calls; what governs a call never sees them. */
  readonly credentialHeaders?: ReadonlySet<string>;
  /** Where large bodies have their room until their calls have ended. */
  readonly room: Room;
  /** A call went on whose caller had sent a key of its own, which was removed. `provider`: `namespace/name` of its AIProvider. */
  readonly onOwnKey?: (provider: string) => void;
  /** Told of a provider that a call goes to: a pass, where it goes on through an Envoy that asks as well; `undefined`: nobody asks again. */
  readonly passTo?: (provider: string) => Pass | undefined;
  /** Whether a word is that of a pass: its call is another session's, and here it goes on as it is. */
  readonly isPass?: (word: string) => boolean;
  /** A bug: the call was answered or settled all the same. */
  readonly onError: (error: unknown) => void;
}

/** For one call, by a word. */
export interface Pass {
  readonly word: string;
  /** Nobody passes by it any more. */
  end(): void;
}

/**
 * One HTTP request's conversation with Envoy, in the order in which a call flows: the request's headers and, right behind
 * them in one message, its whole body → a verdict for both; the answer's headers; the answer's chunks; the end. The one
 * place that orders, awaits and ends: whatever way it is left, the call is settled once.
 * docs/decisions/0001-phases.md
 */
export class Session implements ProcessHandler {
  readonly #stream: ProcessStream;
  readonly #options: SessionOptions;
  /** Kept until the body is there, which is what the verdict needs. */
  #requestHeaders: HttpHeaders | undefined;
  #attributes: ReadonlyMap<string, string> = NO_ATTRIBUTES;
  #id: string | undefined;
  #call: ForwardedCall | undefined;
  /** Chunks are answered by chunks of ours, the last of which ends the answer, and with it what the provider still sends. */
  #isDuplex = false;
  /** The answer was ended here; what was on its way meanwhile is nobody's. */
  #isOver = false;
  /** The answer has passed whole, and its call is about to be settled. */
  #isSettling = false;
  #ended = false;
  /** Whether it is governed by another session. */
  #isPassing = false;
  #pass: Pass | undefined;

  constructor(stream: ProcessStream, options: SessionOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  onMessage(message: ProcessingRequest): void {
    if (message.protocolConfig?.responseBodyMode === FULL_DUPLEX_STREAMED) this.#isDuplex = true;
    if (message.requestHeaders) this.#requestHead(message.requestHeaders, message);
    else if (message.requestBody) this.#requestBody(message.requestBody);
    else if (message.responseHeaders) this.#answerHead(message.responseHeaders, attributesOf(message));
    else if (message.responseBody) this.#answerBody(message.responseBody);
    else if (message.requestTrailers) this.#stream.send({ requestTrailers: {} });
    else if (message.responseTrailers) this.#answerTrailers();
  }

  onEnd(): void {
    this.#ended = true;
    this.#pass?.end();
    if (this.#isSettling) return;
    if (this.#call !== undefined) this.#call.end('closed');
    else if (this.#id !== undefined) abandon(this.#id, this.#options.ports);
  }

  #requestHead(headers: HttpHeaders, message: ProcessingRequest): void {
    this.#requestHeaders = headers;
    if (message.attributes !== undefined) this.#attributes = attributesOf(message);
    const word = headerOf(headers, PASS_HEADER);
    if (word !== '' && this.#options.isPass?.(word) === true) this.#letPass();
    else if (headers.endOfStream === true || isAskedByHeaders(headerOf(headers, ':method'), headerOf(headers, ':path'))) void this.#decide(undefined);
  }

  /** Its session chose the provider; here the way is chosen again. */
  #letPass(): void {
    this.#isPassing = true;
    const response = { headerMutation: headerMutation([], [PASS_HEADER]), clearRouteCache: true };
    this.#stream.send({ requestHeaders: { response }, dynamicMetadata: metadataOf(PASSED_METADATA, 'yes') });
  }

  #requestBody(body: HttpBody): void {
    if (this.#isPassing) this.#stream.send({ requestBody: {} });
    else void this.#decide(body);
  }

  async #decide(body: HttpBody | undefined): Promise<void> {
    const { ports, room, onError } = this.#options;
    this.#id = ports.newId();
    const bodyId = headerOf(this.#requestHeaders, BODY_HEADER);
    const smallerBytes = bodyId === '' ? (body?.body?.length ?? 0) : 0;
    if (!room.judge(smallerBytes)) {
      const request = { ...incomingRequest(this.#requestHeaders, body), workload: this.#stream.metadata(WORKLOAD_METADATA) ?? '' };
      return this.#stream.send(immediateAnswer(refuseBody(this.#id, request, overloadRefusal(room.limits), ports).reply));
    }
    let decision: Replied | Forwarded;
    try {
      decision = await this.#begin(this.#id, body);
    } catch (error) {
      onError(error);
      return this.#stream.send(immediateAnswer({ status: 500, headers: [JSON_CONTENT], body: INTERNAL_ERROR }));
    } finally {
      room.judged(smallerBytes);
    }
    if (decision.kind === 'reply') return this.#stream.send(immediateAnswer(decision.reply));
    if (headerOf(this.#requestHeaders, CALLER_KEY_HEADER) === OWN_KEY) this.#options.onOwnKey?.(decision.instructions.providerId);
    if (this.#ended) return decision.call.end('unsent');
    this.#call = decision.call;
    const { instructions } = decision;
    this.#pass = this.#options.passTo?.(instructions.providerId);
    const mutation: HeaderMutation = headerMutation(
      [
        ...instructions.setHeaders,
        [BACKEND_HEADER, instructions.providerId],
        [':path', instructions.path],
        ...(this.#pass === undefined ? [] : [[PASS_HEADER, this.#pass.word] as const]),
      ],
      instructions.removeHeaders,
      instructions.appendHeaders,
    );
    const headers = {
      requestHeaders: { response: { headerMutation: mutation, clearRouteCache: true } },
      dynamicMetadata: metadataOf(FRONT_METADATA, instructions.language),
    };
    if (body === undefined) return this.#stream.send(headers);
    const changed = instructions.body !== undefined && instructions.body !== body.body;
    this.#stream.send(headers, { requestBody: changed ? { response: { bodyMutation: { body: instructions.body } } } : {} });
    if (bodyId !== '') this.#stream.whenSent(() => room.sent(bodyId));
  }

  async #begin(id: string, body: HttpBody | undefined): Promise<Replied | Forwarded> {
    const { ports, identify = byListener, credentialHeaders } = this.#options;
    const request = incomingRequest(this.#requestHeaders, body);
    const identified = identify(credentialsOf(this.#stream, request, this.#attributes));
    const caller = identified instanceof Promise ? await identified : identified;
    const shown = credentialHeaders === undefined ? request : { ...request, headers: without(request.headers, credentialHeaders) };
    return caller.ok ? begin(id, { ...shown, workload: caller.value }, ports) : refuseStranger(id, shown, caller.error, ports);
  }

  #answerHead(headers: HttpHeaders, attributes: ReadonlyMap<string, string>): void {
    const head = { ...answerHead(headers, attributes.get('response.code_details')), canBeEnded: this.#isDuplex };
    const changes = this.#call?.onAnswerHead(head);
    this.#stream.send({ responseHeaders: changes === undefined ? {} : { response: { headerMutation: answerMutation(changes) } } });
    if (headers.endOfStream === true) this.#settle('complete');
  }

  #answerBody(chunk: HttpBody): void {
    // An absent field decodes to an empty array, which is no Uint8Array.
    if (this.#isOver) return;
    const bytes = chunk.body instanceof Uint8Array ? chunk.body : NO_BYTES;
    const end = chunk.endOfStream === true;
    const out = this.#call === undefined ? bytes : this.#call.onAnswerBody(bytes, end);
    if (this.#isDuplex) return this.#answerDuplex(out, end);
    if (out === bytes) this.#stream.send({ responseBody: {} });
    else this.#stream.send({ responseBody: { response: { bodyMutation: out.length === 0 ? { clearBody: true } : { body: out } } } });
    if (end) this.#settle('complete');
  }

  #answerDuplex(body: Uint8Array, end: boolean): void {
    const isCut = this.#call?.isCut === true;
    if (isCut || end) this.#settle(isCut ? 'cut' : 'complete');
    if (isCut) this.#isOver = true;
    if (body.length === 0 && !end && !isCut) return;
    this.#stream.send({ responseBody: { response: { bodyMutation: { streamedResponse: { body, endOfStream: end || isCut } } } } });
  }

  /** Trailers end an answer in the place of an empty last chunk. */
  #answerTrailers(): void {
    if (this.#isOver) return;
    const rest = this.#call?.onAnswerBody(NO_BYTES, true) ?? NO_BYTES;
    this.#settle('complete');
    if (this.#isDuplex && rest.length > 0)
      this.#stream.send({ responseBody: { response: { bodyMutation: { streamedResponse: { body: rest, endOfStream: false } } } } });
    this.#stream.send({ responseTrailers: {} });
  }

  /** As soon as the last of the answer is on its way, and before anything else is read: nobody waits for the books. */
  #settle(how: ExchangeEnd): void {
    const call = this.#call;
    if (call === undefined || this.#isSettling) return;
    this.#isSettling = true;
    setImmediate(() => {
      try {
        call.end(how);
      } catch (error) {
        this.#options.onError(error);
      }
    });
  }
}

const NO_BYTES = new Uint8Array(0);
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();
const JSON_CONTENT = ['content-type', 'application/json'] as const;
const INTERNAL_ERROR = Buffer.from(
  JSON.stringify({
    error: {
      message: 'The policy processor failed on this call; it was not sent on. This is a bug of ours.',
      type: 'server_error',
      param: null,
      code: 'internal_error',
    },
  }),
);

function credentialsOf(stream: ProcessStream, request: IncomingRequest, attributes: ReadonlyMap<string, string>): Credentials {
  return {
    metadata: (name) => stream.metadata(name),
    header: (name) => request.headers.get(name),
    path: request.path,
    attribute: (name) => attributes.get(name),
  };
}

const without = (headers: ReadonlyMap<string, string>, names: ReadonlySet<string>): ReadonlyMap<string, string> =>
  new Map([...headers].filter(([name]) => !names.has(name)));

/** For what Envoy has to say by itself later on, when the path is the provider's; and for its choice of a route. */
function metadataOf({ namespace, key }: { readonly namespace: string; readonly key: string }, value: string): Struct {
  return { fields: { [namespace]: { structValue: { fields: { [key]: { stringValue: value } } } } } };
}

/** The attributes of all filters in one map; they have names of their own. */
function attributesOf(message: ProcessingRequest): Map<string, string> {
  const values = new Map<string, string>();
  for (const struct of Object.values(message.attributes ?? {})) {
    for (const [name, value] of Object.entries(struct.fields ?? {})) values.set(name, textOf(value));
  }
  return values;
}

function textOf(value: StructValue): string {
  return String(value.stringValue ?? value.numberValue ?? value.boolValue ?? '');
}

function answerHead(message: HttpHeaders, codeDetails: string | undefined): AnswerHead {
  let status = 0;
  let contentType: string | undefined;
  let contentEncoding: string | undefined;
  let retryAfter: string | undefined;
  for (const header of message.headers?.headers ?? []) {
    if (header.key === ':status') status = Number(valueOf(header));
    else if (header.key === 'content-type') contentType = valueOf(header);
    else if (header.key === 'content-encoding') contentEncoding = valueOf(header);
    else if (header.key === 'retry-after') retryAfter = valueOf(header);
  }
  return { status, contentType, contentEncoding, retryAfter, local: localAnswer(codeDetails) };
}

/**
 * Why Envoy answered by itself, from its response code details; `via_upstream` is the provider's own answer.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details
 */
function localAnswer(details: string | undefined): LocalAnswer | undefined {
  if (details === undefined || details === '' || details === 'via_upstream') return undefined;
  if (/timeout/.test(details) && !/connection_timeout/.test(details)) return 'timeout';
  if (details.startsWith('upstream_reset_before_response_started'))
    return /connection_failure|connection_timeout|overflow/.test(details) ? 'unreachable' : 'reset';
  if (/no_healthy_upstream|cluster_not_found|maintenance_mode|overload/.test(details)) return 'unreachable';
  return 'reset';
}

function answerMutation({ status, set, remove }: AnswerChanges): HeaderMutation {
  return headerMutation(status === undefined ? set : [[':status', String(status)], ...set], remove);
}
