import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { PostedWindow } from '../../../core/ledger/index.ts';
import type { CallHold, CallRecord } from '../../../core/call/index.ts';
import { prepare } from './schema.ts';
import { fromText, toText } from './text.ts';

/** What the journal says and the books apply. */
export type BookEntry =
  | { readonly kind: 'hold'; readonly hold: CallHold }
  | { readonly kind: 'settle'; readonly record: CallRecord };

export interface BooksState {
  readonly appliedSequence: number;
  readonly posted: readonly PostedWindow[];
  readonly holds: readonly CallHold[];
}

export type SpendGrouping = 'workload' | 'model' | 'provider' | 'day';

/** Sums over calls. Money as decimal digits of nano-dollars, so that it crosses threads and JSON whole. */
export interface SpendRow {
  readonly key: string;
  readonly requests: number;
  readonly estimated: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly costNanoUsd: string;
  readonly chargedNanoUsd: string;
}

const DAY_MS = 86_400_000;

/** Old records are deleted in steps of so many rows, so that nothing waits long. */
const RETENTION_STEP_ROWS = 1000;

const FIGURES = ['input_tokens', 'cached_input_tokens', 'output_tokens', 'reasoning_tokens', 'cost_nano_usd', 'charged_nano_usd'] as const;

/** The ledger's books in SQLite: postings, holds in flight, a record for each call, and totals that outlive the records. */
export class Books {
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<'post' | 'hold' | 'unhold' | 'record' | 'total' | 'applied', StatementSync>>;

  /** Opens or makes the file. Throws where it is damaged, newer, or cannot be written. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    try {
      prepare(this.#database);
      this.#statements = this.#prepareStatements();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Applies entries and remembers up to where, in one transaction: each entry counts once, whatever dies when. */
  apply(entries: readonly BookEntry[], appliedSequence: number): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const entry of entries) {
        if (entry.kind === 'hold') this.#statements.hold.run(entry.hold.id, toText(entry.hold));
        else this.#settle(entry.record);
      }
      this.#statements.applied.run(appliedSequence);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  state(): BooksState {
    const accounts = this.#database.prepare('SELECT limit_id, subject, window_start, posted FROM accounts');
    accounts.setReadBigInts(true);
    const posted = (accounts.all() as unknown as { limit_id: string; subject: string; window_start: bigint; posted: bigint }[]).map((row) => ({
      limit: row.limit_id,
      subject: row.subject,
      windowStart: Number(row.window_start),
      amount: row.posted,
    }));
    const holds = (this.#database.prepare('SELECT entry FROM holds').all() as unknown as { entry: string }[]).map(({ entry }) => fromText(entry) as CallHold);
    return { appliedSequence: this.#applied(), posted, holds };
  }

  /**
   * Makes everything that was applied survive a power cut. Returns up to which entry that is now so: the journal may
   * forget those.
   */
  checkpoint(): number {
    const applied = this.#applied();
    const result = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number } | undefined;
    return result?.busy === 0 ? applied : 0;
  }

  /** Sums by one column since a time; by whole days. */
  spend(by: SpendGrouping, sinceMs: number): SpendRow[] {
    const sums = FIGURES.map((name) => `SUM(${name}) AS ${name}`).join(', ');
    const statement = this.#database.prepare(
      `SELECT CAST(${by} AS TEXT) AS key, SUM(requests) AS requests, SUM(estimated) AS estimated, ${sums} FROM totals WHERE day >= ? GROUP BY ${by} ORDER BY SUM(cost_nano_usd) DESC`,
    );
    statement.setReadBigInts(true);
    const rows = statement.all(Math.floor(sinceMs / DAY_MS)) as unknown as Record<string, bigint | string>[];
    return rows.map((row) => ({
      key: String(row['key']),
      requests: Number(row['requests']),
      estimated: Number(row['estimated']),
      inputTokens: Number(row['input_tokens']),
      cachedInputTokens: Number(row['cached_input_tokens']),
      outputTokens: Number(row['output_tokens']),
      reasoningTokens: Number(row['reasoning_tokens']),
      costNanoUsd: String(row['cost_nano_usd']),
      chargedNanoUsd: String(row['charged_nano_usd']),
    }));
  }

  /** The latest records first. */
  records(count: number): CallRecord[] {
    const rows = this.#database.prepare('SELECT record FROM records ORDER BY at DESC LIMIT ?').all(count) as unknown as { record: string }[];
    return rows.map(({ record }) => fromText(record) as CallRecord);
  }

  /** Deletes a step of the records before a time; true while there are more. Totals stay. */
  forget(beforeMs: number): boolean {
    const { changes } = this.#database.prepare('DELETE FROM records WHERE id IN (SELECT id FROM records WHERE at < ? LIMIT ?)').run(beforeMs, RETENTION_STEP_ROWS);
    return Number(changes) === RETENTION_STEP_ROWS;
  }

  close(): void {
    this.#database.close();
  }

  #applied(): number {
    const row = this.#database.prepare("SELECT value FROM meta WHERE name = 'applied'").get() as { value: number } | undefined;
    return row?.value ?? 0;
  }

  #settle(record: CallRecord): void {
    const { usage } = record;
    const workload = `${record.namespace}/${record.workload}`;
    const figures = [
      usage.inputTokens,
      usage.cachedInputTokens ?? 0,
      usage.outputTokens,
      usage.reasoningTokens ?? 0,
      record.costNanoUsd ?? 0n,
      record.chargedNanoUsd,
    ];
    const estimated = record.estimated ? 1 : 0;
    const { changes } = this.#statements.record.run(record.id, record.at, workload, record.model, record.provider, record.ending, record.status, estimated, toText(record), ...figures);
    this.#statements.unhold.run(record.id);
    if (Number(changes) === 0) return; // The same settlement again: it has been counted.
    this.#statements.total.run(Math.floor(record.endedAt / DAY_MS), workload, record.model, record.provider, estimated, ...figures);
    for (const { limit, subject, windowStart, amount } of record.posted) this.#statements.post.run(limit, subject, windowStart, amount);
  }

  #prepareStatements(): Readonly<Record<'post' | 'hold' | 'unhold' | 'record' | 'total' | 'applied', StatementSync>> {
    const columns = FIGURES.join(', ');
    const marks = FIGURES.map(() => '?').join(', ');
    const sums = FIGURES.map((name) => `${name} = ${name} + excluded.${name}`).join(', ');
    return {
      post: this.#database.prepare(
        'INSERT INTO accounts (limit_id, subject, window_start, posted) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET posted = posted + excluded.posted',
      ),
      hold: this.#database.prepare('INSERT OR REPLACE INTO holds (id, entry) VALUES (?, ?)'),
      unhold: this.#database.prepare('DELETE FROM holds WHERE id = ?'),
      record: this.#database.prepare(
        `INSERT OR IGNORE INTO records (id, at, workload, model, provider, ending, status, estimated, record, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ${marks})`,
      ),
      total: this.#database.prepare(
        `INSERT INTO totals (day, workload, model, provider, requests, estimated, ${columns}) VALUES (?, ?, ?, ?, 1, ?, ${marks})
         ON CONFLICT DO UPDATE SET requests = requests + 1, estimated = estimated + excluded.estimated, ${sums}`,
      ),
      applied: this.#database.prepare("INSERT INTO meta (name, value) VALUES ('applied', ?) ON CONFLICT DO UPDATE SET value = excluded.value"),
    };
  }
}
