import { once } from 'node:events';
import { createLogger, fileDescriptorDestination } from '../../shell/telemetry/index.ts';
import type { LogLevel } from '../../shell/telemetry/index.ts';
import { EXIT } from '../exit-codes.ts';
import { startRun } from '../mesh/run.ts';
import type { Address } from '../ports.ts';
import { painter } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { banner } from '../views/banner.ts';

export interface RunFlags {
  readonly listen: Address;
  readonly admin: Address;
  readonly workload: readonly (Address & { readonly name: string })[];
  readonly state: string;
  readonly envoy?: string;
  readonly envoyVersion?: string;
  readonly concurrency?: number;
  readonly logLevel: LogLevel;
  readonly logFormat?: 'pretty' | 'json';
}

/** What asks a program to end: Ctrl-C, whoever supervises it, a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs until a signal comes. The first one drains, or gives up the start; a second one ends it at once. */
export async function run(paths: readonly string[], flags: RunFlags, terminal: Terminal): Promise<number> {
  const format = flags.logFormat ?? (process.stderr.isTTY === true ? 'pretty' : 'json');
  const logger = createLogger({
    level: flags.logLevel,
    format,
    colour: terminal.colour,
    destination: fileDescriptorDestination(2, process.stderr.isTTY === true),
  });
  process.on('unhandledRejection', (error) => logger.error('process.unhandled_rejection', { error: error instanceof Error ? error.message : String(error) }));
  process.on('uncaughtException', (error) => logger.error('process.uncaught_exception', { error: error.message, stack: error.stack }));
  const interruption = firstSignal();
  const starting = startRun({
    interruption,
    paths,
    listen: flags.listen,
    admin: flags.admin,
    workloads: flags.workload,
    stateDir: flags.state,
    envoy: {
      ...(flags.envoy === undefined ? {} : { path: flags.envoy }),
      ...(flags.envoyVersion === undefined ? {} : { version: flags.envoyVersion }),
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    },
    environment: terminal.environment,
    simulate: 'auto',
    logger,
  });
  const mesh = await starting.catch((error: unknown) => {
    if (!interruption.aborted) throw error;
    terminal.err('Stopped before it was ready.\n');
    logger.flush();
    // A download may still be under way.
    return process.exit(EXIT.interrupted);
  });
  terminal.out(banner(mesh.summary, painter(terminal.colour)));
  if (!interruption.aborted) await once(interruption, 'abort');
  terminal.err('Stopping: waiting for calls in flight …\n');
  await mesh.stop();
  logger.flush();
  return EXIT.ok;
}

/** Aborted by the first signal; the second one ends the process. */
function firstSignal(): AbortSignal {
  const interruption = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (interruption.signal.aborted) process.exit(EXIT.interrupted);
      interruption.abort();
    });
  }
  return interruption.signal;
}
