import type { DatabaseSync } from 'node:sqlite';

/** Figures of calls, in `records` (a row a call) and in `totals` (a row for each day, workload, model and provider). */
const FIGURES = `
  input_tokens INTEGER NOT NULL DEFAULT 0,
  cached_input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  cost_nano_usd INTEGER NOT NULL DEFAULT 0,
  charged_nano_usd INTEGER NOT NULL DEFAULT 0`;

const VERSION_1 = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE accounts (limit_id TEXT NOT NULL, subject TEXT NOT NULL, window_start INTEGER NOT NULL, posted INTEGER NOT NULL,
  PRIMARY KEY (limit_id, subject, window_start)) STRICT, WITHOUT ROWID;
CREATE TABLE holds (id TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE records (id TEXT PRIMARY KEY, at INTEGER NOT NULL, workload TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL,
  ending TEXT NOT NULL, status INTEGER NOT NULL, estimated INTEGER NOT NULL, record TEXT NOT NULL, ${FIGURES}) STRICT, WITHOUT ROWID;
CREATE INDEX records_by_time ON records (at);
CREATE TABLE totals (day INTEGER NOT NULL, workload TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, requests INTEGER NOT NULL, estimated INTEGER NOT NULL, ${FIGURES},
  PRIMARY KEY (day, workload, model, provider)) STRICT, WITHOUT ROWID;
`;

const VERSION_2 = 'CREATE TABLE covers (id TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT, WITHOUT ROWID;';

/** What providers keep, and whose it is: `entry` is the object as JSON. */
const VERSION_3 = `
CREATE TABLE objects (key TEXT PRIMARY KEY, kind TEXT NOT NULL, provider TEXT NOT NULL, id TEXT NOT NULL, workload TEXT NOT NULL, expires INTEGER, open INTEGER NOT NULL,
  entry TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX objects_by_owner ON objects (workload, kind, id);
CREATE INDEX objects_by_expiry ON objects (expires) WHERE expires IS NOT NULL;
CREATE INDEX open_objects ON objects (open) WHERE open = 1;
`;

/**
 * Leases of which something may not be settled with the ledger service, what limits' ids mean under each, and what was
 * posted under it; and records that it does not have yet.
 */
const VERSION_4 = `
CREATE TABLE leases (lease INTEGER PRIMARY KEY) STRICT;
CREATE TABLE lease_limits (lease INTEGER NOT NULL, limit_id TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (lease, limit_id)) STRICT, WITHOUT ROWID;
CREATE TABLE lease_posts (lease INTEGER NOT NULL, limit_id TEXT NOT NULL, subject TEXT NOT NULL, window_start INTEGER NOT NULL, posted INTEGER NOT NULL,
  PRIMARY KEY (lease, limit_id, subject, window_start)) STRICT, WITHOUT ROWID;
CREATE TABLE undelivered (id TEXT PRIMARY KEY, ended INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX undelivered_by_ending ON undelivered (ended, id);
`;

/** When calls ended, by which records are read page by page; and sums by budget and whose account it was. */
const VERSION_5 = `
ALTER TABLE records ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
UPDATE records SET ended = json_extract(record, '$.endedAt');
CREATE INDEX records_by_ending ON records (ended, id);
CREATE TABLE subjects (day INTEGER NOT NULL, budget TEXT NOT NULL, subject TEXT NOT NULL, requests INTEGER NOT NULL, estimated INTEGER NOT NULL, ${FIGURES},
  PRIMARY KEY (day, budget, subject)) STRICT, WITHOUT ROWID;
INSERT INTO subjects SELECT day, budget, subject, COUNT(*), SUM(estimated), SUM(input_tokens), SUM(cached_input_tokens), SUM(output_tokens), SUM(reasoning_tokens),
    SUM(cost_nano_usd), SUM(charged_nano_usd)
  FROM (SELECT DISTINCT records.*, ended / 86400000 AS day, json_extract(posting.value, '$.limit') AS budget, json_extract(posting.value, '$.subject') AS subject
    FROM records, json_each(record, '$.posted') AS posting)
  WHERE NOT (budget LIKE '%#%' AND (budget LIKE '%/requestsPerMinute' OR budget LIKE '%/tokensPerMinute'))
  GROUP BY day, budget, subject;
`;

/** Of 4 KiB. */
const WAL_PAGES = 1000;

/** What each version adds to the one before. */
const VERSIONS: readonly string[] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5];

/** Version of the tables, in SQLite's user_version. A newer one is refused: its meaning is unknown here. */
export const SCHEMA_VERSION = VERSIONS.length;

/** Makes or checks the tables. Throws where they are newer than this program or broken. */
export function prepare(database: DatabaseSync): void {
  const check = database.prepare('PRAGMA quick_check(1)').get() as { quick_check?: string } | undefined;
  if (check?.quick_check !== 'ok') throw new Error(`the database is damaged: ${check?.quick_check ?? 'unreadable'}`);
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > SCHEMA_VERSION) throw new NewerSchema(version);
  // A commit need not reach the disk at once: the journal keeps what it holds until a checkpoint has (`Books.checkpoint`).
  // Flushing each would make the journal's own flushes wait behind it. But the log of commits is to stay small: a commit of a
  // single call takes some 50 KiB of it, and a sidecar's disk is a part of its memory.
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${WAL_PAGES}; PRAGMA busy_timeout = 5000;`);
  if (version < SCHEMA_VERSION) database.exec(`BEGIN; ${VERSIONS.slice(version).join('\n')} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
}

/** A newer program wrote it. */
export class NewerSchema extends Error {
  constructor(version: number) {
    super(
      `the ledger was written by a newer version of Airmesh (schema ${version}; this one knows ${SCHEMA_VERSION}); use that version, or another state folder`,
    );
  }
}
