import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf, worstCaseOf } from './cost.ts';
import { SHIPPED_MODELS } from './shipped.ts';
import type { Usage } from './usage.ts';

const gpt = SHIPPED_MODELS.find(({ name }) => name === 'gpt-4.1')?.price;
if (gpt === undefined) throw new Error('gpt-4.1 has no price');

describe('costOf', () => {
  it.each<[string, Usage, bigint]>([
    ['nothing', { inputTokens: 0, outputTokens: 0 }, 0n],
    ['one token in, one out', { inputTokens: 1, outputTokens: 1 }, 10_000n],
    ['a million of each', { inputTokens: 1_000_000, outputTokens: 1_000_000 }, 10_000_000_000n],
    ['half of the input cached', { inputTokens: 1000, cachedInputTokens: 500, outputTokens: 0 }, 1_250_000n],
    ['reasoning is part of the output', { inputTokens: 0, outputTokens: 100, reasoningTokens: 90 }, 800_000n],
  ])('%s', (_name, usage, expected) => {
    expect(costOf(usage, gpt)).toBe(expected);
  });

  it('halves batch and rounds up', () => {
    expect(costOf({ inputTokens: 1, outputTokens: 0 }, { input: 1n, output: 1n, source: 'test' }, 'batch')).toBe(1n);
    expect(costOf({ inputTokens: 1000, outputTokens: 0 }, gpt, 'batch')).toBe(1_000_000n);
  });
});

describe('worstCaseOf', () => {
  const tokens = fc.nat({ max: 100_000 });
  it('is never below what a usage within its bounds costs', () => {
    const usages = fc.tuple(tokens, tokens, tokens, tokens).map(([input, output, cached, written]) => ({
      inputTokens: input + cached + written,
      cachedInputTokens: cached,
      cacheWriteTokens: written,
      outputTokens: output,
    }));
    const rates = fc.bigInt({ min: 0n, max: 100_000_000_000n });
    const prices = fc.record({ input: rates, output: rates, cachedInput: rates, cacheWrite: rates, source: fc.constant('test') });
    fc.assert(
      fc.property(usages, prices, fc.constantFrom('standard', 'batch', 'flex', 'priority'), (usage, price, tier) => {
        const worst = worstCaseOf(price, usage.inputTokens, tier);
        const bound = worst.fixedNanoUsd + (worst.outputNanoUsdPerMillion * BigInt(usage.outputTokens) + 999_999n) / 1_000_000n;
        expect(bound >= costOf(usage, price, tier)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
