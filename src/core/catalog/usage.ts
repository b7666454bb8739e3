/**
 * What one answer used, as the provider counted it. Parts are included in their totals, as in OpenAI's `usage`:
 * `cachedInputTokens`, `cacheWriteTokens`, `inputAudioTokens` and `inputImageTokens` in `inputTokens`; `reasoningTokens`,
 * `outputAudioTokens` and `outputImageTokens` in `outputTokens`. A part that the provider did not report is absent, which is not zero.
 */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  readonly cacheWriteTokens?: number;
  /** Of `cacheWriteTokens`, those kept for an hour (Anthropic prices them apart). */
  readonly cacheWriteLongTokens?: number;
  readonly reasoningTokens?: number;
  readonly inputAudioTokens?: number;
  readonly outputAudioTokens?: number;
  readonly inputImageTokens?: number;
  readonly outputImageTokens?: number;
  /** Calls of tools that the provider runs and bills apart (web search and the like). */
  readonly hostedToolCalls?: number;
}

/** Tiers at which providers bill the same model differently. */
export type PriceTier = 'standard' | 'batch' | 'flex' | 'priority';

/** What a request can have written to a provider's cache, where that has prices of its own: `short` lives minutes, `long` an hour. */
export type CacheWrites = 'none' | 'short' | 'long';

/** Of several answers, each part by itself: a part that none reported stays absent. */
export function sumOfUsages(usages: readonly Usage[]): Usage {
  const sum: Partial<Record<keyof Usage, number>> = {};
  for (const usage of usages) for (const [name, count] of Object.entries(usage) as [keyof Usage, number][]) sum[name] = (sum[name] ?? 0) + count;
  return { inputTokens: 0, outputTokens: 0, ...sum };
}
