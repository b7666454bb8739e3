import type { PeriodRef } from './messages.ts';

export { limitIdOf, limitIdentity } from '../units/index.ts';

export function keyOf({ limit, subject, period }: PeriodRef): string {
  return `${limit}\n${subject}\n${period}`;
}
