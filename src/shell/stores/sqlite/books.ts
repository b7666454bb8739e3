import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { LimitSpec, PostedWindow } from '../../../core/ledger/index.ts';
import type { LeaseNumber } from '../../../core/leases/index.ts';
import type { CallHold, CallRecord, KeptObject, RecordQuery, SpendQuery, SpendRow } from '../../../core/call/index.ts';
import { Deliveries } from './deliveries.ts';
import { prepare } from './schema.ts';
import { readEntry } from './entry.ts';
import type { Cover, ReadEntry } from './entry.ts';
import { budgetsOf, dayOf, fromText, recordsIn, toText } from '../rows/index.ts';
import { spendIn } from './sums.ts';

export interface BooksState {
  readonly appliedSequence: number;
  readonly posted: readonly PostedWindow[];
  readonly holds: readonly CallHold[];
  readonly covers: readonly Cover[];
  /** Batches whose cost is not settled. */
  readonly openBatches: readonly KeptObject[];
  readonly leases: readonly KeptLease[];
}

/** A lease that the ledger service may not have settled. */
export interface KeptLease {
  readonly lease: LeaseNumber;
  /** What the ids of limits mean in its holds. */
  readonly limits: readonly LimitSpec[];
  readonly posted: readonly PostedWindow[];
}

/** What may go by now. */
export interface Retention {
  /** Records of calls that began before. */
  readonly beforeMs: number;
  readonly nowMs: number;
  /** Of limits that are known: what was posted in windows that began before counts no more. */
  readonly windows: readonly { readonly limit: string; readonly countsSinceMs: number }[];
}

/** Of any limit, also of one that is not known any more. A lifetime begins at zero. */
const LONGEST_WINDOW_MS = 400 * 86_400_000;

/** Old records are deleted in steps of so many rows, so that nothing waits long. */
const RETENTION_STEP_ROWS = 1000;

/** SQLite's default, and the most of them. Source: sqlite.org/limits.html. */
const PAGE_BYTES = 4096;
const MAX_PAGES = 4_294_967_294;

/** Of one workload, one kind and one provider; more make no list that anybody reads. */
const MAX_LISTED_IDS = 100_000;

const FIGURES = ['input_tokens', 'cached_input_tokens', 'output_tokens', 'reasoning_tokens', 'cost_nano_usd', 'charged_nano_usd'] as const;

type Statements = Readonly<
  Record<
    | 'beginLease'
    | 'leaseLimit'
    | 'postUnderLease'
    | 'post'
    | 'hold'
    | 'unhold'
    | 'cover'
    | 'uncover'
    | 'record'
    | 'total'
    | 'subject'
    | 'applied'
    | 'keep'
    | 'forget',
    StatementSync
  >
>;

type Key = readonly (string | number)[];

interface Sum {
  readonly key: Key;
  readonly figures: (number | bigint)[];
}

/** What a step of entries adds up to, so that a row that many calls share is written once. */
class Step {
  readonly holds = new Map<string, string>();
  readonly covers = new Map<string, string>();
  readonly totals = new Map<string, Sum>();
  readonly subjects = new Map<string, Sum>();
  readonly posted = new Map<string, { readonly key: Key; amount: bigint }>();
  readonly postedUnderLeases = new Map<string, { readonly key: Key; amount: bigint }>();

  count(sums: Map<string, Sum>, key: Key, figures: readonly (number | bigint)[]): void {
    const name = JSON.stringify(key);
    const sum = sums.get(name);
    if (sum === undefined) sums.set(name, { key, figures: [...figures] });
    else figures.forEach((figure, index) => (sum.figures[index] = BigInt(sum.figures[index] ?? 0) + BigInt(figure)));
  }

  post(key: Key, amount: bigint): void {
    add(this.posted, key, amount);
  }

  postUnderLease(key: Key, amount: bigint): void {
    add(this.postedUnderLeases, key, amount);
  }
}

function add(sums: Map<string, { readonly key: Key; amount: bigint }>, key: Key, amount: bigint): void {
  const name = JSON.stringify(key);
  const sum = sums.get(name);
  if (sum === undefined) sums.set(name, { key, amount });
  else sum.amount += amount;
}

