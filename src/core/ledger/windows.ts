import type { EpochMs } from '../units/index.ts';
import { Calendar } from './calendar.ts';
import { ROLLING_BUCKETS } from './limits.ts';
import type { LimitSpec } from './types.ts';

/** A stretch of time that one counter serves. Calendar and lifetime: the window itself. Rolling: one bucket of it. */
export interface CountedSpan {
  readonly start: EpochMs;
  /** New holds go elsewhere from here on. */
  readonly openUntil: EpochMs;
  /** What is in it no longer counts against the limit from here on. */
  readonly countsUntil: EpochMs;
}

export type SpanAt = (at: EpochMs) => CountedSpan;

export const LIFETIME: CountedSpan = { start: 0, openUntil: Infinity, countsUntil: Infinity };

/**
 * How a limit's window counts. A rolling window of length D is kept in buckets of D / 60; a bucket counts until D after
 * its end. So at any moment everything admitted in the D before it counts, and no interval of length D ever lets more
 * than the limit through; what was spent comes free at most one bucket late.
 */
export function spansOf(window: LimitSpec['window']): SpanAt {
  if (window.kind === 'lifetime') return () => LIFETIME;
  if (window.kind === 'rolling') {
    const { durationMs } = window;
    const bucketMs = Math.ceil(durationMs / ROLLING_BUCKETS);
    return (at) => {
      const start = Math.floor(at / bucketMs) * bucketMs;
      return { start, openUntil: start + bucketMs, countsUntil: start + bucketMs + durationMs };
    };
  }
  const calendar = new Calendar(window.unit, window.timeZone);
  return (at) => {
    const { start, end } = calendar.windowAt(at);
    return { start, openUntil: end, countsUntil: end };
  };
}

/** What began before no longer counts at `at`. */
export function countsSince(window: LimitSpec['window'], at: EpochMs): EpochMs {
  if (window.kind === 'rolling') return at - window.durationMs - Math.ceil(window.durationMs / ROLLING_BUCKETS);
  return spansOf(window)(at).start;
}

export function isSameWindow(left: LimitSpec['window'], right: LimitSpec['window']): boolean {
  if (left.kind === 'calendar') return right.kind === 'calendar' && left.unit === right.unit && left.timeZone === right.timeZone;
  if (left.kind === 'rolling') return right.kind === 'rolling' && left.durationMs === right.durationMs;
  return right.kind === 'lifetime';
}
