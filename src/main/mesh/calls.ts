import { setTimeout as delay } from 'node:timers/promises';
import type { CallPorts, Room } from '../../core/call/index.ts';
import { DOOR_METADATA } from '../../core/envoyconfig/index.ts';
import { Doorkeeper, ExtProcServer, Passes, Session } from '../../shell/extproc/index.ts';
import type { ExtProcServerOptions, Pass, SessionOptions } from '../../shell/extproc/index.ts';
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

/** What else sessions are told, besides whose calls they are. */
type Told = Whose & Pick<SessionOptions, 'onOwnKey' | 'passTo' | 'isPass'>;

export interface CallServer {
  /** Calls that Envoy has in flight. */
  active(): number;
  close(): Promise<void>;
}

/** Where Envoy finds the processor: a file that only its owner can open, or the loopback interface. */
export type ServeAt = ExtProcServerOptions['listen'];

/** Serves Envoy's external processing; one broken call ends alone. */
export async function serveCalls(ports: CallPorts, room: Room, listen: ServeAt, logger: Logger, told: Told = {}): Promise<CallServer> {
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
          ? new Session(stream, { ports, room, onError, ...told })
          : new Doorkeeper(stream, { ports, room, maxRequestBytes: MAX_REQUEST_BYTES, isPass: told.isPass });
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

/** Where it is served, and of whose calls it is told what. */
export interface ServedAt {
  /** Our own Envoy's socket, where there is one. */
  readonly own: string | undefined;
  /** Another's, where there is one. */
  readonly others: ServeAt | undefined;
  /** Whether a provider is called in plain HTTP: a mesh takes in what our own Envoy sends there, and asks once more. */
  readonly isPlain: (provider: string) => boolean;
}

/** Serves our own Envoy, another's, or both: then what ours sends through the other is governed once. */
export async function serveAll({ own, others, isPlain }: ServedAt, ports: CallPorts, room: Room, logger: Logger, told: Told): Promise<ServedCalls> {
  const passes = new Passes();
  const passTo = (provider: string): Pass | undefined => (others !== undefined && isPlain(provider) ? passes.issue() : undefined);
  const ours = own === undefined ? undefined : await serveCalls(ports, room, { socketPath: own }, logger, { ...told, passTo });
  const theirs = others === undefined ? undefined : await serveCalls(ports, room, others, logger, { ...told, isPass: (word) => passes.has(word) });
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