/** The ledger's books in SQLite: postings, holds in flight, a record for each call, and totals that outlive the records. */
export class Books {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  /** Where records go on to a ledger service. */
  readonly #deliveries: Deliveries | undefined;

  /** Opens or makes the file. `delivers`: records go on to a ledger service. Throws where it is damaged, newer, or cannot be written. */
  constructor(path: string, delivers = false) {
    this.#database = new DatabaseSync(path);
    try {
      prepare(this.#database);
      this.#statements = this.#prepareStatements();
      if (!delivers) Deliveries.end(this.#database);
      this.#deliveries = delivers ? new Deliveries(this.#database) : undefined;
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Applies entries (`entryText`) and remembers up to where, in one transaction: each entry counts once, whatever dies when. */
  apply(entries: readonly string[], appliedSequence: number): void {
    this.#transact(() => {
      const step = new Step();
      for (const entry of entries) this.#take(readEntry(entry), step);
      this.#write(step);
      this.#statements.applied.run(appliedSequence);
    });
  }

  state(): BooksState {
    const accounts = this.#database.prepare('SELECT limit_id, subject, window_start, posted FROM accounts');
    accounts.setReadBigInts(true);
    const posted = postedOf(accounts.all());
    const holds = (this.#database.prepare('SELECT entry FROM holds').all() as unknown as { entry: string }[]).map(({ entry }) => fromText(entry) as CallHold);
    const covers = (this.#database.prepare('SELECT entry FROM covers').all() as unknown as { entry: string }[]).map(({ entry }) => fromText(entry) as Cover);
    const openBatches = objectsOf(this.#database.prepare('SELECT entry FROM objects WHERE open = 1').all());
    return { appliedSequence: this.#applied(), posted, holds, covers, openBatches, leases: this.#leases() };
  }

  /** What a workload has of a kind under an id, at whatever provider. */
  object(workload: string, kind: string, id: string): KeptObject | undefined {
    return objectsOf(this.#database.prepare('SELECT entry FROM objects WHERE workload = ? AND kind = ? AND id = ? LIMIT 1').all(workload, kind, id))[0];
  }

  /** The latest ids of a kind that a workload has at a provider. */
  objectIds(workload: string, kind: string, provider: string): string[] {
    const rows = this.#database
      .prepare('SELECT id FROM objects WHERE workload = ? AND kind = ? AND provider = ? LIMIT ?')
      .all(workload, kind, provider, MAX_LISTED_IDS);
    return (rows as unknown as { id: string }[]).map(({ id }) => id);
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

  spend(query: SpendQuery): SpendRow[] {
    return spendIn(this.#database, query);
  }

  records({ sinceMs, untilMs, after, count }: RecordQuery): CallRecord[] {
    const from = after === undefined || after.endedAt < sinceMs ? { endedAt: sinceMs, id: '' } : after;
    const rows = this.#database
      .prepare('SELECT record FROM records WHERE (ended, id) > (?, ?) AND ended < ? ORDER BY ended, id LIMIT ?')
      .all(from.endedAt, from.id, untilMs ?? Number.MAX_SAFE_INTEGER, count);
    return recordsIn(rows);
  }

  /**
   * Deletes what is over: a step of old records and of the objects that are gone at their providers by now, true while there are more;
   * what was posted in windows that count no more; and, where a ledger service has them, sums of days of which there are no records.
   */
  forget({ beforeMs, nowMs, windows }: Retention): boolean {
    const posted = this.#database.prepare('DELETE FROM accounts WHERE limit_id = ? AND window_start < ?');
    for (const { limit, countsSinceMs } of windows) posted.run(limit, countsSinceMs);
    this.#database.prepare('DELETE FROM accounts WHERE window_start BETWEEN 1 AND ?').run(nowMs - LONGEST_WINDOW_MS);
    this.#deliveries?.forgetSums(nowMs);
    const objects = this.#database
      .prepare('DELETE FROM objects WHERE key IN (SELECT key FROM objects WHERE expires < ? AND open = 0 LIMIT ?)')
      .run(nowMs, RETENTION_STEP_ROWS);
    const { changes } = this.#database
      .prepare('DELETE FROM records WHERE id IN (SELECT id FROM records WHERE at < ? AND id NOT IN (SELECT id FROM undelivered) LIMIT ?)')
      .run(beforeMs, RETENTION_STEP_ROWS);
    return Number(changes) === RETENTION_STEP_ROWS || Number(objects.changes) === RETENTION_STEP_ROWS;
  }

  /** Records that `delivered` was not told of, those first that ended first. */
  undelivered(count: number): CallRecord[] {
    return this.#deliveries?.next(count) ?? [];
  }

  /** The ledger service has these records: all but the latest of them are forgotten. */
  delivered(ids: readonly string[]): void {
    this.#transact(() => this.#deliveries?.delivered(ids));
  }

  /** From now on the file is full at that size, or at the one that it has, so that what is deleted still has its log of commits. */
  limit(maxBytes: number): void {
    this.#database.exec(`PRAGMA max_page_count = ${Math.min(MAX_PAGES, Math.floor(maxBytes / PAGE_BYTES))}`);
  }

  close(): void {
    this.#database.close();
  }

  #transact(write: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      write();
      this.#database.exec('COMMIT');
    } catch (error) {
      // SQLite may have done so itself, as where the disk is full. Source: sqlite.org/lang_transaction.html.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #leases(): KeptLease[] {
    const limits = this.#database.prepare('SELECT entry FROM lease_limits WHERE lease = ?');
    const posts = this.#database.prepare('SELECT limit_id, subject, window_start, posted FROM lease_posts WHERE lease = ?');
    posts.setReadBigInts(true);
    return (this.#database.prepare('SELECT lease FROM leases').all() as unknown as { lease: number }[]).map(({ lease }) => ({
      lease,
      limits: (limits.all(lease) as unknown as { entry: string }[]).map(({ entry }) => fromText(entry) as LimitSpec),
      posted: postedOf(posts.all(lease)),
    }));
  }

  #applied(): number {
    const row = this.#database.prepare("SELECT value FROM meta WHERE name = 'applied'").get() as { value: number } | undefined;
    return row?.value ?? 0;
  }

  /** What begins and ends within one step never touches the tables of what is open. */
  #take(entry: ReadEntry, step: Step): void {
    switch (entry.kind) {
      case 'hold':
        step.holds.set(entry.id, entry.text);
        return;
      case 'cover':
        step.covers.set(entry.id, entry.text);
        return;
      case 'uncover':
        if (!step.covers.delete(entry.id)) this.#statements.uncover.run(entry.id);
        return;
      case 'keep': {
        const { kind, provider, id, workload, expiresAt, open } = entry.object;
        this.#statements.keep.run(entry.id, kind, provider, id, workload, expiresAt ?? null, open === undefined ? 0 : 1, entry.text);
        return;
      }
      case 'forget':
        this.#statements.forget.run(entry.id);
        return;
      case 'settle':
        return this.#settle(entry.record, entry.text, step);
      case 'lease_begun':
        this.#statements.beginLease.run(entry.lease);
        return;
      case 'lease_limits':
        for (const limit of entry.limits) this.#statements.leaseLimit.run(entry.lease, limit.id, toText(limit));
        return;
      case 'lease_ended':
        for (const table of ['leases', 'lease_limits', 'lease_posts']) this.#database.prepare(`DELETE FROM ${table} WHERE lease = ?`).run(entry.lease);
        return;
    }
  }

  #settle(record: CallRecord, text: string, step: Step): void {
    const { id, at, endedAt, model, provider, ending, status, usage } = record;
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
    const { changes } = this.#statements.record.run(id, at, endedAt, workload, model, provider, ending, status, estimated, text, ...figures);
    if (!step.holds.delete(id)) this.#statements.unhold.run(id);
    if (!step.covers.delete(id)) this.#statements.uncover.run(id);
    if (Number(changes) === 0) return; // The same settlement again: it has been counted.
    const day = dayOf(endedAt);
    step.count(step.totals, [day, workload, model, provider], [1, estimated, ...figures]);
    for (const { limit, subject } of budgetsOf(record)) step.count(step.subjects, [day, limit, subject], [1, estimated, ...figures]);
    for (const { limit, subject, windowStart, amount, lease = 0 } of record.posted) {
      step.post([limit, subject, windowStart], amount);
      if (lease !== 0) step.postUnderLease([lease, limit, subject, windowStart], amount);
    }
    this.#deliveries?.add(id, endedAt);
  }

  #write(step: Step): void {
    for (const [id, text] of step.holds) this.#statements.hold.run(id, text);
    for (const [id, text] of step.covers) this.#statements.cover.run(id, text);
    for (const { key, figures } of step.totals.values()) this.#statements.total.run(...key, ...figures);
    for (const { key, figures } of step.subjects.values()) this.#statements.subject.run(...key, ...figures);
    for (const { key, amount } of step.posted.values()) this.#statements.post.run(...key, amount);
    for (const { key, amount } of step.postedUnderLeases.values()) this.#statements.postUnderLease.run(...key, amount);
  }

  #prepareStatements(): Statements {
    const columns = FIGURES.join(', ');
    const marks = FIGURES.map(() => '?').join(', ');
    const sums = FIGURES.map((name) => `${name} = ${name} + excluded.${name}`).join(', ');
    return {
      post: this.#database.prepare(
        'INSERT INTO accounts (limit_id, subject, window_start, posted) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET posted = posted + excluded.posted',
      ),
      // Where the disk was full, a call's end may be here already while the journal has only its beginning.
      hold: this.#database.prepare('INSERT OR REPLACE INTO holds (id, entry) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM records WHERE id = ?1)'),
      unhold: this.#database.prepare('DELETE FROM holds WHERE id = ?'),
      cover: this.#database.prepare('INSERT OR REPLACE INTO covers (id, entry) VALUES (?, ?)'),
      uncover: this.#database.prepare('DELETE FROM covers WHERE id = ?'),
      record: this.#database.prepare(
        `INSERT OR IGNORE INTO records (id, at, ended, workload, model, provider, ending, status, estimated, record, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${marks})`,
      ),
      total: this.#database.prepare(
        `INSERT INTO totals (day, workload, model, provider, requests, estimated, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ${marks})
         ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, estimated = estimated + excluded.estimated, ${sums}`,
      ),
      subject: this.#database.prepare(
        `INSERT INTO subjects (day, budget, subject, requests, estimated, ${columns}) VALUES (?, ?, ?, ?, ?, ${marks})
         ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, estimated = estimated + excluded.estimated, ${sums}`,
      ),
      // Whose it is does not change.
      keep: this.#database.prepare(
        `INSERT INTO objects (key, kind, provider, id, workload, expires, open, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET expires = excluded.expires, open = excluded.open, entry = excluded.entry WHERE workload = excluded.workload`,
      ),
      forget: this.#database.prepare('DELETE FROM objects WHERE key = ?'),
      beginLease: this.#database.prepare('INSERT OR IGNORE INTO leases (lease) VALUES (?)'),
      leaseLimit: this.#database.prepare('INSERT OR REPLACE INTO lease_limits (lease, limit_id, entry) VALUES (?, ?, ?)'),
      postUnderLease: this.#database.prepare(
        'INSERT INTO lease_posts (lease, limit_id, subject, window_start, posted) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET posted = posted + excluded.posted',
      ),
      applied: this.#database.prepare("INSERT INTO meta (name, value) VALUES ('applied', ?) ON CONFLICT DO UPDATE SET value = excluded.value"),
    };
  }
}

function postedOf(rows: unknown): PostedWindow[] {
  return (rows as { limit_id: string; subject: string; window_start: bigint; posted: bigint }[]).map((row) => ({
    limit: row.limit_id,
    subject: row.subject,
    windowStart: Number(row.window_start),
    amount: row.posted,
  }));
}

function objectsOf(rows: unknown): KeptObject[] {
  return (rows as { entry: string }[]).map(({ entry }) => JSON.parse(entry) as KeptObject);
}
