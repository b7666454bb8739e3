import { ceilDiv } from '../units/index.ts';
import type { NanoUsd } from '../units/index.ts';
import type { LimitSpec, Quote } from './types.ts';

const MILLION = 1_000_000n;

/** Whether a limit's holds are upper bounds, which is what makes it impossible to overspend. */
export function holdsUpperBound(spec: LimitSpec): boolean {
  return spec.kind === 'budget' && spec.mode === 'Strict';
}

/**
 * What one call would hold, by output cap. A strict budget holds the upper bound. All others (Bounded, Observe, and
 * rate limits in any mode) hold what such a call is expected to use, if that is less: a rate limit that held the maximum
 * of a call without a cap would admit one call a minute.
 */
export class Demand {
  readonly outputCap: number;
  readonly #quote: Quote;
  readonly #inputTokens: bigint;
  readonly #choices: bigint;
  readonly #nanoUsdPerMillionCap: bigint;
  readonly #expectedNanoUsd: NanoUsd;
  readonly #expectedTokens: bigint;

  /** `typicalOutputTokens`: what answers of this profile used so far, each; `undefined` where none is known. */
  constructor(quote: Quote, typicalOutputTokens: number | undefined) {
    this.outputCap = quote.outputCap;
    this.#quote = quote;
    this.#inputTokens = BigInt(quote.inputTokens);
    this.#choices = BigInt(quote.choices);
    this.#nanoUsdPerMillionCap = quote.outputNanoUsdPerMillion * this.#choices;
    const { nanoUsd, tokens, outputTokens } = quote.estimate;
    const correction =
      typicalOutputTokens === undefined || outputTokens === undefined
        ? 0
        : Math.min(Math.ceil(typicalOutputTokens), quote.outputCap) * quote.choices - outputTokens;
    this.#expectedTokens = atLeastZero(BigInt(tokens) + BigInt(correction));
    this.#expectedNanoUsd = atLeastZero(nanoUsd + ceilDiv(quote.outputNanoUsdPerMillion * BigInt(correction), MILLION));
  }

  /** What the limit would hold for a call with this cap. */
  holdAt(spec: LimitSpec, cap: number): bigint {
    if (spec.unit === 'requests') return 1n;
    const bound = this.#boundAt(spec.unit, cap);
    const expected = this.#expected(spec.unit);
    return holdsUpperBound(spec) || bound < expected ? bound : expected;
  }

  /** The largest cap, at most the one asked for, whose hold is no more than `amount`; -1 if not even an empty answer's is. */
  capWithin(spec: LimitSpec, amount: bigint): number {
    if (this.holdAt(spec, this.outputCap) <= amount) return this.outputCap;
    if (this.holdAt(spec, 0) > amount) return -1;
    const [spare, perCap] =
      spec.unit === 'usd' ? [(amount - this.#quote.fixedNanoUsd) * MILLION, this.#nanoUsdPerMillionCap] : [amount - this.#inputTokens, this.#choices];
    return Math.min(this.outputCap, Number(spare / perCap));
  }

  #boundAt(unit: 'usd' | 'tokens', cap: number): bigint {
    return unit === 'usd'
      ? this.#quote.fixedNanoUsd + ceilDiv(this.#nanoUsdPerMillionCap * BigInt(cap), MILLION)
      : this.#inputTokens + this.#choices * BigInt(cap);
  }

  #expected(unit: 'usd' | 'tokens'): bigint {
    return unit === 'usd' ? this.#expectedNanoUsd : this.#expectedTokens;
  }
}

/** Throws on what no quote can be: a bug of the caller, found before anything is changed. */
export function assertQuote(quote: Quote): void {
  const { fixedNanoUsd, outputNanoUsdPerMillion, inputTokens, choices, outputCap, estimate } = quote;
  if (fixedNanoUsd < 0n || outputNanoUsdPerMillion < 0n || estimate.nanoUsd < 0n) throw new RangeError('a quote has a negative amount of money');
  for (const tokens of [inputTokens, outputCap, estimate.tokens, estimate.outputTokens ?? 0]) assertTokens(tokens);
  if (!Number.isSafeInteger(choices) || choices < 1) throw new RangeError(`a quote is for ${choices} choices; at least 1 was expected`);
}

export function assertTokens(tokens: number): void {
  if (!Number.isSafeInteger(tokens) || tokens < 0) throw new RangeError(`${tokens} is not a number of tokens`);
}

function atLeastZero(amount: bigint): bigint {
  return amount < 0n ? 0n : amount;
}
