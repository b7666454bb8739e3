import type { LimitSpec } from '../ledger/index.ts';
import type { PeriodRef } from './messages.ts';

/** A limit as it counts: two with the same id but another unit or window share nothing, so amounts never mix. */
export function limitIdentity({ id, unit, window }: Pick<LimitSpec, 'id' | 'unit' | 'window'>): string {
  switch (window.kind) {
    case 'calendar':
      return `${id}|${unit}|${window.unit}|${window.timeZone}`;
    case 'rolling':
      return `${id}|${unit}|${window.durationMs}`;
    case 'lifetime':
      return `${id}|${unit}`;
  }
}

export function keyOf({ limit, subject, period }: PeriodRef): string {
  return `${limit}\n${subject}\n${period}`;
}
