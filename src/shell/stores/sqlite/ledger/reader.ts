import { DatabaseSync } from 'node:sqlite';
import type { CallRecord, RecordQuery, SpendGrouping, SpendQuery, SpendRow } from '../../../../core/call/index.ts';
import type { LeaseEntry } from '../../../../core/leases/index.ts';
import type { Pulse, Unaccounted } from '../../../ledger/index.ts';
import { dayOf, owedBy, recordFromText, spendRows, unaccountedOf } from '../../rows/index.ts';
import type { KeyedFigures, OwedShare, PostedUnder } from '../../rows/index.ts';
import { shareOf } from './entries.ts';
import { FIGURES_TOTALLED, addSums } from './schema.ts';

const COLUMNS: Readonly<Record<SpendGrouping, readonly string[]>> = {
  workload: ['namespace', 'workload'],
  namespace: ['namespace'],
  model: ['model'],
  provider: ['provider'],
  day: ['day'],
  budget: ['budget'],
  subject: ['budget', 'subject'],
};

type Row = Readonly<Record<string, string | number | null>>;

/** The connection that only reads: in a thread of its own, so that no commit waits for an export. */
export class LedgerReader {
  readonly #database: DatabaseSync;

  /** The file has been opened by the writer before. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true });
    this.#database.exec('PRAGMA busy_timeout = 5000;');
    addSums(this.#database);
  }

  pulse(): Pulse {
    return this.#database.prepare('SELECT term, beat FROM ledger').get() as unknown as Pulse;
  }

  spend({ by, sinceMs }: SpendQuery): SpendRow[] {
    const table = by === 'budget' || by === 'subject' ? 'subjects' : 'totals';
    const columns = COLUMNS[by].join(', ');
    const rows = this.#database.prepare(`SELECT ${columns}, ${FIGURES_TOTALLED} FROM ${table} WHERE day >= ? GROUP BY ${columns}`).all(dayOf(sinceMs)) as Row[];
    return spendRows(by, rows.map(figuresIn));
  }

  records({ sinceMs, untilMs, after, count }: RecordQuery): CallRecord[] {
    const from = after === undefined || after.endedAt < sinceMs ? { endedAt: sinceMs, id: '' } : after;
    const rows = this.#database
      .prepare('SELECT record FROM records WHERE (ended_at, id) > (?, ?) AND ended_at < ? ORDER BY ended_at, id LIMIT ?')
      .all(from.endedAt, from.id, untilMs ?? Number.MAX_SAFE_INTEGER, count);
    return (rows as unknown as { record: string }[]).map(({ record }) => recordFromText(record));
  }

  unaccounted(): Unaccounted[] {
    this.#database.exec('BEGIN');
    try {
      const shares = this.#database.prepare('SELECT shares.*, processor, state, expired_at FROM shares JOIN leases USING (lease)').all() as Row[];
      const posted = this.#database.prepare('SELECT * FROM posted').all() as Row[];
      return unaccountedOf(shares.map(owedIn), posted.map(postedIn));
    } finally {
      this.#database.exec('COMMIT');
    }
  }

  close(): void {
    this.#database.close();
  }
}

function figuresIn(row: Row): KeyedFigures {
  const key = Object.fromEntries(Object.entries(row).filter(([name]) => KEYS.has(name)));
  const figure = (name: string): bigint => BigInt(String(row[name]));
  return {
    ...key,
    figures: {
      requests: figure('requests'),
      estimated: figure('estimated'),
      inputTokens: figure('input_tokens'),
      cachedInputTokens: figure('cached_input_tokens'),
      outputTokens: figure('output_tokens'),
      reasoningTokens: figure('reasoning_tokens'),
      costNanoUsd: figure('cost_nano_usd'),
      chargedNanoUsd: figure('charged_nano_usd'),
    },
  };
}

const KEYS = new Set(Object.values(COLUMNS).flat());

function owedIn(row: Row): OwedShare {
  const share = shareOf(row);
  const { lease, limit, subject, period } = share;
  const owed = owedBy(share, row['expired_at'] !== null);
  return { lease, processor: String(row['processor']), state: row['state'] as LeaseEntry['state'], limit, subject, period, owed };
}

function postedIn(row: Row): PostedUnder {
  return {
    lease: Number(row['lease']),
    limit: String(row['limit_id']),
    subject: String(row['subject']),
    window: Number(row['window']),
    amount: BigInt(String(row['amount'])),
  };
}
