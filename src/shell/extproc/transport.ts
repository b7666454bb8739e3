import { chmodSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:http2';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { decodeRequest, encodeResponse } from './codec.ts';
import type { ProcessingRequest, ProcessingResponse } from './codec.ts';
import { FrameReader, FramingError, frame } from './framing.ts';

/** gRPC status codes. https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const STATUS = { ok: 0, invalidArgument: 3, unimplemented: 12, internal: 13 } as const;

const PROCESS_PATH = '/envoy.service.ext_proc.v3.ExternalProcessor/Process';

/** Large enough that a body of the default limit crosses without waiting for window updates. */
const WINDOW_BYTES = 16 * 1024 * 1024;

/**
 * Envoy ends the stream of every request with RST_STREAM, which node:http2 takes for an attack beyond 1,000 in a burst
 * and 33 a second: it would close the connection, and the calls in flight on it would fail. The peer is our own Envoy
 * on a socket that only it can open.
 */
const RESETS = { streamResetBurst: 1_000_000_000, streamResetRate: 1_000_000_000 };

/** One HTTP request's conversation with Envoy. */
export interface ProcessStream {
  /** Metadata that the filter's configuration sends with each stream. */
  metadata(name: string): string | undefined;
  /** Ignored when the stream is over. */
  send(response: ProcessingResponse): void;
  /** Ends it in good order; Envoy goes on without asking. */
  close(): void;
  readonly isOpen: boolean;
}

export interface ProcessHandler {
  onMessage(message: ProcessingRequest): void;
  /** Once, whatever the way: closed by Envoy, reset, or the connection lost. */
  onEnd(): void;
}

export interface ExtProcServerOptions {
  /** A path, or a TCP port on the loopback interface. */
  readonly listen: { readonly socketPath: string } | { readonly host: string; readonly port: number };
  /** One message can hold a whole buffered body. */
  readonly maxMessageBytes: number;
  readonly onStream: (stream: ProcessStream) => ProcessHandler;
  /** A bug in a handler, or a peer that breaks the protocol; that stream has been ended. */
  readonly onError: (error: unknown) => void;
}

/** A gRPC server for one method, on bare node:http2: a gRPC library costs 15 to 30% more for each call. */
export class ExtProcServer {
  readonly #options: ExtProcServerOptions;
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(options: ExtProcServerOptions) {
    this.#options = options;
    this.#server = createServer({
      ...RESETS,
      settings: { initialWindowSize: WINDOW_BYTES, maxConcurrentStreams: 1_000_000, enablePush: false },
      maxSessionMemory: 1024,
    });
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.setLocalWindowSize(WINDOW_BYTES);
      session.on('error', this.#options.onError);
      session.on('close', () => this.#sessions.delete(session));
    });
    this.#server.on('stream', (stream, headers) => this.#accept(stream as ServerHttp2Stream, headers));
  }

  /** Rejects where the address is taken. A socket file that nobody listens on any more is replaced. */
  async listen(): Promise<void> {
    const { listen } = this.#options;
    if ('socketPath' in listen) removeStale(listen.socketPath);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen('socketPath' in listen ? { path: listen.socketPath } : listen, () => {
        this.#server.off('error', reject);
        this.#server.on('error', this.#options.onError);
        resolve();
      });
    });
    if ('socketPath' in listen) chmodSync(listen.socketPath, 0o600);
  }

  /** The address where it listens on TCP. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  /** Takes no new streams, lets those that run end, and closes what is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  #accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => undefined); // 'close' follows, and says all that matters.
    if (headers[':path'] !== PROCESS_PATH) {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(STATUS.unimplemented) }, { endStream: true });
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    let status: number = STATUS.ok;
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));

    const fail = (error: unknown): void => {
      status = error instanceof FramingError ? error.grpcStatus : STATUS.internal;
      this.#options.onError(error);
      if (!stream.closed) stream.end();
    };
    const reader = new FrameReader(this.#options.maxMessageBytes);
    const handler = this.#options.onStream({
      metadata: (name) => singleValue(headers[name]),
      send: (response) => {
        if (!stream.closed && !stream.destroyed && stream.writable) stream.write(frame(encodeResponse(response)));
      },
      close: () => {
        if (!stream.closed && stream.writable) stream.end();
      },
      get isOpen() {
        return !stream.closed && !stream.destroyed;
      },
    });
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      try {
        handler.onEnd();
      } catch (error) {
        this.#options.onError(error);
      }
    };
    stream.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk, (message) => handler.onMessage(decodeRequest(message)));
      } catch (error) {
        fail(error);
        end();
      }
    });
    stream.on('end', () => {
      end();
      if (!stream.closed && stream.writable) stream.end();
    });
    stream.on('close', end);
  }
}

function singleValue(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

function removeStale(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

