import { setTimeout as delay } from 'node:timers/promises';
import type { CallPorts, Room } from '../../core/call/index.ts';
import { DOOR_METADATA } from '../../core/envoyconfig/index.ts';
import { Doorkeeper, ExtProcServer, Session } from '../../shell/extproc/index.ts';
import type { ExtProcServerOptions, SessionOptions } from '../../shell/extproc/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { messageOf } from './message-of.ts';
import { MAX_REQUEST_BYTES } from './settings.ts';

/** For the answers of streams that are open when the server closes. */
const CLOSE_WITHIN_MS = 1000;

/** For calls of an Envoy that is another's, which ends by itself. */
const DRAIN_MS = 30_000;
const POLL_MS = 25;

/** Room for what is around a body in a message. */
const MESSAGE_OVERHEAD_BYTES = 1024 * 1024;

/** How a call's workload is known. */
export type Whose = Pick<SessionOptions, 'identify' | 'credentialHeaders'>;

export interface CallServer {
  /** Calls that Envoy has in flight. */
  active(): number;
  close(): Promise<void>;
}

/** Where Envoy finds the processor: a file that only its owner can open, or the loopback interface. */
export type ServeAt = ExtProcServerOptions['listen'];

/** Serves Envoy's external processing; one broken call ends alone. `onOwnKey`: of the provider to which a caller sent a key of its own. */
export async function serveCalls(
  ports: CallPorts,
  room: Room,
  listen: ServeAt,
  logger: Logger,
  whose: Whose = {},
  onOwnKey: (provider: string) => void = () => undefined,
): Promise<CallServer> {
  let active = 0;
  const onError = (error: unknown): void =>
    logger.error('processor.error', { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
  const server = new ExtProcServer({
    listen,
    maxMessageBytes: MAX_REQUEST_BYTES + MESSAGE_OVERHEAD_BYTES,
    onError,
    onStream: (stream) => {
      active++;
      const session =
        stream.metadata(DOOR_METADATA) === undefined
          ? new Session(stream, { ports, room, onError, onOwnKey, ...whose })
          : new Doorkeeper(stream, { ports, room, maxRequestBytes: MAX_REQUEST_BYTES });
      return {
        onMessage: (message) => session.onMessage(message),
        onEnd: () => {
          active--;
          session.onEnd();
        },
      };
    },
  });
  await server.listen();
  return { active: () => active, close: () => server.close(CLOSE_WITHIN_MS) };
}

/** The processor, wherever it is served. */
export interface ServedCalls {
  /** Calls that our own Envoy has in flight. */
  active(): number;
  /** Lets calls of another's Envoy end; ours is drained by whoever stops it, before. */
  leave(): Promise<void>;
}

/** Serves our own Envoy at a socket, another's at its place, or both: `own` and `others`, where they are. */
export async function serveAll(
  { own, others }: { readonly own: string | undefined; readonly others: ServeAt | undefined },
  ...how: [ports: CallPorts, room: Room, logger: Logger, whose?: Whose, onOwnKey?: (provider: string) => void]
): Promise<ServedCalls> {
  const [ports, room, ...rest] = how;
  const ours = own === undefined ? undefined : await serveCalls(ports, room, { socketPath: own }, ...rest);
  const theirs = others === undefined ? undefined : await serveCalls(ports, room, others, ...rest);
  return {
    active: () => ours?.active() ?? 0,
    leave: async () => {
      if (theirs !== undefined) await drained(theirs);
      await theirs?.close();
      await ours?.close();
    },
  };
}

/** Resolves when no call is in flight, or after a time. */
async function drained(calls: CallServer): Promise<void> {
  const until = performance.now() + DRAIN_MS;
  while (calls.active() > 0 && performance.now() < until) await delay(POLL_MS);
}
