import { Server, ServerCredentials, experimental } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Clock } from '../../core/call/index.ts';
import { err } from '../../core/units/index.ts';
import type { MonotonicMs, Result } from '../../core/units/index.ts';
import { clearSocketFile, ownerOnly } from '../extproc/index.ts';
import type { CertificateFiles } from './certificates.ts';
import { Connections } from './connections.ts';
import type { Authenticate } from './identity.ts';
import type { Dismissal, Identity, Violation } from './ports.ts';
import { MAX_MESSAGE_BYTES, protocolFault } from './protocol.ts';
import type { Serve, Service } from './service.ts';
import type { ShownCertificate } from './shown.ts';
import { Stream } from './stream.ts';

export interface WireServerParts {
  readonly services: readonly Service[];
  readonly clock: Clock;
  readonly authenticate: Authenticate;
  /** Why nobody can be served yet; `undefined`: all can. */
  readonly absence?: () => string | undefined;
  readonly tell: (event: Violation) => void;
}

/**
 * Where to listen: with TLS, where callers show a certificate, or prove by a token who they are where `callers` says that they may; or in plain text on a socket file that only its owner can open, or, for tests alone, on
 * the loopback interface.
 */
export type ListenAt =
  | {
      readonly host: string;
      readonly port: number;
      readonly certificates: CertificateFiles | ShownCertificate;
      readonly callers?: 'with certificates' | 'with certificates or tokens';
    }
  | { readonly socketPath: string }
  | { readonly plainTextPort: number };

/** A processor has two streams; one of each may be on its way out. */
const STREAMS_PER_CONNECTION = 8;
const KEEPALIVE_MS: MonotonicMs = 20_000;
const KEEPALIVE_ANSWER_MS: MonotonicMs = 10_000;
/** A connection without streams is closed: processors come back with a new one. */
const IDLE_MS: MonotonicMs = 60_000;
/** Streams whose credentials have ended are looked for so often. */
const EXPIRY_MS: MonotonicMs = 5_000;

const OPTIONS = {
  'grpc.enable_channelz': 0,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': STREAMS_PER_CONNECTION,
  'grpc.keepalive_time_ms': KEEPALIVE_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_ANSWER_MS,
  'grpc.max_connection_idle_ms': IDLE_MS,
};

type Call = ServerDuplexStream<Buffer, Buffer>;

/** A controller's port, over gRPC: who calls, and that nobody can make it wait, grow or fall. */
export class WireServer {
  readonly #parts: WireServerParts;
  readonly #server = new Server(OPTIONS);
  readonly #streams = new Map<Stream, Identity>();
  #connections: Connections | undefined;
  readonly #expiry: NodeJS.Timeout;

  constructor(parts: WireServerParts) {
    this.#parts = parts;
    for (const { method, serve } of parts.services.flatMap(({ methods }) => methods))
      this.#server.addService({ [method.path]: method }, { [method.path]: (call: Call) => void this.#accept(call, serve) });
    this.#expiry = setInterval(() => this.#endExpired(), EXPIRY_MS);
  }

  /** Rejects where the address is taken. Returns the port, of TCP. */
  async listen(at: ListenAt): Promise<number | undefined> {
    const credentials = 'certificates' in at ? tls(at.certificates, at.callers !== 'with certificates or tokens') : ServerCredentials.createInsecure();
    const injector = this.#server.createConnectionInjector(credentials);
    this.#connections = new Connections(
      () => this.#parts.clock.monotonicMs(),
      (socket) => injector.injectConnection(socket),
    );
    if (!('socketPath' in at))
      return this.#connections.listen('certificates' in at ? { host: at.host, port: at.port } : { host: '127.0.0.1', port: at.plainTextPort });
    await clearSocketFile(at.socketPath);
    return ownerOnly(() => this.#connections?.listen({ path: at.socketPath }));
  }

  /** Ends all streams, and breaks the connections that are left after `graceMs`. What is served is closed by its owner, before. */
  async close(graceMs: MonotonicMs): Promise<void> {
    clearInterval(this.#expiry);
    for (const stream of this.#streams.keys()) stream.end({ code: 'unavailable', message: 'this controller is stopping' });
    const closed = this.#connections?.close(graceMs);
    this.#server.tryShutdown(() => undefined);
    await closed;
    this.#server.forceShutdown();
  }

  /** Ends the streams of one processor: it is no more who it was. */
  dismiss(processor: string, why: Dismissal): void {
    for (const [stream, identity] of this.#streams) if (identity.processor === processor) stream.end(why);
  }

  async #accept(call: Call, serve: Serve): Promise<void> {
    const { clock, tell } = this.#parts;
    const disconnect = this.#connections?.calledBy() ?? (() => undefined);
    let leave = (): void => undefined;
    const stream: Stream = new Stream(
      call,
      () => clock.monotonicMs(),
      disconnect,
      () => {
        this.#streams.delete(stream);
        leave();
      },
    );
    const refuse = (why: Dismissal): void => {
      tell({ kind: 'violation', ...why });
      stream.end(why);
    };
    const fault = protocolFault(call.metadata, 'processor');
    if (fault !== undefined) return refuse({ code: 'protocol', message: fault });
    const absence = this.#parts.absence?.();
    if (absence !== undefined) return stream.end({ code: 'unavailable', message: absence });
    const identity = await this.#identify(call);
    if (!identity.ok) return refuse(identity.error);
    if (!stream.isOpen) return;
    this.#streams.set(stream, identity.value);
    leave = serve(stream, identity.value);
  }

  async #identify(call: Call): Promise<Result<Identity, Dismissal>> {
    const { authenticate, clock } = this.#parts;
    const metadata = (key: string): string | undefined => call.metadata.get(key)[0]?.toString();
    try {
      const identity = await authenticate({ certificate: call.getAuthContext().sslPeerCertificate?.raw, metadata }, clock.epochMs());
      return identity.ok ? identity : err({ code: 'unauthenticated', message: identity.error });
    } catch (error) {
      return err({ code: 'unavailable', message: `who calls cannot be found out now: ${error instanceof Error ? error.message : String(error)}` });
    }
  }

  #endExpired(): void {
    const at = this.#parts.clock.epochMs();
    for (const [stream, { processor, validUntil = Infinity }] of this.#streams)
      if (validUntil <= at) stream.end({ code: 'unauthenticated', message: `the credentials of ${processor} have ended; connect again with new ones` });
  }
}

function tls(certificates: CertificateFiles | ShownCertificate, requiresCertificate: boolean): ServerCredentials {
  return experimental.createCertificateProviderServerCredentials(certificates, certificates, requiresCertificate);
}
