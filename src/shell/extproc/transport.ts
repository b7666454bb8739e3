import { createServer } from 'node:http2';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { Conversation } from './conversation.ts';
import type { ConversationOptions, ProcessHandler, ProcessStream } from './conversation.ts';
import { clearSocketFile, forAll, ownerOnly } from './socketfile.ts';
import { GrpcStatus, trailersOf } from './status.ts';

export interface ExtProcServerOptions {
  /**
   * A path, or a TCP port on the loopback interface. `isForAll`: who can reach the folder may open the socket, whatever user that
   * is; whoever mounts the folder decides who that is.
   */
  readonly listen: { readonly socketPath: string; readonly isForAll?: boolean } | { readonly host: string; readonly port: number };
  /** One message can hold a whole body, and a little more. */
  readonly maxMessageBytes: number;
  readonly onStream: (stream: ProcessStream) => ProcessHandler;
  /** A bug in a handler, or a peer that breaks the protocol; that stream or connection has been ended. */
  readonly onError: (error: unknown) => void;
}

const PROCESS_PATH = '/envoy.service.ext_proc.v3.ExternalProcessor/Process';

/** What one stream may have under way towards us without waiting for window updates: most bodies. */
const STREAM_WINDOW_BYTES = 16 * 1024 * 1024;

/** What all streams of a connection may together. Below the sum of theirs, so that memory stays bounded. */
const CONNECTION_WINDOW_BYTES = 256 * 1024 * 1024;

/** Fewer and larger frames of a large body; a small message never fills one. */
const FRAME_BYTES = 1024 * 1024;

/** Memory that node:http2 may hold for one connection, in megabytes; its default of 10 would end it under large bodies. */
const SESSION_MEMORY_MB = 1024;

/** Streams at once on a connection; Envoy opens another one beyond. */
const MAX_STREAMS = 100_000;

/**
 * Envoy ends the stream of every request with RST_STREAM, which node:http2 takes for an attack beyond 1,000 in a burst
 * and 33 a second: it would close the connection, and the calls in flight on it would fail. The peer is our own Envoy
 * on a socket that only it can open.
 */
const RESETS = { streamResetBurst: 1_000_000_000, streamResetRate: 1_000_000_000 };

/** A gRPC server for one method, on bare node:http2: a gRPC library costs 15 to 30% more for each call. */
export class ExtProcServer {
  readonly #options: ExtProcServerOptions;
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(options: ExtProcServerOptions) {
    this.#options = options;
    this.#server = createServer({
      ...RESETS,
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxFrameSize: FRAME_BYTES, maxConcurrentStreams: MAX_STREAMS, enablePush: false },
      maxSessionMemory: SESSION_MEMORY_MB,
    });
    this.#server.on('session', (session) => this.#keep(session));
    this.#server.on('stream', (stream, headers) => this.#accept(stream as unknown as ServerHttp2Stream, headers)); // The declared type is a client's.
  }

  /** Rejects where the address is taken. A socket file that nobody listens on any more is replaced; only its owner can open it, if nothing else is said. */
  async listen(): Promise<void> {
    const { listen, onError } = this.#options;
    if ('socketPath' in listen) await clearSocketFile(listen.socketPath);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.once('listening', () => {
        this.#server.off('error', reject);
        this.#server.on('error', onError);
        resolve();
      });
      if ('socketPath' in listen) (listen.isForAll === true ? forAll : ownerOnly)(() => this.#server.listen({ path: listen.socketPath }));
      else this.#server.listen(listen);
    });
  }

  /** The port where it listens on TCP. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  /** Takes no new streams, lets those that run end, and breaks what is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const session of this.#sessions) session.close();
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  #keep(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.on('error', this.#options.onError);
    session.on('close', () => this.#sessions.delete(session));
  }

  #accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => undefined); // 'close' follows, and says all that matters.
    if (headers[':path'] !== PROCESS_PATH) {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', ...trailersOf(GrpcStatus.unimplemented, `there is only ${PROCESS_PATH} here`) },
        { endStream: true },
      );
      return;
    }
    const { session } = stream;
    const { maxMessageBytes, onStream, onError } = this.#options;
    const options: ConversationOptions = {
      maxMessageBytes,
      onStream,
      onError,
      isLost: () => session === undefined || session.destroyed || session.socket.destroyed,
    };
    new Conversation(stream, headers, options).start();
  }
}
