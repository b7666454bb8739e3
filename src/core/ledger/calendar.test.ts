import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Calendar, timeZoneError } from './calendar.ts';

const HOUR_MS = 3_600_000;
const at = (text: string) => Date.parse(text);

describe('calendar windows', () => {
  const rows = [
    { unit: 'minute', zone: 'UTC', now: '2026-05-04T10:11:12.345Z', start: '2026-05-04T10:11:00Z', end: '2026-05-04T10:12:00Z' },
    { unit: 'hour', zone: 'Asia/Kolkata', now: '2026-05-04T10:11:12Z', start: '2026-05-04T09:30:00Z', end: '2026-05-04T10:30:00Z' },
    { unit: 'day', zone: 'UTC', now: '2026-05-04T00:00:00Z', start: '2026-05-04T00:00:00Z', end: '2026-05-05T00:00:00Z' },
    { unit: 'day', zone: 'Asia/Shanghai', now: '2026-05-04T15:59:59.999Z', start: '2026-05-03T16:00:00Z', end: '2026-05-04T16:00:00Z' },
    // 23 hours, and 25.
    { unit: 'day', zone: 'Europe/Berlin', now: '2026-03-29T12:00:00Z', start: '2026-03-28T23:00:00Z', end: '2026-03-29T22:00:00Z' },
    { unit: 'day', zone: 'Europe/Berlin', now: '2026-10-25T00:30:00Z', start: '2026-10-24T22:00:00Z', end: '2026-10-25T23:00:00Z' },
    { unit: 'day', zone: 'America/New_York', now: '2026-11-01T05:30:00Z', start: '2026-11-01T04:00:00Z', end: '2026-11-02T05:00:00Z' },
    // Midnight is skipped: the day begins at one o'clock.
    { unit: 'day', zone: 'America/Santiago', now: '2026-09-06T12:00:00Z', start: '2026-09-06T04:00:00Z', end: '2026-09-07T03:00:00Z' },
    // Clocks go back at midnight: the day before has 25 hours.
    { unit: 'day', zone: 'America/Santiago', now: '2026-04-05T03:30:00Z', start: '2026-04-04T03:00:00Z', end: '2026-04-05T04:00:00Z' },
    // A whole day that never was.
    { unit: 'day', zone: 'Pacific/Apia', now: '2011-12-30T10:00:00Z', start: '2011-12-30T10:00:00Z', end: '2011-12-31T10:00:00Z' },
    { unit: 'week', zone: 'Europe/Berlin', now: '2026-03-29T12:00:00Z', start: '2026-03-22T23:00:00Z', end: '2026-03-29T22:00:00Z' },
    { unit: 'week', zone: 'UTC', now: '2026-01-01T00:00:00Z', start: '2025-12-29T00:00:00Z', end: '2026-01-05T00:00:00Z' },
    { unit: 'month', zone: 'UTC', now: '2028-02-29T23:59:59Z', start: '2028-02-01T00:00:00Z', end: '2028-03-01T00:00:00Z' },
    { unit: 'month', zone: 'America/New_York', now: '2026-12-31T23:00:00Z', start: '2026-12-01T05:00:00Z', end: '2027-01-01T05:00:00Z' },
  ] as const;
  it.each(rows)('$unit of $zone at $now', ({ unit, zone, now, start, end }) => {
    expect(new Calendar(unit, zone).windowAt(at(now))).toEqual({ start: at(start), end: at(end) });
  });

  it('days of a zone follow each other without gap or overlap, and have 23 to 25 hours', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe', 'Africa/Cairo', 'Asia/Kathmandu', 'America/Havana');
    fc.assert(
      fc.property(zones, fc.integer({ min: at('2000-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') }), (zone, now) => {
        const day = new Calendar('day', zone).windowAt(now);
        expect(day.start).toBeLessThanOrEqual(now);
        expect(day.end).toBeGreaterThan(now);
        expect(new Calendar('day', zone).windowAt(day.end - 1)).toEqual(day);
        expect(new Calendar('day', zone).windowAt(day.end).start).toBe(day.end);
        expect(day.end - day.start).toBeGreaterThanOrEqual(23 * HOUR_MS);
        expect(day.end - day.start).toBeLessThanOrEqual(25 * HOUR_MS);
      }),
      { numRuns: 200 },
    );
  });
});

describe('time zones', () => {
  it.each(['UTC', 'Europe/Berlin', 'Asia/Shanghai', 'Etc/GMT+3'])('%s exists', (name) => expect(timeZoneError(name)).toBeUndefined());
  it.each(['', 'Mars/Olympus', '+02:00', 'Europe/Berlin ', 'null', '../UTC'])('%j does not', (name) => {
    expect(timeZoneError(name)).toMatch(/^".*" is not a time zone.*Europe\/Berlin/);
  });
});
