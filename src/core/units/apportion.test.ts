import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportion } from './apportion.ts';

const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, amount) => sum + amount, 0n);

describe('apportion', () => {
  it.each<[whole: bigint, weights: readonly bigint[], shares: readonly bigint[]]>([
    [10n, [1n, 1n], [5n, 5n]],
    [10n, [1n, 1n, 1n], [4n, 3n, 3n]],
    [1n, [1n, 2n, 1n], [0n, 1n, 0n]],
    [7n, [0n, 3n, 1n], [0n, 5n, 2n]],
    [3n, [0n, 0n], [2n, 1n]],
    [0n, [5n, 1n], [0n, 0n]],
    [9n, [], []],
  ])('of %s by %o', (whole, weights, shares) => {
    expect(apportion(whole, weights)).toEqual(shares);
  });

  it('gives out all of it, and nobody a unit more than its exact share', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 18n });
    fc.assert(
      fc.property(amount, fc.array(fc.oneof(amount, fc.bigInt({ min: 0n, max: 5n })), { minLength: 1, maxLength: 40 }), (whole, weights) => {
        const shares = apportion(whole, weights);
        expect(sumOf(shares)).toBe(whole);
        const sum = sumOf(weights);
        if (sum > 0n) for (const [index, share] of shares.entries()) expect(share <= (whole * (weights[index] ?? 0n) + sum - 1n) / sum).toBe(true);
      }),
    );
  });
});
