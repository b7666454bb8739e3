import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { CallRecord } from '../../../../core/call/index.ts';
import { limitIdOf } from '../../../../core/units/index.ts';
import type { AccountEntry, Entry, LeaseEntry, ShareEntry } from '../../../../core/leases/index.ts';
import type { EpochMs } from '../../../../core/units/index.ts';
import type { Lead } from '../../../ledger/index.ts';
import { FIGURE_COLUMNS, tallyOf, toText } from '../../rows/index.ts';
import type { Figures } from '../../rows/index.ts';
import { FIGURES_ADDED, FIGURE_MARKS, addSums, prepareLedger } from './schema.ts';
import { entriesIn } from './entries.ts';

/** What `forget` deletes of each kind in one transaction, so that nothing waits long. */
const STEP_ROWS = 1_000;

const SQL = {
  take: 'UPDATE ledger SET term = term + 1, beat = beat + 1 RETURNING term',
  beat: 'UPDATE ledger SET beat = beat + 1 WHERE term = ?',
  lease: 'INSERT OR REPLACE INTO leases (lease, processor, nonce, state, expired_at, gone_at) VALUES (?, ?, ?, ?, ?, ?)',
  account: 'INSERT OR REPLACE INTO accounts (identity, subject, period, carried, buckets, until, rolling_ms, alerted) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  dropAccount: 'DELETE FROM accounts WHERE identity = ? AND subject = ? AND period = ?',
  closeShares: 'UPDATE shares SET gone_at = ? WHERE identity = ? AND subject = ? AND period = ? AND gone_at IS NULL',
  share: `INSERT INTO shares (lease, identity, subject, period, limit_id, granted, returned, spent, buckets, allowance, forgiven) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET granted = excluded.granted, returned = excluded.returned, spent = excluded.spent, buckets = excluded.buckets,
      allowance = excluded.allowance, forgiven = excluded.forgiven`,
  record: 'INSERT OR IGNORE INTO records (processor, id, ended_at, record) VALUES (?, ?, ?, ?)',
  total: `INSERT INTO totals VALUES (?, ?, ?, ?, ?, ${FIGURE_MARKS}) ON CONFLICT DO UPDATE SET ${FIGURES_ADDED}`,
  subject: `INSERT INTO subjects VALUES (?, ?, ?, ${FIGURE_MARKS}) ON CONFLICT DO UPDATE SET ${FIGURES_ADDED}`,
  isOwn: 'SELECT 1 FROM leases WHERE lease = ? AND processor = ?',
  hasShare: 'SELECT 1 FROM shares WHERE lease = ? AND limit_id = ? AND subject = ? AND period = ? LIMIT 1',
  post: 'INSERT INTO posted VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET amount = plus(amount, excluded.amount)',
  oldRecords: 'DELETE FROM records WHERE rowid IN (SELECT rowid FROM records WHERE ended_at < ? LIMIT ?)',
  oldShares: `SELECT lease, identity, subject, period, limit_id FROM shares WHERE gone_at < ?1
    UNION SELECT lease, identity, subject, period, limit_id FROM shares WHERE lease IN (SELECT lease FROM leases WHERE gone_at < ?1) LIMIT ?2`,
  dropShare: 'DELETE FROM shares WHERE lease = ? AND identity = ? AND subject = ? AND period = ?',
  dropPosted: 'DELETE FROM posted WHERE lease = ? AND limit_id = ? AND subject = ? AND window = ?',
  oldPosted: 'DELETE FROM posted WHERE lease IN (SELECT lease FROM leases WHERE gone_at < ?)',
  oldLeases: 'DELETE FROM leases WHERE gone_at < ? AND lease < (SELECT max(lease) FROM leases)',
} as const;

