import type { CallPorts } from '../../core/call/index.ts';
import { ExtProcServer, Session } from '../../shell/extproc/index.ts';
import type { SessionOptions } from '../../shell/extproc/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { messageOf } from './message-of.ts';
import { MAX_REQUEST_BYTES } from './settings.ts';

/** For the answers of streams that are open when the server closes. */
const CLOSE_WITHIN_MS = 1000;

/** Room for what is around a body in a message. */
const MESSAGE_OVERHEAD_BYTES = 1024 * 1024;

/** How a call's workload is known. */
export type Whose = Pick<SessionOptions, 'identify' | 'credentialHeaders'>;

export interface CallServer {
  /** Calls that Envoy has in flight. */
  active(): number;
  close(): Promise<void>;
}

/** Serves Envoy's external processing on a socket; one broken call ends alone. */
export async function serveCalls(ports: CallPorts, socketPath: string, logger: Logger, whose: Whose = {}): Promise<CallServer> {
  let active = 0;
  const onError = (error: unknown): void =>
    logger.error('processor.error', { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
  const server = new ExtProcServer({
    listen: { socketPath },
    maxMessageBytes: MAX_REQUEST_BYTES + MESSAGE_OVERHEAD_BYTES,
    onError,
    onStream: (stream) => {
      active++;
      const session = new Session(stream, { ports, onError, ...whose });
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
