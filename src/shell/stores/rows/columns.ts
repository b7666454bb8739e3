import type { SpendGrouping } from '../../../core/call/index.ts';
import type { AccountEntry, LeaseEntry, ShareEntry } from '../../../core/leases/index.ts';
import type { KeyedFigures } from './spend.ts';
import type { Figures } from './tally.ts';
import { fromText } from './text.ts';
import { owedBy } from './unaccounted.ts';
import type { OwedShare, PostedUnder } from './unaccounted.ts';

/** A row of a database, by its columns' names. Integers may come as digits. */
export type Row = Readonly<Record<string, string | number | null>>;

/** Columns of figures, in the order in which tables have them. Amounts and figures fit no column of integers. */
export const FIGURE_COLUMNS = {
  requests: 'requests',
  estimated: 'estimated',
  input_tokens: 'inputTokens',
  cached_input_tokens: 'cachedInputTokens',
  output_tokens: 'outputTokens',
  reasoning_tokens: 'reasoningTokens',
  cost_nano_usd: 'costNanoUsd',
  charged_nano_usd: 'chargedNanoUsd',
} as const satisfies Record<string, keyof Figures>;

/** What a grouping goes by, in `totals`, or in `subjects` where that is a budget. */
export const GROUPING_COLUMNS: Readonly<Record<SpendGrouping, readonly string[]>> = {
  workload: ['namespace', 'workload'],
  namespace: ['namespace'],
  model: ['model'],
  provider: ['provider'],
  day: ['day'],
  budget: ['budget'],
  subject: ['budget', 'subject'],
};

export function sumsTable(by: SpendGrouping): 'totals' | 'subjects' {
  return by === 'budget' || by === 'subject' ? 'subjects' : 'totals';
}

/** A sum, with the columns that it was grouped by. */
export function keyedFiguresIn(by: SpendGrouping, row: Row): KeyedFigures {
  const key = Object.fromEntries(GROUPING_COLUMNS[by].map((name) => [name, name === 'day' ? Number(row[name]) : row[name]]));
  const figures = Object.entries(FIGURE_COLUMNS).map(([column, figure]) => [figure, amountOf(row, column)]);
  return { ...key, figures: Object.fromEntries(figures) as Figures };
}

export function leaseIn(row: Row): LeaseEntry {
  return {
    kind: 'lease',
    lease: Number(row['lease']),
    processor: String(row['processor']),
    nonce: String(row['nonce']),
    state: row['state'] as LeaseEntry['state'],
    ...(row['expired_at'] === null ? {} : { expiredAt: Number(row['expired_at']) }),
  };
}

export function accountIn(row: Row): AccountEntry {
  return {
    kind: 'account',
    ...refIn(row),
    carried: amountOf(row, 'carried'),
    buckets: bucketsIn(row),
    ...(row['until'] === null ? {} : { until: Number(row['until']) }),
    rollingMs: Number(row['rolling_ms']),
    alerted: Number(row['alerted']),
    isGone: false,
  };
}

export function shareIn(row: Row): ShareEntry {
  return {
    kind: 'share',
    lease: Number(row['lease']),
    ...refIn(row),
    granted: amountOf(row, 'granted'),
    returned: amountOf(row, 'returned'),
    spent: amountOf(row, 'spent'),
    buckets: bucketsIn(row),
    allowance: amountOf(row, 'allowance'),
    forgiven: amountOf(row, 'forgiven'),
  };
}

/** Of a share's row that its lease's was joined to. */
export function owedIn(row: Row): OwedShare {
  const share = shareIn(row);
  const { lease, limit, subject, period } = share;
  const owed = owedBy(share, row['expired_at'] !== null);
  return { lease, processor: String(row['processor']), state: row['state'] as LeaseEntry['state'], limit, subject, period, owed };
}

export function postedIn(row: Row): PostedUnder {
  return {
    lease: Number(row['lease']),
    limit: String(row['limit_id']),
    subject: String(row['subject']),
    window: Number(row['window']),
    amount: amountOf(row, 'amount'),
  };
}

function refIn(row: Row): Pick<ShareEntry, 'limit' | 'subject' | 'period'> {
  return { limit: String(row['identity']), subject: String(row['subject']), period: Number(row['period']) };
}

const amountOf = (row: Row, column: string): bigint => BigInt(String(row[column]));

const bucketsIn = (row: Row): ShareEntry['buckets'] => fromText(String(row['buckets'])) as ShareEntry['buckets'];
