import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer } from 'node:net';
import type { ListenOptions, Server, Socket } from 'node:net';
import type { MonotonicMs } from '../../core/units/index.ts';
import { Pace } from './pace.ts';

/** Ten thousand processors, each with a connection for its slices and one for its records, and again while they come back. */
const MAX_CONNECTIONS = 40_000;
/** A connection by which no call has come by then is broken: TLS and HTTP/2 have begun long before. */
const FIRST_CALL_MS: MonotonicMs = 10_000;
/** As long as first calls come by others, this process may just have many to greet: it waits on, up to so long. */
const MOST_FIRST_CALL_MS: MonotonicMs = 60_000;
const BUSY_MS: MonotonicMs = 2_000;
/** A processor makes two calls, and makes them again when they end. One that makes more is disconnected. */
const CALLS_PER_SECOND = 10;
const BURST = 100;

interface Connection {
  readonly socket: Socket;
  readonly pace: Pace;
  firstCall: NodeJS.Timeout | undefined;
}

/**
 * The sockets that calls come by. gRPC's own listener gives no way to break the connection of a peer that does not read,
 * and waits for ever for one that says nothing.
 */
export class Connections {
  readonly #server: Server;
  readonly #open = new Set<Connection>();
  readonly #now: () => MonotonicMs;
  /** What happens on a connection runs in its context. */
  /** When a first call came last. */
  #greetedAt: MonotonicMs = -BUSY_MS;
  readonly #current = new AsyncLocalStorage<Connection>();

  constructor(now: () => MonotonicMs, inject: (socket: Socket) => void) {
    this.#now = now;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket, inject));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Rejects where it cannot listen there. Returns the port, of TCP. */
  async listen(where: ListenOptions): Promise<number | undefined> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(where, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** To be called where a call begins: returns what breaks the connection that it came by. */
  calledBy(): () => void {
    const connection = this.#current.getStore();
    if (connection?.firstCall !== undefined) this.#greetedAt = this.#now();
    clearTimeout(connection?.firstCall);
    if (connection !== undefined) connection.firstCall = undefined;
    if ((connection?.pace.take(1, this.#now()) ?? 0) > 0) connection?.socket.destroy();
    return () => connection?.socket.destroy();
  }

  /** Resolves when all are closed: by themselves, or by force after `graceMs`. */
  async close(graceMs: MonotonicMs): Promise<void> {
    const timer = setTimeout(() => {
      for (const { socket } of this.#open) socket.destroy();
    }, graceMs);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    clearTimeout(timer);
  }

  #await(connection: Connection, since: MonotonicMs): void {
    connection.firstCall = setTimeout(() => {
      const now = this.#now();
      if (now - since < MOST_FIRST_CALL_MS && now - this.#greetedAt < BUSY_MS) this.#await(connection, since);
      else connection.socket.destroy();
    }, FIRST_CALL_MS);
  }

  #accept(socket: Socket, inject: (socket: Socket) => void): void {
    const connection: Connection = {
      socket,
      pace: new Pace(CALLS_PER_SECOND, BURST, this.#now()),
      firstCall: undefined,
    };
    this.#await(connection, this.#now());
    this.#open.add(connection);
    socket.on('error', () => undefined); // 'close' follows, and says all that matters.
    socket.once('close', () => {
      clearTimeout(connection.firstCall);
      this.#open.delete(connection);
    });
    this.#current.run(connection, () => inject(socket));
  }
}
