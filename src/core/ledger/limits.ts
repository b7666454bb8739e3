import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import { timeZoneError } from './calendar.ts';
import type { LimitError, LimitSpec } from './types.ts';

/** The largest limit: a billion dollars in nano-dollars, and as many tokens or requests. */
const MAX_LIMIT_AMOUNT = 1_000_000_000_000_000_000n;
const MIN_ROLLING_MS = 1_000;
/** 366 days. */
const MAX_ROLLING_MS = 31_622_400_000;
/** Envoy holds a call's body while it waits, so a wait is minutes at most. */
const MAX_WAIT_MS = 600_000;
/** Thresholds of one limit. */
const MAX_ALERTS = 10;
/** Reservations that wait at one time; the next is refused as `too_many_waiting`. */
export const MAX_WAITING = 10_000;
/** Accounts of one limit; further subjects share the account `OTHER_SUBJECTS`, so that made-up names bring no new money. */
export const MAX_SUBJECTS = 100_000;
export const OTHER_SUBJECTS = '(others)';
/** A rolling window is counted in this many buckets: what was spent leaves up to one bucket late, never early. */
export const ROLLING_BUCKETS = 60;

/** Checks limits before any is taken over: all errors at once, each with its field. */
export function checkLimits(limits: readonly LimitSpec[]): Result<void, readonly LimitError[]> {
  const errors: LimitError[] = [];
  const seen = new Set<string>();
  for (const spec of limits) {
    const fault = (field: string, message: string) => errors.push({ limit: spec.id, field, message });
    if (seen.has(spec.id)) fault('id', 'is used by two limits; give each its own');
    seen.add(spec.id);
    if (spec.limit <= 0n) fault('limit', 'must be above zero');
    else if (spec.limit > MAX_LIMIT_AMOUNT) fault('limit', `must be at most ${MAX_LIMIT_AMOUNT} (of the smallest unit)`);
    if (!isWhole(spec.floorOutputTokens, 1, Number.MAX_SAFE_INTEGER)) fault('floorOutputTokens', 'must be a whole number from 1');
    if (!isWhole(spec.waitMs, 0, MAX_WAIT_MS)) fault('waitMs', `must be a whole number of milliseconds from 0 to ${MAX_WAIT_MS}`);
    const alerts = spec.alerts ?? [];
    if (alerts.length > MAX_ALERTS || !alerts.every((percent) => isWhole(percent, 1, 100)))
      fault('alerts', `must be up to ${MAX_ALERTS} whole percentages from 1 to 100`);
    checkWindow(spec.window, fault);
  }
  return errors.length === 0 ? ok(undefined) : err(errors);
}

function checkWindow(window: LimitSpec['window'], fault: (field: string, message: string) => void): void {
  if (window.kind === 'rolling' && !isWhole(window.durationMs, MIN_ROLLING_MS, MAX_ROLLING_MS)) {
    fault('window.durationMs', `must be a whole number of milliseconds from ${MIN_ROLLING_MS} to ${MAX_ROLLING_MS}`);
  }
  if (window.kind === 'calendar') {
    const problem = timeZoneError(window.timeZone);
    if (problem !== undefined) fault('window.timeZone', problem);
  }
}

function isWhole(value: number, from: number, to: number): boolean {
  return Number.isSafeInteger(value) && value >= from && value <= to;
}
