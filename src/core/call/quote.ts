import { worstCaseOf } from '../catalog/index.ts';
import type { ModelInfo } from '../catalog/index.ts';
import type { Endpoint, RequestFacts } from '../dialects/index.ts';
import type { Quote } from '../ledger/index.ts';
import type { TransformPolicy } from '../policy/index.ts';

/** Used as the size of an input image where the model's own bound is unknown: above every bound that a provider publishes. */
const UNKNOWN_IMAGE_TOKENS = 16_384;

/** Where neither caller, policy nor model bounds the answer: the largest answer that any model of the catalogue gives. */
const UNKNOWN_OUTPUT_TOKENS = 131_072;

/** What an answer is expected to be where its real length is not known yet: a share of the cap, within reason. */
const EXPECTED_OUTPUT_TOKENS = 512;

/** What a call that costs nothing may cost. It counts as a request all the same. */
export const FREE: Quote = {
  fixedNanoUsd: 0n,
  outputNanoUsdPerMillion: 0n,
  inputTokens: 0,
  choices: 1,
  outputCap: 0,
  capIsDefault: false,
  estimate: { nanoUsd: 0n, tokens: 0, outputTokens: 0 },
};

/** Counting tokens is free at every provider that does it. Sources: Claude and Gemini API docs, "Token counting" and "Count tokens"; OpenAI's, "Counting tokens". */
export function isFree({ operation }: Endpoint): boolean {
  return operation === 'count_tokens';
}

/** The cap on one answer's tokens: the caller's, else the rule's default, else the model's; never above the rule's or the model's. */
export function outputCapOf(facts: RequestFacts, model: ModelInfo, transform: TransformPolicy): { readonly cap: number; readonly isDefault: boolean } {
  if (!facts.hasOutput) return { cap: 0, isDefault: false };
  const asked = facts.maxOutputTokens ?? transform.defaultMaxOutputTokens;
  const bounds = [model.maxOutputTokens, transform.maxOutputTokens].filter((bound) => bound !== undefined);
  return { cap: Math.min(asked ?? UNKNOWN_OUTPUT_TOKENS, ...bounds), isDefault: facts.maxOutputTokens === undefined };
}

/**
 * The worst case of a call, from above in every part. An unknown price counts no money. What has no bound of its own is
 * held at the whole context window as input.
 */
export function quoteOf(facts: RequestFacts, model: ModelInfo, transform: TransformPolicy): Quote {
  const { cap, isDefault } = outputCapOf(facts, model, transform);
  const images = facts.inputImages * (model.maxImageTokens ?? UNKNOWN_IMAGE_TOKENS);
  const bounded = facts.inputTokenBound + images;
  const inputTokens = facts.unbounded.length === 0 ? bounded : Math.max(bounded, model.contextWindow ?? bounded);
  const worst = model.price === undefined ? undefined : worstCaseOf(model.price, inputTokens, facts.tier, facts.cacheWrites);
  const expectedOutput = Math.min(cap, EXPECTED_OUTPUT_TOKENS) * facts.choices;
  const expectedInput = Math.min(inputTokens, facts.inputTokenEstimate + images);
  const expected = model.price === undefined ? undefined : worstCaseOf(model.price, expectedInput, facts.tier, facts.cacheWrites);
  const perOutput = worst?.outputNanoUsdPerMillion ?? 0n;
  return {
    fixedNanoUsd: worst?.fixedNanoUsd ?? 0n,
    outputNanoUsdPerMillion: perOutput,
    inputTokens,
    choices: facts.choices,
    outputCap: cap,
    capIsDefault: isDefault,
    estimate: {
      nanoUsd: (expected?.fixedNanoUsd ?? 0n) + (perOutput * BigInt(expectedOutput)) / 1_000_000n,
      tokens: expectedInput + expectedOutput,
      outputTokens: expectedOutput,
    },
  };
}
