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

/** No time zone's name holds a `|`, and ids are followed by a unit. */
const IDENTITY = /^(.*)\|(?:usd|tokens|requests)(?:\|(?:\d+|(?:minute|hour|day|week|month)\|[^|]*))?$/s;

/** The id within an identity; of what is none, the whole. */
export function limitIdOf(identity: string): string {
  return IDENTITY.exec(identity)?.[1] ?? identity;
}

export function keyOf({ limit, subject, period }: PeriodRef): string {
  return `${limit}\n${subject}\n${period}`;
}
