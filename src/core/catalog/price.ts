import type { NanoUsd } from '../units/index.ts';

/** Nano-dollars per million tokens: $2 per million is `2_000_000_000n`. */
export type NanoUsdPerMillion = bigint;

/**
 * What a model costs. A kind without a price of its own is billed as the kind that contains it (cached input as input,
 * reasoning as output), which never undercounts for the kinds that providers discount.
 */
export interface Price {
  readonly input: NanoUsdPerMillion;
  readonly output: NanoUsdPerMillion;
  readonly cachedInput?: NanoUsdPerMillion;
  readonly cacheWrite?: NanoUsdPerMillion;
  readonly cacheWriteLong?: NanoUsdPerMillion;
  readonly inputAudio?: NanoUsdPerMillion;
  readonly outputAudio?: NanoUsdPerMillion;
  readonly inputImage?: NanoUsdPerMillion;
  readonly outputImage?: NanoUsdPerMillion;
  /** A fee on each request besides its tokens. */
  readonly perRequest?: NanoUsd;
  /** A fee on each call of a tool that the provider runs. */
  readonly perHostedToolCall?: NanoUsd;
  /** Where the price came from and its version, kept with every record: `airmesh-catalog/1`, `genai-prices/0.1.8`, `AIProvider shop/openai`. */
  readonly source: string;
}
