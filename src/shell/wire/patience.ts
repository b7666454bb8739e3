import type { MonotonicMs } from '../../core/units/index.ts';

/** A timer that is later than this tells that the process did not run. */
const LATE_MS: MonotonicMs = 500;

/** For timers: what has come by now is read first. After a while in which it did not run, a process finds its timers due before it finds that. */
export function onceRead(then: () => void): NodeJS.Immediate {
  // After the phase of the event loop in which is read what has come.
  return setImmediate(then);
}

/**
 * Calls `isOver` when something has been waited for so long, and what has come by then is read. A while in which this process
 * did not run does not count, but is waited once more, `ms` at most: what was to be said may not have been said either.
 * Returns what ends the waiting.
 */
export function patience(ms: MonotonicMs, isOver: () => void): () => void {
  let [timer, reading]: [NodeJS.Timeout?, NodeJS.Immediate?] = [];
  const wait = (waitMs: MonotonicMs): void => {
    // By the clock of timers, which no test moves.
    const due = performance.now() + waitMs;
    timer = setTimeout(() => {
      const lateMs = performance.now() - due;
      if (lateMs > LATE_MS) wait(Math.min(lateMs, ms));
      else reading = onceRead(isOver);
    }, waitMs);
  };
  wait(ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(reading);
  };
}
