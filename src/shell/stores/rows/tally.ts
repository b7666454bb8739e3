import { isRateLimit } from '../../../core/units/index.ts';
import type { CallRecord, SpendQuery } from '../../../core/call/index.ts';
import type { AccountRef } from '../../../core/ledger/index.ts';
import type { LeaseNumber } from '../../../core/leases/index.ts';
import type { EpochMs } from '../../../core/units/index.ts';

const DAY_MS = 86_400_000;
/** No time that is told is as late: it is a safe integer. */
const MAX_DAY = 2 ** 31 - 1;

/** What is summed up of calls. Sums have no largest value: who makes up figures spoils his own sums, and stops nobody's. */
export interface Figures {
  readonly requests: bigint;
  readonly estimated: bigint;
  readonly inputTokens: bigint;
  readonly cachedInputTokens: bigint;
  readonly outputTokens: bigint;
  readonly reasoningTokens: bigint;
  readonly costNanoUsd: bigint;
  readonly chargedNanoUsd: bigint;
}

/** Of one day, by whose calls they were and where they went. */
export interface TotalSum {
  readonly day: number;
  readonly namespace: string;
  readonly workload: string;
  readonly model: string;
  readonly provider: string;
  readonly figures: Figures;
}

/** Of one day, by budget and account. A call has one account in a budget. */
export interface SubjectSum {
  readonly day: number;
  readonly budget: string;
  readonly subject: string;
  readonly figures: Figures;
}

/** What records posted from one lease's shares. `limit` is the limit's id, `windowStart` that of the hold. */
export interface PostedSum {
  readonly lease: LeaseNumber;
  readonly limit: string;
  readonly subject: string;
  readonly windowStart: EpochMs;
  readonly amount: bigint;
}

/** What a batch of records adds, so that a row that many calls share is written once. */
export interface Tally {
  readonly totals: readonly TotalSum[];
  readonly subjects: readonly SubjectSum[];
  readonly posted: readonly PostedSum[];
}

export const NO_FIGURES: Figures = {
  requests: 0n,
  estimated: 0n,
  inputTokens: 0n,
  cachedInputTokens: 0n,
  outputTokens: 0n,
  reasoningTokens: 0n,
  costNanoUsd: 0n,
  chargedNanoUsd: 0n,
};

export function addFigures(left: Figures, right: Figures): Figures {
  return {
    requests: left.requests + right.requests,
    estimated: left.estimated + right.estimated,
    inputTokens: left.inputTokens + right.inputTokens,
    cachedInputTokens: left.cachedInputTokens + right.cachedInputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    reasoningTokens: left.reasoningTokens + right.reasoningTokens,
    costNanoUsd: left.costNanoUsd + right.costNanoUsd,
    chargedNanoUsd: left.chargedNanoUsd + right.chargedNanoUsd,
  };
}

/** Days since 1970-01-01, in UTC. */
export function dayOf(at: EpochMs): number {
  return Math.floor(at / DAY_MS);
}

/** The first and the last day that a query means. */
export function daysOf({ sinceMs, untilMs }: Pick<SpendQuery, 'sinceMs' | 'untilMs'>): { readonly from: number; readonly to: number } {
  return { from: dayOf(sinceMs), to: untilMs === undefined ? MAX_DAY : dayOf(untilMs - 1) };
}

/** Of records that were not counted before. A call counts on the day it ended. Keys are as UTF-8 can hold them. */
export function tallyOf(records: Iterable<CallRecord>): Tally {
  const totals = new Map<string, TotalSum>();
  const subjects = new Map<string, SubjectSum>();
  const posted = new Map<string, PostedSum>();
  for (const record of records) {
    const namespace = record.namespace.toWellFormed();
    const workload = record.workload.toWellFormed();
    const model = record.model.toWellFormed();
    const provider = record.provider.toWellFormed();
    const day = dayOf(record.endedAt);
    const figures = figuresOf(record);
    count(totals, [day, namespace, workload, model, provider], { day, namespace, workload, model, provider, figures });
    const postings = record.posted.map((posting) => ({ ...posting, limit: posting.limit.toWellFormed(), subject: posting.subject.toWellFormed() }));
    for (const { limit, subject } of budgetsOf({ posted: postings })) count(subjects, [day, limit, subject], { day, budget: limit, subject, figures });
    for (const { lease = 0, limit, subject, windowStart, amount } of postings) {
      if (lease === 0) continue;
      const key = JSON.stringify([lease, limit, subject, windowStart]);
      posted.set(key, { lease, limit, subject, windowStart, amount: amount + (posted.get(key)?.amount ?? 0n) });
    }
  }
  return { totals: [...totals.values()], subjects: [...subjects.values()], posted: [...posted.values()] };
}

/** The accounts that a call counts in, each once. Budgets only: a rate limit is nothing that anybody spends. */
export function budgetsOf({ posted: postings }: { readonly posted: readonly AccountRef[] }): Iterable<AccountRef> {
  const accounts = postings.filter(({ limit }) => !isRateLimit(limit));
  return accounts.length < 2 ? accounts : new Map(accounts.map((account) => [JSON.stringify([account.limit, account.subject]), account])).values();
}

function figuresOf({ usage, estimated, costNanoUsd, chargedNanoUsd }: CallRecord): Figures {
  return {
    requests: 1n,
    estimated: estimated ? 1n : 0n,
    inputTokens: BigInt(usage.inputTokens),
    cachedInputTokens: BigInt(usage.cachedInputTokens ?? 0),
    outputTokens: BigInt(usage.outputTokens),
    reasoningTokens: BigInt(usage.reasoningTokens ?? 0),
    costNanoUsd: costNanoUsd ?? 0n,
    chargedNanoUsd,
  };
}

function count<Sum extends { readonly figures: Figures }>(sums: Map<string, Sum>, key: readonly unknown[], sum: Sum): void {
  const name = JSON.stringify(key);
  const known = sums.get(name);
  sums.set(name, known === undefined ? sum : { ...sum, figures: addFigures(known.figures, sum.figures) });
}
