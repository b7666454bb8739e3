import { createLogger, fileDescriptorDestination } from '../shell/telemetry/index.ts';
import type { LogLevel, Logger } from '../shell/telemetry/index.ts';
import { EXIT } from './exit-codes.ts';
import type { Terminal } from './terminal/terminal.ts';

export interface LogFlags {
  readonly logLevel: LogLevel;
  readonly logFormat?: 'pretty' | 'json';
}

/** What asks a program to end: Ctrl-C, whoever supervises it, a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The log of a command that goes on until it is told to end. What nobody caught goes there too, and ends nothing. */
export function loggerFor({ logLevel: level, logFormat }: LogFlags, terminal: Terminal): Logger {
  const isTerminal = process.stderr.isTTY === true;
  const format = logFormat ?? (isTerminal ? 'pretty' : 'json');
  const logger = createLogger({ level, format, colour: terminal.colour, destination: fileDescriptorDestination(2, isTerminal) });
  process.on('unhandledRejection', (error) => logger.error('process.unhandled_rejection', { error: error instanceof Error ? error.message : String(error) }));
  process.on('uncaughtException', (error) => logger.error('process.uncaught_exception', { error: error.message, stack: error.stack }));
  return logger;
}

/** Aborted by the first signal; the second one ends the process. */
export function firstSignal(): AbortSignal {
  const interruption = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (interruption.signal.aborted) process.exit(EXIT.interrupted);
      interruption.abort();
    });
  }
  return interruption.signal;
}
