import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Demand } from './demand.ts';
import type { LimitSpec, Quote } from './types.ts';

const spec = (unit: LimitSpec['unit'], mode: LimitSpec['mode'], kind: LimitSpec['kind'] = 'budget'): LimitSpec => ({
  id: 'x',
  unit,
  limit: 1n,
  window: { kind: 'lifetime' },
  mode,
  nearLimit: 'Shrink',
  floorOutputTokens: 16,
  waitMs: 0,
  kind,
});
const quote: Quote = {
  fixedNanoUsd: 1_000n,
  outputNanoUsdPerMillion: 2_500_000n,
  inputTokens: 400,
  choices: 2,
  outputCap: 301,
  capIsDefault: false,
  estimate: { nanoUsd: 1_100n, tokens: 150, outputTokens: 50 },
};

describe('what a limit holds', () => {
  const rows = [
    { unit: 'usd', mode: 'Strict', cap: 301, typical: undefined, hold: 2_505n },
    { unit: 'usd', mode: 'Strict', cap: 1, typical: undefined, hold: 1_005n },
    { unit: 'tokens', mode: 'Strict', cap: 301, typical: undefined, hold: 1_002n },
    { unit: 'requests', mode: 'Strict', cap: 301, typical: undefined, hold: 1n },
    { unit: 'usd', mode: 'Bounded', cap: 301, typical: undefined, hold: 1_100n },
    { unit: 'tokens', mode: 'Bounded', cap: 301, typical: undefined, hold: 150n },
    // Never more than the bound; and what is known of such answers instead of the guess.
    { unit: 'usd', mode: 'Bounded', cap: 3, typical: undefined, hold: 1_015n },
    { unit: 'tokens', mode: 'Bounded', cap: 301, typical: 100, hold: 300n },
    { unit: 'usd', mode: 'Observe', cap: 301, typical: 100, hold: 1_475n },
    { unit: 'tokens', mode: 'Observe', cap: 301, typical: 5_000, hold: 702n },
  ] as const;
  it.each(rows)('$unit, $mode, cap $cap, answers of $typical tokens', ({ unit, mode, cap, typical, hold }) => {
    expect(new Demand(quote, typical).holdAt(spec(unit, mode), cap)).toBe(hold);
  });

  it('a rate limit holds what is expected, whatever its mode', () => {
    expect(new Demand(quote, undefined).holdAt(spec('tokens', 'Strict', 'rate'), 301)).toBe(150n);
  });

  it('the cap within an amount is the largest whose hold is no more', () => {
    const money = fc.bigInt({ min: 0n, max: 10n ** 15n });
    const count = fc.nat({ max: 200_000 });
    fc.assert(
      fc.property(
        money,
        money,
        count,
        fc.integer({ min: 1, max: 8 }),
        count,
        money,
        count,
        money,
        fc.constantFrom('usd', 'tokens', 'requests'),
        fc.constantFrom('Strict', 'Bounded'),
        (fixedNanoUsd, outputNanoUsdPerMillion, inputTokens, choices, outputCap, nanoUsd, tokens, amount, unit, mode) => {
          const demand = new Demand(
            { fixedNanoUsd, outputNanoUsdPerMillion, inputTokens, choices, outputCap, capIsDefault: true, estimate: { nanoUsd, tokens } },
            undefined,
          );
          const limit = spec(unit, mode);
          const cap = demand.capWithin(limit, amount);
          if (cap >= 0) expect(demand.holdAt(limit, cap)).toBeLessThanOrEqual(amount);
          if (cap < outputCap) expect(demand.holdAt(limit, cap + 1)).toBeGreaterThan(amount);
          expect(cap).toBeLessThanOrEqual(outputCap);
        },
      ),
    );
  });
});
