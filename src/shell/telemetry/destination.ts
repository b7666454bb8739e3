import pino from 'pino';
import type { LogDestination } from './logger.ts';

const BUFFER_BYTES = 4_096;
const FLUSH_INTERVAL_MS = 250;

/** A reader that stalls costs lines, not memory: beyond this, new lines are dropped. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/**
 * Writes to a file descriptor. Buffered for a moment where nobody watches (a line per call must not cost a system call
 * each); at once on a terminal. Never throws: a log that cannot be written must not stop the calls.
 */
export function fileDescriptorDestination(descriptor: number, isTerminal: boolean): LogDestination {
  const stream = pino.destination(
    isTerminal
      ? { dest: descriptor, sync: true }
      : { dest: descriptor, sync: false, minLength: BUFFER_BYTES, maxLength: MAX_BUFFERED_BYTES, periodicFlush: FLUSH_INTERVAL_MS },
  );
  // A reader that went away (`airmesh run 2>&1 | head`) must not end the process.
  stream.on('error', () => undefined);
  return {
    write: (text) => attempt(() => stream.write(text)),
    flush: () => attempt(() => stream.flushSync()),
  };
}

function attempt(write: () => unknown): void {
  try {
    write();
  } catch {
    // There is nowhere left to say so.
  }
}
