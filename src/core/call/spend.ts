import type { EpochMs } from '../units/index.ts';

/**
 * What spending can be summed by. `day`: in UTC, as `2026-05-04`. `budget`: a call counts once in each budget that it was
 * posted in. `subject`: the same, by budget and whose account in it.
 */
export const SPEND_GROUPINGS = ['workload', 'namespace', 'model', 'provider', 'day', 'budget', 'subject'] as const;

export type SpendGrouping = (typeof SPEND_GROUPINGS)[number];

/** Sums over calls. Money as decimal digits of nano-dollars, so that it crosses threads and JSON whole. */
export interface SpendRow {
  readonly key: string;
  readonly requests: number;
  /** How many of them were settled without the provider's count. */
  readonly estimated: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** What the usage costs. */
  readonly costNanoUsd: string;
  /** What budgets were charged: more, where a strict one posted a whole hold. */
  readonly chargedNanoUsd: string;
}

export interface SpendQuery {
  readonly by: SpendGrouping;
  /** Whole days, in UTC: from the one that this time is in. */
  readonly sinceMs: EpochMs;
  /** Up to the day that the millisecond before this time is in; absent: to the end. */
  readonly untilMs?: EpochMs;
}

/** Calls that ended at or after `sinceMs` and before `untilMs`, in the order of their ending and then of their ids. */
export interface RecordQuery {
  readonly sinceMs: EpochMs;
  readonly untilMs?: EpochMs;
  /** Goes on behind the record of that ending and id. */
  readonly after?: { readonly endedAt: EpochMs; readonly id: string };
  readonly count: number;
}
