import type { CallRecord, RecordQuery, SpendGrouping, SpendQuery, SpendRow } from '../../core/call/index.ts';
import type { AccountView } from '../../core/ledger/index.ts';
import { convertNanoUsd, formatNanoUsd, isRateLimit, limitIdOf } from '../../core/units/index.ts';
import type { EpochMs } from '../../core/units/index.ts';
import type { Unaccounted } from '../ledger/index.ts';

/** Books, of one process or of the ledger service. */
export interface SpendSource {
  spend(query: SpendQuery): Promise<readonly SpendRow[]>;
  records(query: RecordQuery): Promise<readonly CallRecord[]>;
  /** Where budgets stand; none where that is not known here. */
  views(): readonly AccountView[];
  /** What no record tells; absent where there are no leases. */
  unaccounted?(): Promise<readonly Unaccounted[]>;
  /** Yuan for a dollar, in billionths. */
  readonly cnyPerUsdNano: bigint;
}

/** Whole days, in UTC: from the one that `sinceMs` is in, up to the one that the millisecond before `untilMs` is in. */
export interface Period {
  readonly sinceMs: EpochMs;
  readonly untilMs?: EpochMs;
}

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

/**
 * A processor that was lost with its disk, in one budget: what its lease had and no record tells. It counts as spent, as
 * whatever of it was billed is.
 */
export interface LostLease {
  readonly lease: number;
  readonly processor: string;
  readonly budget: string;
  readonly subject: string;
  readonly unit: AccountView['unit'];
  /** As in BudgetReport. */
  readonly amount: string;
}

export interface SpendReport {
  readonly since: string;
  /** `null`: to the end. */
  readonly until: string | null;
  readonly totals: SpendEntry;
  readonly byWorkload: readonly SpendEntry[];
  readonly byModel: readonly SpendEntry[];
  readonly byProvider: readonly SpendEntry[];
  readonly budgets: readonly BudgetReport[];
  /** Of all that is kept, whenever it was. */
  readonly lost: readonly LostLease[];
}

/** Sums by one thing. */
export interface SpendTable {
  readonly since: string;
  readonly until: string | null;
  readonly by: SpendGrouping;
  readonly rows: readonly SpendEntry[];
}

/** Who spent what in a period, where each budget stands, and what was lost. */
export async function spendReport(source: SpendSource, period: Period): Promise<SpendReport> {
  const [byWorkload, byModel, byProvider, unaccounted] = await Promise.all([
    source.spend({ by: 'workload', ...period }),
    source.spend({ by: 'model', ...period }),
    source.spend({ by: 'provider', ...period }),
    source.unaccounted?.() ?? [],
  ]);
  const entry = (row: SpendRow): SpendEntry => entryOf(row, source.cnyPerUsdNano);
  return {
    ...bounds(period),
    totals: entry(byModel.reduce(sum, EMPTY)),
    byWorkload: byWorkload.map(entry),
    byModel: byModel.map(entry),
    byProvider: byProvider.map(entry),
    budgets: source.views().map(budgetOf),
    lost: lostLeases(unaccounted),
  };
}

export async function spendTable(source: SpendSource, by: SpendGrouping, period: Period): Promise<SpendTable> {
  const rows = await source.spend({ by, ...period });
  return { ...bounds(period), by, rows: rows.map((row) => entryOf(row, source.cnyPerUsdNano)) };
}

function bounds({ sinceMs, untilMs }: Period): { readonly since: string; readonly until: string | null } {
  return { since: new Date(sinceMs).toISOString(), until: untilMs === undefined ? null : new Date(untilMs).toISOString() };
}

/** One for each lease and account, whatever windows it was in. Of leases that live, records may be on their way. */
function lostLeases(unaccounted: readonly Unaccounted[]): LostLease[] {
  const lost = unaccounted.filter(({ state, limit }) => (state === 'expired' || state === 'gone') && !isRateLimit(limitIdOf(limit)));
  const byAccount = Map.groupBy(lost, ({ lease, limit, subject }) => JSON.stringify([lease, limit, subject]));
  return [...byAccount.values()].flatMap((parts) => {
    const [first] = parts;
    if (first === undefined) return [];
    const { lease, processor, limit, subject } = first;
    const budget = limitIdOf(limit);
    const unit = limit.slice(budget.length + 1).split('|', 1)[0] as AccountView['unit'];
    const amount = parts.reduce((total, part) => total + part.amount, 0n);
    return [{ lease, processor, budget, subject, unit, amount: amountIn(unit, amount) }];
  });
}

function amountIn(unit: AccountView['unit'], amount: bigint): string {
  return unit === 'usd' ? formatNanoUsd(amount) : String(amount);
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
  const amount = (value: bigint): string => amountIn(view.unit, value);
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
