import type { CallRecord, RecordQuery, SpendQuery, SpendRow } from '../../../core/call/index.ts';
import type { Entry } from '../../../core/leases/index.ts';
import type { EpochMs } from '../../../core/units/index.ts';
import { StoreUnavailable } from '../../ledger/index.ts';
import type { Lead, LedgerStore, Pulse, Unaccounted } from '../../ledger/index.ts';
import { FIGURE_COLUMNS, GROUPING_COLUMNS, daysOf, keyedFiguresIn, owedIn, postedIn, recordsIn, spendRows, sumsTable, unaccountedOf } from '../rows/index.ts';
import type { PostgresAddress } from './address.ts';
import { allEntries, commitStatement } from './entries.ts';
import { forgetStep } from './forget.ts';
import { Recorder } from './recorder.ts';
import { rowFrom } from './rows.ts';
import { Session } from './session.ts';
import { toColumn } from './text.ts';

/** So long others wait before they lead in the place of who does not commit: a commit that takes longer is of no use. */
const COMMIT_MS = 5_000;
const RECORD_MS = 10_000;
/** Of what was never deleted. */
const FORGET_MS = 60_000;
const READ_MS = 60_000;
/** Sees one state throughout, and locks nothing that anybody writes. */
const SNAPSHOT = 'ISOLATION LEVEL REPEATABLE READ READ ONLY';

const TOTALLED = Object.keys(FIGURE_COLUMNS)
  .map((name) => `sum(${name}) AS ${name}`)
  .join(', ');

const TAKE = 'UPDATE airmesh_ledger SET term = term + 1, beat = beat + 1 RETURNING term';

const RECORDS = `SELECT record FROM airmesh_records WHERE ended_at >= $1 AND (ended_at > $1 OR id > $2) AND ended_at < $3 ORDER BY ended_at, id LIMIT $4`;

/**
 * The ledger in a PostgreSQL database, for several controllers. A commit is on the server's disk when it is acknowledged, and on
 * that of its synchronous standbys where it has them. What reads waits for nothing that writes, and the other way round: each
 * has a connection of its own, and so has the pulse.
 */
export class PostgresStore implements LedgerStore {
  readonly #now: () => EpochMs;
  readonly #writer: Session;
  readonly #pulse: Session;
  readonly #record: Session;
  readonly #recorder: Recorder;
  readonly #forgetter: Session;
  readonly #reader: Session;
  readonly #exporter: Session;
  #closed: Promise<void> | undefined;

  private constructor(address: PostgresAddress, now: () => EpochMs) {
    this.#now = now;
    this.#writer = new Session(address, 'leases', COMMIT_MS);
    this.#pulse = new Session(address, 'pulse', COMMIT_MS);
    this.#record = new Session(address, 'records', RECORD_MS);
    this.#recorder = new Recorder(this.#record);
    this.#forgetter = new Session(address, 'retention', FORGET_MS);
    this.#reader = new Session(address, 'spend', READ_MS);
    this.#exporter = new Session(address, 'export', READ_MS);
  }

  /**
   * `now`: the wall clock, for how old what is gone is. Rejects with StoreUnavailable where somebody has to look after the
   * database; where it cannot be reached now, what uses it tries again.
   */
  static async open(address: PostgresAddress, now: () => EpochMs = Date.now): Promise<PostgresStore> {
    const store = new PostgresStore(address, now);
    try {
      await store.pulse();
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || error.fault === 'unusable') {
        await store.close();
        throw error;
      }
    }
    return store;
  }

  /** Once the term is taken, nothing of an earlier one changes what is read behind it. */
  lead(): Promise<Lead> {
    return this.#writer
      .run(async (ask) => {
        const [taken] = await ask({ text: TAKE, values: [] });
        return Number(taken?.['term']);
      })
      .then((term) => this.#writer.transaction(SNAPSHOT, async (ask) => ({ term, entries: await allEntries(ask) })));
  }

  commit(term: number, entries: readonly Entry[]): Promise<'stored' | 'deposed'> {
    return this.#writer.run(async (ask) => ((await ask(commitStatement(term, entries, this.#now()))).length === 0 ? 'deposed' : 'stored'));
  }

  pulse(): Promise<Pulse> {
    return this.#pulse.run(async (ask) => {
      const [row] = await ask({ text: 'SELECT term, beat FROM airmesh_ledger', values: [] });
      return { term: Number(row?.['term']), beat: Number(row?.['beat']) };
    });
  }

  addRecords(processor: string, records: readonly CallRecord[]): Promise<void> {
    return this.#recorder.add(processor, records);
  }

  spend(query: SpendQuery): Promise<SpendRow[]> {
    const { by } = query;
    const { from, to } = daysOf(query);
    const columns = GROUPING_COLUMNS[by].join(', ');
    const text = `SELECT ${columns}, ${TOTALLED} FROM airmesh_${sumsTable(by)} WHERE day BETWEEN $1 AND $2 GROUP BY ${columns}`;
    return this.#reader.run(async (ask) => {
      const sums = await ask({ text, values: [from, to] });
      return spendRows(
        by,
        sums.map((row) => keyedFiguresIn(by, rowFrom(row))),
      );
    });
  }

  records({ sinceMs, untilMs = Number.MAX_SAFE_INTEGER, after, count }: RecordQuery): Promise<CallRecord[]> {
    // No id is empty.
    const from = after === undefined || after.endedAt < sinceMs ? { endedAt: sinceMs, id: '' } : after;
    return this.#exporter.run(async (ask) => {
      const rows = await ask({ text: RECORDS, values: [from.endedAt, toColumn(from.id), untilMs, count] });
      return recordsIn(rows);
    });
  }

  unaccounted(): Promise<readonly Unaccounted[]> {
    return this.#reader.transaction(SNAPSHOT, async (ask) => {
      const shares = await ask({
        text: 'SELECT airmesh_shares.*, processor, state, expired_at FROM airmesh_shares JOIN airmesh_leases USING (lease)',
        values: [],
      });
      const posted = await ask({ text: 'SELECT * FROM airmesh_posted', values: [] });
      return unaccountedOf(
        shares.map((row) => owedIn(rowFrom(row))),
        posted.map((row) => postedIn(rowFrom(row))),
      );
    });
  }

  forget(beforeMs: EpochMs): Promise<boolean> {
    return this.#forgetter.transaction('', (ask) => forgetStep(ask, beforeMs));
  }

  close(): Promise<void> {
    this.#closed ??= Promise.all(
      [this.#writer, this.#pulse, this.#record, this.#forgetter, this.#reader, this.#exporter].map((session) => session.close()),
    ).then(() => undefined);
    return this.#closed;
  }
}
