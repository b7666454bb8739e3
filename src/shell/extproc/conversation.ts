import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { bodyOf, decodeRequest, encodeBeforeBody, encodeResponse } from './codec.ts';
import type { ProcessingRequest, ProcessingResponse } from './codec.ts';
import { FrameReader, FramingError, frame, frameStart } from './framing.ts';
import { GrpcStatus, trailersOf } from './status.ts';
import type { GrpcCode } from './status.ts';

/** One HTTP request's conversation with Envoy. */
export interface ProcessStream {
  /** Metadata that the filter's configuration sends with each stream. */
  metadata(name: string): string | undefined;
  /** Several answers go in one write. Ignored when the stream is over. */
  send(...responses: readonly ProcessingResponse[]): void;
  /** Runs something when all that was sent has been handed over; not at all where the stream ends before. */
  whenSent(run: () => void): void;
  /** Ends it in good order; Envoy goes on without asking. */
  close(): void;
  readonly isOpen: boolean;
}

/**
 * How a conversation ended: `closed` by Envoy in good order; `reset` by Envoy, its usual way; `lost` with the connection
 * or the whole Envoy; `failed` by us, for a broken message or a bug of the handler's.
 */
export type StreamEnd = 'closed' | 'reset' | 'lost' | 'failed';

export interface ProcessHandler {
  /** A message at a time, in order. What it throws ends this stream and no other. */
  onMessage(message: ProcessingRequest): void;
  /** Once, after the last message, whatever the way. */
  onEnd(how: StreamEnd): void;
}

export interface ConversationOptions {
  readonly maxMessageBytes: number;
  readonly onStream: (stream: ProcessStream) => ProcessHandler;
  readonly onError: (error: unknown) => void;
  /** Whether the connection broke, rather than this one stream. */
  readonly isLost: () => boolean;
}

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };
const HEAD_OPTIONS = { waitForTrailers: true, sendDate: false };

/** From here on, a write of its own costs less than a copy. */
const LARGE_BODY_BYTES = 65_536;

/** A gRPC stream of messages both ways: frames in, messages to the handler, answers out, and exactly one end. */
export class Conversation implements ProcessStream {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #options: ConversationOptions;
  readonly #reader: FrameReader;
  #handler: ProcessHandler | undefined;
  #code: GrpcCode = GrpcStatus.ok;
  #reason = '';
  #ended = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: ConversationOptions) {
    this.#stream = stream;
    this.#headers = headers;
    this.#options = options;
    this.#reader = new FrameReader(options.maxMessageBytes);
  }

  /** Makes the handler and begins to read. */
  start(): void {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('end', () => this.#onHalfClose());
    stream.on('close', () => this.#end(this.#options.isLost() ? 'lost' : 'reset'));
    try {
      this.#handler = this.#options.onStream(this);
    } catch (error) {
      this.#fail(error, GrpcStatus.internal);
    }
  }

  get isOpen(): boolean {
    return !this.#ended && this.#stream.writable;
  }

  metadata(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === 'string' ? value : value?.[0];
  }

  send(...responses: readonly ProcessingResponse[]): void {
    if (!this.isOpen) return;
    this.#openHead();
    if (responses.some((response) => (bodyOf(response)?.length ?? 0) >= LARGE_BODY_BYTES)) return this.#sendParts(responses);
    this.#stream.write(responses.length === 1 && responses[0] !== undefined ? frame(encodeResponse(responses[0])) : frame(...responses.map(encodeResponse)));
  }

  /** A large body goes as it is, without a copy of it. */
  #sendParts(responses: readonly ProcessingResponse[]): void {
    this.#stream.cork();
    for (const response of responses) {
      const body = bodyOf(response);
      if (body === undefined) this.#stream.write(frame(encodeResponse(response)));
      else {
        this.#stream.write(frameStart(encodeBeforeBody(body), body.length));
        this.#stream.write(body);
      }
    }
    this.#stream.uncork();
  }

  whenSent(run: () => void): void {
    if (this.#stream.writableNeedDrain) this.#stream.once('drain', run);
    else run();
  }

  close(): void {
    if (!this.#stream.writable) return;
    this.#openHead();
    this.#stream.end();
  }

  /** With the first answer rather than at once, so that both are one write. */
  #openHead(): void {
    if (this.#stream.headersSent) return;
    this.#stream.on('wantTrailers', () => this.#stream.sendTrailers(trailersOf(this.#code, this.#reason)));
    this.#stream.respond(HEAD, HEAD_OPTIONS);
  }

  #onData(chunk: Buffer): void {
    if (this.#ended) return;
    try {
      this.#reader.push(chunk, (bytes) => this.#onFrame(bytes));
    } catch (error) {
      this.#fail(error, error instanceof FramingError ? error.code : GrpcStatus.internal);
    }
  }

  #onFrame(bytes: Buffer): void {
    if (this.#ended) return;
    let message: ProcessingRequest;
    try {
      message = decodeRequest(bytes);
    } catch (cause) {
      throw new FramingError(`a message could not be read: ${(cause as Error).message}`, GrpcStatus.invalidArgument);
    }
    this.#handler?.onMessage(message);
  }

  #onHalfClose(): void {
    if (this.#reader.isEmpty || this.#ended) this.#end('closed');
    else this.#fail(new FramingError('the stream ended in the middle of a message', GrpcStatus.invalidArgument), GrpcStatus.invalidArgument);
    this.close();
  }

  /** A bug's message stays here: it could quote what it choked on. */
  #fail(error: unknown, code: GrpcCode): void {
    this.#code = code;
    this.#reason = error instanceof FramingError ? error.message : 'the handler of this stream failed';
    this.#options.onError(error);
    this.#end('failed');
    this.close();
  }

  #end(how: StreamEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    try {
      this.#handler?.onEnd(how);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
