import pino from 'pino';
import { prettyLine } from './pretty.ts';
import { redactFields } from './redact.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What an event carries, by name. Keys, prompts and answers have no place here; fields that are named after them are blanked. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log. An event is a noun and a verb (`snapshot.applied`); what varies goes into the fields, never into the name. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger that adds these fields to every event. */
  child(fields: LogFields): Logger;
  /** Writes what is buffered, at once: before the process ends. */
  flush(): void;
}

export interface LogDestination {
  write(text: string): void;
  flush(): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `pretty`: a line for people; `json`: a line for machines. */
  readonly format: 'pretty' | 'json';
  readonly colour: boolean;
  readonly destination: LogDestination;
}

export function createLogger(options: LoggerOptions): Logger {
  const { destination } = options;
  const stream = options.format === 'json' ? destination : { write: (line: string): void => destination.write(prettyLine(line, options.colour)) };
  const root = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }), log: redactFields },
    },
    stream,
  );
  return wrap(root, destination);
}

/** Says nothing: for tests, and for commands that print their own report. */
export const SILENT_LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT_LOGGER,
  flush: () => undefined,
};

function wrap(inner: pino.Logger, destination: LogDestination): Logger {
  return {
    debug: (event, fields = {}) => inner.debug(fields, event),
    info: (event, fields = {}) => inner.info(fields, event),
    warn: (event, fields = {}) => inner.warn(fields, event),
    error: (event, fields = {}) => inner.error(fields, event),
    child: (fields) => wrap(inner.child(redactFields(fields)), destination),
    flush: () => destination.flush(),
  };
}
