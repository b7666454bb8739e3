import { setTimeout as delay } from 'node:timers/promises';
import type { CallPorts } from '../../core/call/index.ts';
import { ExtProcServer, Session } from '../../shell/extproc/index.ts';
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
      const session = new Session(stream, { ports, onError, onOwnKey, ...whose });
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

/** Resolves when no call is in flight, or after a time. */
export async function drained(calls: CallServer): Promise<void> {
  const until = performance.now() + DRAIN_MS;
  while (calls.active() > 0 && performance.now() < until) await delay(POLL_MS);
}
