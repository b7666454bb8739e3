import { FIGURE_COLUMNS } from '../rows/index.ts';
import { WrongDatabase } from './faults.ts';
import type { Ask } from './session.ts';

const FIGURE_DEFINITIONS = Object.keys(FIGURE_COLUMNS)
  .map((name) => `${name} numeric NOT NULL`)
  .join(', ');

/**
 * In the schema that the session's `search_path` names first. Keys are digests (`text.ts`): `account` of identity, subject and
 * period; `window_key` of limit, subject and window. Times when something was gone are a controller's. One row is written by each
 * commit, shares by many: there is room in their pages to write them anew in their place.
 */
const VERSION_1 = `
CREATE TABLE airmesh_ledger (id int PRIMARY KEY CHECK (id = 1), schema_version int NOT NULL, term bigint NOT NULL, beat bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO airmesh_ledger VALUES (1, 0, 0, 0);
CREATE TABLE airmesh_leases (lease bigint PRIMARY KEY, processor text NOT NULL, nonce text NOT NULL, state text NOT NULL, expired_at bigint, gone_at bigint);
CREATE INDEX airmesh_gone_leases ON airmesh_leases (gone_at) WHERE gone_at IS NOT NULL;
CREATE TABLE airmesh_accounts (account uuid PRIMARY KEY, identity text NOT NULL, subject text NOT NULL, period bigint NOT NULL, carried numeric NOT NULL, buckets text NOT NULL,
  until bigint, rolling_ms bigint NOT NULL, alerted int NOT NULL) WITH (fillfactor = 60);
CREATE TABLE airmesh_shares (lease bigint NOT NULL, account uuid NOT NULL, window_key uuid NOT NULL, identity text NOT NULL, subject text NOT NULL, period bigint NOT NULL,
  granted numeric NOT NULL, returned numeric NOT NULL, spent numeric NOT NULL, buckets text NOT NULL, allowance numeric NOT NULL, forgiven numeric NOT NULL, gone_at bigint,
  PRIMARY KEY (lease, account)) WITH (fillfactor = 60);
CREATE INDEX airmesh_shares_by_account ON airmesh_shares (account);
CREATE INDEX airmesh_shares_by_window ON airmesh_shares (lease, window_key);
CREATE INDEX airmesh_gone_shares ON airmesh_shares (gone_at) WHERE gone_at IS NOT NULL;
CREATE TABLE airmesh_records (key uuid PRIMARY KEY, processor text NOT NULL, id text COLLATE "C" NOT NULL, ended_at bigint NOT NULL, record text NOT NULL);
CREATE INDEX airmesh_records_by_end ON airmesh_records (ended_at);
CREATE TABLE airmesh_totals (day int NOT NULL, key uuid NOT NULL, namespace text NOT NULL, workload text NOT NULL, model text NOT NULL, provider text NOT NULL, ${FIGURE_DEFINITIONS},
  PRIMARY KEY (day, key)) WITH (fillfactor = 60);
CREATE TABLE airmesh_subjects (day int NOT NULL, key uuid NOT NULL, budget text NOT NULL, subject text NOT NULL, ${FIGURE_DEFINITIONS}, PRIMARY KEY (day, key)) WITH (fillfactor = 60);
CREATE TABLE airmesh_posted (lease bigint NOT NULL, window_key uuid NOT NULL, limit_id text NOT NULL, subject text NOT NULL, "window" bigint NOT NULL, amount numeric NOT NULL,
  PRIMARY KEY (lease, window_key)) WITH (fillfactor = 60);
`;

/** What each version adds to the one before. */
const VERSIONS: readonly string[] = [VERSION_1];

export const SCHEMA_VERSION = VERSIONS.length;

/** Any number that nobody else locks by: "airmesh" in ASCII. */
const MIGRATION_LOCK = '27424399951553384';

/** By a look into the catalogue: a name that was not found before may be remembered as such until a transaction ends. */
const TABLE_THERE = {
  text: "SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relname = 'airmesh_ledger' AND nspname = current_schema()) AS is_there",
  values: [],
};

/**
 * For each new connection: what it must do for a promise to hold, and that the tables are there and ours. Rejects with
 * WrongDatabase where they are a newer program's, or where the server may forget what it has acknowledged.
 */
export async function prepareSession(ask: Ask, statementMs: number): Promise<void> {
  await ask({
    text: `SET synchronous_commit = on; SET statement_timeout = ${statementMs}; SET lock_timeout = ${statementMs}; SET idle_in_transaction_session_timeout = ${statementMs}`,
    values: [],
  });
  const [settings] = await ask({ text: "SELECT current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding", values: [] });
  if (settings?.['fsync'] !== 'on') throw new WrongDatabase('fsync is off there, so it can forget what it has acknowledged; turn it on');
  if (settings['encoding'] !== 'UTF8') throw new WrongDatabase(`its encoding is ${settings['encoding']}; make a database with the encoding UTF8`);
  if ((await versionThere(ask)) < SCHEMA_VERSION) await migrate(ask);
}

/** Several controllers may start at once: one makes the tables, the others wait. */
async function migrate(ask: Ask): Promise<void> {
  await ask({ text: 'BEGIN', values: [] });
  try {
    await ask({ text: `SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`, values: [] });
    const version = await versionThere(ask);
    if (version < SCHEMA_VERSION)
      await ask({ text: `${VERSIONS.slice(version).join('\n')} UPDATE airmesh_ledger SET schema_version = ${SCHEMA_VERSION}`, values: [] });
    await ask({ text: 'COMMIT', values: [] });
  } catch (error) {
    await ask({ text: 'ROLLBACK', values: [] }).catch(() => undefined);
    throw error;
  }
}

/** 0 where there are no tables. */
async function versionThere(ask: Ask): Promise<number> {
  const [table] = await ask(TABLE_THERE);
  if (table?.['is_there'] !== true) return 0;
  const [row] = await ask({ text: 'SELECT schema_version FROM airmesh_ledger', values: [] });
  const version = Number(row?.['schema_version']);
  if (version <= SCHEMA_VERSION) return version;
  throw new WrongDatabase(
    `its tables were written by a newer version of Airmesh (schema ${version}; this one knows ${SCHEMA_VERSION}); use that version, or another database`,
  );
}
