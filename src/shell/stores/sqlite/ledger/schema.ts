import type { DatabaseSync } from 'node:sqlite';
import { FIGURE_COLUMNS } from '../../rows/index.ts';

const FIGURES = Object.keys(FIGURE_COLUMNS);
const FIGURE_DEFINITIONS = FIGURES.map((name) => `${name} TEXT NOT NULL`).join(', ');

/**
 * Amounts and figures are decimal digits. `limit_id` in `shares` is the id within `identity`, by which postings name the limit. Times when something was gone are
 * the controller's; what is gone stays for `unaccounted` until it is forgotten.
 */
const VERSION_1 = `
CREATE TABLE ledger (id INTEGER PRIMARY KEY CHECK (id = 1), term INTEGER NOT NULL, beat INTEGER NOT NULL) STRICT;
INSERT INTO ledger VALUES (1, 0, 0);
CREATE TABLE leases (lease INTEGER PRIMARY KEY, processor TEXT NOT NULL, nonce TEXT NOT NULL, state TEXT NOT NULL, expired_at INTEGER, gone_at INTEGER) STRICT;
CREATE INDEX gone_leases ON leases (gone_at) WHERE gone_at IS NOT NULL;
CREATE TABLE accounts (identity TEXT NOT NULL, subject TEXT NOT NULL, period INTEGER NOT NULL, carried TEXT NOT NULL, buckets TEXT NOT NULL, until INTEGER,
  rolling_ms INTEGER NOT NULL, alerted INTEGER NOT NULL, PRIMARY KEY (identity, subject, period)) STRICT, WITHOUT ROWID;
CREATE TABLE shares (lease INTEGER NOT NULL, identity TEXT NOT NULL, subject TEXT NOT NULL, period INTEGER NOT NULL, limit_id TEXT NOT NULL,
  granted TEXT NOT NULL, returned TEXT NOT NULL, spent TEXT NOT NULL, buckets TEXT NOT NULL, allowance TEXT NOT NULL, forgiven TEXT NOT NULL, gone_at INTEGER,
  PRIMARY KEY (lease, identity, subject, period)) STRICT, WITHOUT ROWID;
CREATE INDEX shares_by_account ON shares (identity, subject, period);
CREATE INDEX shares_by_window ON shares (lease, limit_id, subject, period);
CREATE INDEX gone_shares ON shares (gone_at) WHERE gone_at IS NOT NULL;
CREATE TABLE records (processor TEXT NOT NULL, id TEXT NOT NULL, ended_at INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX records_by_id ON records (processor, id);
CREATE INDEX records_by_end ON records (ended_at, id);
CREATE TABLE totals (day INTEGER NOT NULL, namespace TEXT NOT NULL, workload TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, ${FIGURE_DEFINITIONS},
  PRIMARY KEY (day, namespace, workload, model, provider)) STRICT, WITHOUT ROWID;
CREATE TABLE subjects (day INTEGER NOT NULL, budget TEXT NOT NULL, subject TEXT NOT NULL, ${FIGURE_DEFINITIONS},
  PRIMARY KEY (day, budget, subject)) STRICT, WITHOUT ROWID;
CREATE TABLE posted (lease INTEGER NOT NULL, limit_id TEXT NOT NULL, subject TEXT NOT NULL, window INTEGER NOT NULL, amount TEXT NOT NULL,
  PRIMARY KEY (lease, limit_id, subject, window)) STRICT, WITHOUT ROWID;
`;

/** What each version adds to the one before. */
const VERSIONS: readonly string[] = [VERSION_1];

/** Of the tables, in SQLite's user_version. */
const SCHEMA_VERSION = VERSIONS.length;

/** Makes or checks the tables, and sees to it that a commit is on the disk when it is acknowledged: nothing else keeps it. */
export function prepareLedger(database: DatabaseSync): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > SCHEMA_VERSION) throw new NewerLedger(version);
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${64 * 1024 * 1024}; PRAGMA busy_timeout = 5000;`);
  if (version < SCHEMA_VERSION) database.exec(`BEGIN IMMEDIATE; ${VERSIONS.slice(version).join('\n')} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
}

/** A newer program wrote it. */
export class NewerLedger extends Error {
  constructor(version: number) {
    super(`it was written by a newer version of Airmesh (schema ${version}; this one knows ${SCHEMA_VERSION}); use that version, or another folder`);
  }
}

/** Sums of decimal digits of any length, which SQLite has not. */
export function addSums(database: DatabaseSync): void {
  database.function('plus', { deterministic: true }, (left, right) => String(BigInt(String(left)) + BigInt(String(right))));
  database.aggregate('total_of', {
    deterministic: true,
    start: () => 0n,
    step: (sum: bigint, value) => sum + BigInt(String(value)),
    result: String,
  });
}

/** To be added to what is there. */
export const FIGURES_ADDED = FIGURES.map((name) => `${name} = plus(${name}, excluded.${name})`).join(', ');
export const FIGURE_MARKS = FIGURES.map(() => '?').join(', ');
export const FIGURES_TOTALLED = FIGURES.map((name) => `total_of(${name}) AS ${name}`).join(', ');
