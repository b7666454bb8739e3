import { DatabaseSync } from 'node:sqlite';
import type { CallRecord, RecordQuery, SpendQuery, SpendRow } from '../../../../core/call/index.ts';
import type { Pulse, Unaccounted } from '../../../ledger/index.ts';
import { GROUPING_COLUMNS, daysOf, keyedFiguresIn, owedIn, postedIn, recordsIn, spendRows, sumsTable, unaccountedOf } from '../../rows/index.ts';
import type { Row } from '../../rows/index.ts';
import { FIGURES_TOTALLED, addSums } from './schema.ts';

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

  spend(query: SpendQuery): SpendRow[] {
    const { by } = query;
    const { from, to } = daysOf(query);
    const columns = GROUPING_COLUMNS[by].join(', ');
    const rows = this.#database
      .prepare(`SELECT ${columns}, ${FIGURES_TOTALLED} FROM ${sumsTable(by)} WHERE day BETWEEN ? AND ? GROUP BY ${columns}`)
      .all(from, to) as Row[];
    return spendRows(
      by,
      rows.map((row) => keyedFiguresIn(by, row)),
    );
  }

  records({ sinceMs, untilMs, after, count }: RecordQuery): CallRecord[] {
    const from = after === undefined || after.endedAt < sinceMs ? { endedAt: sinceMs, id: '' } : after;
    const rows = this.#database
      .prepare('SELECT record FROM records WHERE (ended_at, id) > (?, ?) AND ended_at < ? ORDER BY ended_at, id LIMIT ?')
      .all(from.endedAt, from.id, untilMs ?? Number.MAX_SAFE_INTEGER, count);
    return recordsIn(rows);
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