/** The connection that writes. Every method is one transaction, on the disk when it returns. */
export class LedgerWriter {
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  /** Opens or makes the file. Throws where it is damaged, newer, or cannot be written. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    try {
      prepareLedger(this.#database);
      addSums(this.#database);
      const statements = Object.entries(SQL).map(([name, text]) => [name, this.#database.prepare(text)] as const);
      this.#statements = Object.fromEntries(statements) as Record<keyof typeof SQL, StatementSync>;
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  lead(): Lead {
    return this.#transaction(() => {
      const { term } = this.#statements.take.get() as { term: number };
      return { term, entries: entriesIn(this.#database) };
    });
  }

  commit(term: number, entries: readonly Entry[], now: EpochMs): 'stored' | 'deposed' {
    return this.#transaction(() => {
      if (Number(this.#statements.beat.run(term).changes) === 0) return 'deposed';
      for (const entry of entries) this.#keep(entry, now);
      return 'stored';
    });
  }

  addRecords(processor: string, records: readonly CallRecord[]): void {
    this.#transaction(() => {
      const added = records.filter((record) => {
        const { changes } = this.#statements.record.run(processor, record.id, record.endedAt, toText(record));
        return Number(changes) > 0;
      });
      this.#count(processor, added);
    });
  }

  /** True where there is more. */
  forget(beforeMs: EpochMs): boolean {
    return this.#transaction(() => {
      const records = Number(this.#statements.oldRecords.run(beforeMs, STEP_ROWS).changes);
      const shares = this.#statements.oldShares.all(beforeMs, STEP_ROWS) as unknown as OldShare[];
      for (const { lease, identity, subject, period, limit_id: limitId } of shares) {
        this.#statements.dropShare.run(lease, identity, subject, period);
        this.#statements.dropPosted.run(lease, limitId, subject, period);
      }
      if (shares.length < STEP_ROWS) {
        this.#statements.oldPosted.run(beforeMs);
        this.#statements.oldLeases.run(beforeMs);
      }
      return records === STEP_ROWS || shares.length === STEP_ROWS;
    });
  }

  close(): void {
    this.#database.close();
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // Some errors have ended it already: sqlite.org/lang_transaction.html, section 3.1.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #keep(entry: Entry, now: EpochMs): void {
    switch (entry.kind) {
      case 'lease':
        return this.#keepLease(entry, now);
      case 'account':
        return this.#keepAccount(entry, now);
      case 'share':
        return this.#keepShare(entry);
    }
  }

  #keepLease({ lease, processor, nonce, state, expiredAt }: LeaseEntry, now: EpochMs): void {
    this.#statements.lease.run(lease, processor, nonce, state, expiredAt ?? null, state === 'gone' ? now : null);
  }

  #keepAccount({ limit, subject, period, carried, buckets, until, rollingMs, alerted, isGone }: AccountEntry, now: EpochMs): void {
    if (isGone) {
      this.#statements.dropAccount.run(limit, subject, period);
      this.#statements.closeShares.run(now, limit, subject, period);
    } else {
      this.#statements.account.run(limit, subject, period, String(carried), toText(buckets), until ?? null, rollingMs, alerted);
    }
  }

  #keepShare({ lease, limit, subject, period, granted, returned, spent, buckets, allowance, forgiven }: ShareEntry): void {
    const amounts = [String(granted), String(returned), String(spent), toText(buckets), String(allowance), String(forgiven)];
    this.#statements.share.run(lease, limit, subject, period, limitIdOf(limit), ...amounts);
  }

  #count(processor: string, added: readonly CallRecord[]): void {
    const { totals, subjects, posted } = tallyOf(added);
    for (const { day, namespace, workload, model, provider, figures } of totals) {
      this.#statements.total.run(day, namespace, workload, model, provider, ...textsOf(figures));
    }
    for (const { day, budget, subject, figures } of subjects) this.#statements.subject.run(day, budget, subject, ...textsOf(figures));
    for (const { lease, limit, subject, windowStart, amount } of posted) {
      if (this.#statements.isOwn.get(lease, processor) === undefined) continue;
      // Windows that no share has are counted together: buckets of rolling ones are many.
      const window = this.#statements.hasShare.get(lease, limit, subject, windowStart) === undefined ? 0 : windowStart;
      this.#statements.post.run(lease, limit, subject, window, String(amount));
    }
  }
}

interface OldShare {
  readonly lease: number;
  readonly identity: string;
  readonly subject: string;
  readonly period: number;
  readonly limit_id: string;
}

/** In the order of the columns. */
function textsOf(figures: Figures): string[] {
  return Object.values(FIGURE_COLUMNS).map((figure) => String(figures[figure]));
}
