import { ceilDiv } from '../units/index.ts';
import type { NanoUsd } from '../units/index.ts';
import type { NanoUsdPerMillion, Price } from './price.ts';
import type { CacheWrites, PriceTier, Usage } from './usage.ts';

const MILLION = 1_000_000n;

/** Batch and flex are half price at OpenAI, Anthropic and Google; priority costs up to twice as much. Percent of the standard price. */
const TIER_PERCENT: Readonly<Record<PriceTier, bigint>> = { standard: 100n, batch: 50n, flex: 50n, priority: 200n };

/**
 * What a usage costs, rounded up once, to a nano-dollar. Parts without a price of their own are billed as the whole
 * that contains them. Parts that exceed their whole (a provider's mistake) are billed as reported.
 */
export function costOf(usage: Usage, price: Price, tier: PriceTier = 'standard'): NanoUsd {
  const cacheWriteLong = usage.cacheWriteLongTokens ?? 0;
  const parts: readonly (readonly [tokens: number, price: NanoUsdPerMillion | undefined])[] = [
    [usage.cachedInputTokens ?? 0, price.cachedInput],
    [(usage.cacheWriteTokens ?? 0) - cacheWriteLong, price.cacheWrite],
    [cacheWriteLong, price.cacheWriteLong ?? price.cacheWrite],
    [usage.inputAudioTokens ?? 0, price.inputAudio],
    [usage.inputImageTokens ?? 0, price.inputImage],
  ];
  const outputParts: readonly (readonly [tokens: number, price: NanoUsdPerMillion | undefined])[] = [
    [usage.outputAudioTokens ?? 0, price.outputAudio],
    [usage.outputImageTokens ?? 0, price.outputImage],
  ];
  const tokenCost = splitCost(usage.inputTokens, price.input, parts) + splitCost(usage.outputTokens, price.output, outputParts);
  const tiered = ceilDiv(tokenCost * TIER_PERCENT[tier], MILLION * 100n);
  return tiered + (price.perRequest ?? 0n) + (price.perHostedToolCall ?? 0n) * BigInt(usage.hostedToolCalls ?? 0);
}

/** In millionths of a nano-dollar: the priced parts at their own price, what remains of the total at the whole's. */
function splitCost(total: number, whole: NanoUsdPerMillion, parts: readonly (readonly [tokens: number, price: NanoUsdPerMillion | undefined])[]): bigint {
  let remaining = BigInt(total);
  let cost = 0n;
  for (const [tokens, price] of parts) {
    if (price === undefined || tokens <= 0) continue;
    cost += BigInt(tokens) * price;
    remaining -= BigInt(tokens);
  }
  return remaining > 0n ? cost + remaining * whole : cost;
}

/** The two numbers of a worst case: what the input costs at most, and what each output token costs at most. */
export interface WorstCase {
  readonly fixedNanoUsd: NanoUsd;
  readonly outputNanoUsdPerMillion: NanoUsdPerMillion;
}

/**
 * Every token at the dearest price that it could have: writing a cache can cost more than reading input, audio more than
 * text. Absent `cacheWrites`: it is not known whether any is written.
 */
export function worstCaseOf(price: Price, inputTokens: number, tier: PriceTier = 'standard', cacheWrites: CacheWrites = 'long'): WorstCase {
  const input = dearest(price.input, price.cachedInput, ...cacheWritePrices(price, cacheWrites), price.inputAudio, price.inputImage);
  const output = dearest(price.output, price.outputAudio, price.outputImage);
  // A tier that is asked for may not be granted, and is then billed at the standard price; a batch is one, or is not made.
  const percent = TIER_PERCENT[tier] > 100n || tier === 'batch' ? TIER_PERCENT[tier] : 100n;
  return {
    fixedNanoUsd: ceilDiv(BigInt(inputTokens) * input * percent, MILLION * 100n) + (price.perRequest ?? 0n),
    outputNanoUsdPerMillion: ceilDiv(output * percent, 100n),
  };
}

function cacheWritePrices({ cacheWrite, cacheWriteLong }: Price, writes: CacheWrites): readonly (NanoUsdPerMillion | undefined)[] {
  switch (writes) {
    case 'none':
      return [];
    case 'short':
      return [cacheWrite];
    case 'long':
      return [cacheWrite, cacheWriteLong];
  }
}

function dearest(...prices: readonly (NanoUsdPerMillion | undefined)[]): NanoUsdPerMillion {
  return prices.reduce<bigint>((most, price) => (price !== undefined && price > most ? price : most), 0n);
}
