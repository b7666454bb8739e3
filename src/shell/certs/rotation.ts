import type { EpochMs } from '../../core/units/index.ts';
import { SKEW_MS } from './terms.ts';

/** When a root signs, and how long it is believed. */
export interface RootTimes {
  readonly madeAt: EpochMs;
  readonly signsFrom: EpochMs;
  readonly signsUntil: EpochMs;
  /** The end of its certificate. Nothing that it signed lasts longer. */
  readonly endsAt: EpochMs;
}

/** `Next`: published, signs nothing yet. `Former`: signs nothing more, believed until all that it signed has ended. */
export type Phase = 'Next' | 'Present' | 'Former' | 'Ended';

export function phaseOf({ signsFrom, signsUntil, endsAt }: RootTimes, now: EpochMs): Phase {
  if (now < signsFrom) return 'Next';
  if (now < signsUntil) return 'Present';
  return now < endsAt ? 'Former' : 'Ended';
}

/** Roots of which none ends the trust in another: what is to be done about them now. */
export interface Plan<Root> {
  readonly keep: readonly Root[];
  /** Kept as well; they sign nothing more, so their keys go. */
  readonly withoutKey: readonly Root[];
  readonly make: readonly Pick<RootTimes, 'signsFrom' | 'signsUntil'>[];
}

/**
 * There is always one root that signs and one that will. `roots` in the order in which they sign. The error: the clock is behind
 * the times at which the roots were made, so that nothing can be said.
 */
export function planRoots<Root extends RootTimes>(roots: readonly Root[], now: EpochMs, signsMs: number): Plan<Root> | 'ClockIsBehind' {
  if (roots.some(({ madeAt }) => madeAt - SKEW_MS > now)) return 'ClockIsBehind';
  const believed = roots.filter((root) => phaseOf(root, now) !== 'Ended');
  // Another controller's clock may be behind: it may still sign with what has just become former here.
  const isDone = ({ signsUntil }: Root): boolean => signsUntil + SKEW_MS <= now;
  const present = believed.find((root) => phaseOf(root, now) === 'Present');
  const next = believed.find((root) => phaseOf(root, now) === 'Next');
  const made: Pick<RootTimes, 'signsFrom' | 'signsUntil'>[] = [];
  const presentUntil = present?.signsUntil ?? next?.signsFrom ?? now + signsMs;
  if (present === undefined) made.push({ signsFrom: now, signsUntil: presentUntil });
  if (next === undefined) made.push({ signsFrom: presentUntil, signsUntil: presentUntil + signsMs });
  return { keep: believed.filter((root) => !isDone(root)), withoutKey: believed.filter(isDone), make: made };
}
