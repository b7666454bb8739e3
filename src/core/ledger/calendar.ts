import type { EpochMs } from '../units/index.ts';
import type { LimitSpec } from './types.ts';

type CalendarUnit = Extract<LimitSpec['window'], { kind: 'calendar' }>['unit'];

/** From `start` up to, but not including, `end`. */
export interface Span {
  readonly start: EpochMs;
  readonly end: EpochMs;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Beyond any offset from UTC, and any change of one (Samoa skipped a whole day). */
const SEARCH_MS = 30 * HOUR_MS;

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Says why a name is no IANA time zone; `undefined` if it is one. The list is the JavaScript engine's. */
export function timeZoneError(name: string): string | undefined {
  if (!/^[A-Za-z]/.test(name)) return `${JSON.stringify(name)} is not a time zone; write an IANA name such as "Europe/Berlin" or "UTC"`;
  try {
    formatterOf(name);
    return undefined;
  } catch {
    return `${JSON.stringify(name)} is not a time zone that is known here; write an IANA name such as "Europe/Berlin" or "UTC"`;
  }
}

/**
 * Minutes, hours, days, weeks (from Monday) or months of a time zone. A day begins at its first instant, so it has 23
 * or 25 hours where clocks change. Remembers the last window: the hot path asks Intl nothing.
 */
export class Calendar {
  readonly #unit: CalendarUnit;
  readonly #timeZone: string;
  #last: Span = { start: 0, end: 0 };

  constructor(unit: CalendarUnit, timeZone: string) {
    this.#unit = unit;
    this.#timeZone = timeZone;
  }

  /** The window that `at` falls in. */
  windowAt(at: EpochMs): Span {
    if (at < this.#last.start || at >= this.#last.end) this.#last = this.#find(at);
    return this.#last;
  }

  #find(at: EpochMs): Span {
    if (this.#unit === 'minute') return aligned(at, MINUTE_MS, 0);
    if (this.#unit === 'hour') return aligned(at, HOUR_MS, offsetAt(this.#timeZone, at));
    let first = firstDay(this.#unit, at + offsetAt(this.#timeZone, at));
    let start = beginOf(this.#timeZone, first);
    // Where a clock goes back over midnight, the local date is yesterday's again: windows follow each other all the same.
    for (;;) {
      const next = following(this.#unit, first);
      const end = beginOf(this.#timeZone, next);
      if (at < end) return { start, end };
      [first, start] = [next, end];
    }
  }
}

function aligned(at: EpochMs, lengthMs: number, offsetMs: number): Span {
  const start = Math.floor((at + offsetMs) / lengthMs) * lengthMs - offsetMs;
  return { start, end: start + lengthMs };
}

/** Midnight, as though local time were UTC, of the first day of the window that holds this local time. */
function firstDay(unit: 'day' | 'week' | 'month', local: number): number {
  const date = new Date(local);
  const day = unit === 'month' ? 1 : date.getUTCDate() - (unit === 'week' ? (date.getUTCDay() + 6) % 7 : 0);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day);
}

function following(unit: 'day' | 'week' | 'month', first: number): number {
  const date = new Date(first);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  return unit === 'month' ? Date.UTC(year, month + 1, 1) : Date.UTC(year, month, day + (unit === 'week' ? 7 : 1));
}

/** The first instant at which local time is `localMidnight` or, where clocks skip it, later. */
function beginOf(timeZone: string, localMidnight: number): EpochMs {
  const candidates = [offsetAt(timeZone, localMidnight - SEARCH_MS), offsetAt(timeZone, localMidnight + SEARCH_MS)]
    .map((offset) => localMidnight - offset)
    .filter((instant) => instant + offsetAt(timeZone, instant) === localMidnight);
  return candidates.length > 0 ? Math.min(...candidates) : afterGap(timeZone, localMidnight);
}

/** Midnight does not exist: finds the instant of the jump over it. */
function afterGap(timeZone: string, localMidnight: number): EpochMs {
  let before = localMidnight - SEARCH_MS;
  let after = localMidnight + SEARCH_MS;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (middle + offsetAt(timeZone, middle) < localMidnight) before = middle;
    else after = middle;
  }
  return after;
}

/** How far local time is ahead of UTC. */
function offsetAt(timeZone: string, at: EpochMs): number {
  const field = new Map(
    formatterOf(timeZone)
      .formatToParts(at)
      .map((part) => [part.type, Number(part.value)]),
  );
  const of = (type: Intl.DateTimeFormatPartTypes) => field.get(type) ?? 0;
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return local - Math.floor(at / 1_000) * 1_000;
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(timeZone, formatter);
  }
  return formatter;
}
