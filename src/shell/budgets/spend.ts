import { existsSync } from 'node:fs';
import { convertNanoUsd, formatNanoUsd } from '../../core/units/index.ts';
import type { AccountView } from '../../core/ledger/index.ts';
import { BooksClient } from '../stores/sqlite/index.ts';
import type { SpendRow } from '../stores/sqlite/index.ts';
import type { DurableBudgets } from './durable.ts';
import { booksFile } from './folder.ts';

/** Figures of some calls; money as decimal strings. */
export interface SpendEntry {
  readonly name: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly totalTokens: number;
  readonly costUsd: string;
  readonly costCny: string;
  /** How many of the requests were settled by an estimate. */
  readonly estimatedRequests: number;
}

export interface BudgetReport {
  readonly budget: string;
  readonly subject: string;
  readonly unit: AccountView['unit'];
  readonly mode: AccountView['mode'];
  /** Dollars as decimals, or whole tokens or requests, by `unit`. */
  readonly limit: string;
  readonly posted: string;
  readonly pending: string;
  readonly free: string;
  readonly windowStart: string;
  /** `null` for a lifetime and for rolling windows, which have no end. */
  readonly windowEnd: string | null;
}

export interface SpendReport {
  readonly since: string;
  readonly totals: SpendEntry;
  readonly byWorkload: readonly SpendEntry[];
  readonly byModel: readonly SpendEntry[];
  readonly byProvider: readonly SpendEntry[];
  readonly budgets: readonly BudgetReport[];
}

/** Who spent what since a time (whole days, UTC), and where each budget stands. `cnyPerUsdNano` in billionths. */
export async function spendReport(
  budgets: Pick<DurableBudgets, 'spend' | 'views'>,
  sinceMs: number,
  cnyPerUsdNano: bigint,
  isBudget: (limit: string) => boolean,
): Promise<SpendReport> {
  const [byWorkload, byModel, byProvider] = await Promise.all([
    budgets.spend('workload', sinceMs),
    budgets.spend('model', sinceMs),
    budgets.spend('provider', sinceMs),
  ]);
  const entry = (row: SpendRow): SpendEntry => entryOf(row, cnyPerUsdNano);
  return {
    since: new Date(sinceMs).toISOString(),
    totals: entry(byModel.reduce(sum, EMPTY)),
    byWorkload: byWorkload.map(entry),
    byModel: byModel.map(entry),
    byProvider: byProvider.map(entry),
    budgets: budgets
      .views()
      .filter(({ limit }) => isBudget(limit))
      .map(budgetOf),
  };
}

/**
 * The same from the books of a state folder alone, while no process runs on it; `undefined` where there are none.
 * Budgets are not in it, as their limits stand in the resources; and what a crash left in the journal is counted by the
 * next start. Throws BooksUnusable.
 */
export async function storedSpend(folder: string, sinceMs: number, cnyPerUsdNano: bigint): Promise<SpendReport | undefined> {
  const path = booksFile(folder);
  if (!existsSync(path)) return undefined;
  const books = await BooksClient.open(path);
  try {
    return await spendReport({ spend: (by, since) => books.spend(by, since), views: () => [] }, sinceMs, cnyPerUsdNano, () => false);
  } finally {
    await books.close();
  }
}

const EMPTY: SpendRow = {
  key: 'all',
  requests: 0,
  estimated: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  costNanoUsd: '0',
  chargedNanoUsd: '0',
};

function sum(left: SpendRow, right: SpendRow): SpendRow {
  return {
    key: left.key,
    requests: left.requests + right.requests,
    estimated: left.estimated + right.estimated,
    inputTokens: left.inputTokens + right.inputTokens,
    cachedInputTokens: left.cachedInputTokens + right.cachedInputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    reasoningTokens: left.reasoningTokens + right.reasoningTokens,
    costNanoUsd: String(BigInt(left.costNanoUsd) + BigInt(right.costNanoUsd)),
    chargedNanoUsd: String(BigInt(left.chargedNanoUsd) + BigInt(right.chargedNanoUsd)),
  };
}

function entryOf(row: SpendRow, cnyPerUsdNano: bigint): SpendEntry {
  const cost = BigInt(row.costNanoUsd);
  return {
    name: row.key,
    requests: row.requests,
    inputTokens: row.inputTokens,
    cachedInputTokens: row.cachedInputTokens,
    outputTokens: row.outputTokens,
    reasoningTokens: row.reasoningTokens,
    totalTokens: row.inputTokens + row.outputTokens,
    costUsd: formatNanoUsd(cost),
    costCny: formatNanoUsd(convertNanoUsd(cost, cnyPerUsdNano)),
    estimatedRequests: row.estimated,
  };
}

function budgetOf(view: AccountView): BudgetReport {
  const amount = (value: bigint): string => (view.unit === 'usd' ? formatNanoUsd(value) : String(value));
  return {
    budget: view.limit,
    subject: view.subject,
    unit: view.unit,
    mode: view.mode,
    limit: amount(view.limitAmount),
    posted: amount(view.posted),
    pending: amount(view.pending),
    free: amount(view.free),
    windowStart: new Date(view.windowStart).toISOString(),
    windowEnd: view.windowEnd === undefined ? null : new Date(view.windowEnd).toISOString(),
  };
}
