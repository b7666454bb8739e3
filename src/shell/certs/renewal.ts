import type { EpochMs } from '../../core/units/index.ts';

/** A leaf is made anew after two thirds of its life, less up to a tenth of it, so that not all are at once. `chance`: in [0, 1). */
export function renewalTime(issuedAt: EpochMs, notAfter: EpochMs, chance: number): EpochMs {
  const life = notAfter - issuedAt;
  return Math.floor(issuedAt + (life * 2) / 3 - (life / 10) * chance);
}
