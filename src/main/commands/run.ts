import { createLogger, fileDescriptorDestination } from '../../shell/telemetry/index.ts';
import type { LogLevel } from '../../shell/telemetry/index.ts';
import { EXIT } from '../exit-codes.ts';
import { startMesh } from '../mesh/mesh.ts';
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

/** Runs until a signal comes. The first one drains; a second one ends it at once. */
export async function run(paths: readonly string[], flags: RunFlags, terminal: Terminal): Promise<number> {
  const format = flags.logFormat ?? (process.stderr.isTTY === true ? 'pretty' : 'json');
  const logger = createLogger({ level: flags.logLevel, format, colour: terminal.colour, destination: fileDescriptorDestination(2, process.stderr.isTTY === true) });
  process.on('unhandledRejection', (error) => logger.error('process.unhandled_rejection', { error: error instanceof Error ? error.message : String(error) }));
  process.on('uncaughtException', (error) => logger.error('process.uncaught_exception', { error: error.message, stack: error.stack }));
  const mesh = await startMesh({
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
  terminal.out(banner(mesh.summary, painter(terminal.colour)));
  await signal();
  process.once('SIGINT', () => process.exit(EXIT.interrupted));
  process.once('SIGTERM', () => process.exit(EXIT.interrupted));
  terminal.err('Stopping: waiting for calls in flight …\n');
  await mesh.stop();
  logger.flush();
  return EXIT.ok;
}

function signal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
