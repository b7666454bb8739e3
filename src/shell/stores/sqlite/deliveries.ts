import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CallRecord } from '../../../core/call/index.ts';
import { dayOf, recordsIn } from '../rows/index.ts';

/** Of records that the ledger service has, the latest are kept, to be looked at here; a sidecar's disk is a part of its memory. */
const DELIVERED_KEPT = 2000;

/** Since when records go on, in `meta`: the latest end of a call that was there before. */
const SINCE = 'delivers_since';

/** Which records go on to a ledger service, and what becomes of those that it has. Callers see to transactions. */
export class Deliveries {
  readonly #database: DatabaseSync;
  readonly #add: StatementSync;
  /** Records of calls that ended by then were nobody's but ours, and stay. */
  readonly #since: number;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.prepare(`INSERT OR IGNORE INTO meta (name, value) SELECT '${SINCE}', COALESCE(MAX(ended), 0) FROM records`).run();
    this.#since = (database.prepare('SELECT value FROM meta WHERE name = ?').get(SINCE) as { value: number }).value;
    this.#add = database.prepare('INSERT OR IGNORE INTO undelivered (id, ended) VALUES (?, ?)');
  }

  /** Records do not go on any more: those that come now are to stay as well. */
  static end(database: DatabaseSync): void {
    database.prepare('DELETE FROM meta WHERE name = ?').run(SINCE);
  }

  add(id: string, endedAt: number): void {
    this.#add.run(id, endedAt);
  }

  /** Records that `delivered` was not told of, those first that ended first. */
  next(count: number): CallRecord[] {
    const rows = this.#database.prepare('SELECT record FROM undelivered JOIN records USING (id) ORDER BY undelivered.ended, id LIMIT ?').all(count);
    return recordsIn(rows);
  }

  /** The service has sums of all days; here they are for days of which there are records, and today. */
  forgetSums(nowMs: number): void {
    const { first } = this.#database.prepare('SELECT MIN(ended) AS first FROM records WHERE ended > ?').get(this.#since) as { first: number | null };
    for (const table of ['totals', 'subjects']) {
      this.#database
        .prepare(`DELETE FROM ${table} WHERE day < ? AND day > ?`)
        .run(dayOf(Math.min(first ?? nowMs, nowMs)), this.#since === 0 ? -1 : dayOf(this.#since));
    }
  }

  /** The ledger service has these records. */
  delivered(ids: readonly string[]): void {
    const statement = this.#database.prepare('DELETE FROM undelivered WHERE id = ?');
    for (const id of ids) statement.run(id);
    this.#database
      .prepare(
        `DELETE FROM records WHERE id IN (
           SELECT id FROM records WHERE ended > ? AND id NOT IN (SELECT id FROM undelivered) ORDER BY ended DESC, id DESC LIMIT -1 OFFSET ${DELIVERED_KEPT})`,
      )
      .run(this.#since);
  }
}
