/**
 * PostgreSQL store: the ledger of several controllers in one database.
 *
 * Owns connections, tables, statements, and what a database's errors mean. Must never decide whether a call may be made,
 * nor say a password.
 */
export { parsePostgresUrl } from './address.ts';
export type { PostgresAddress } from './address.ts';
export { PostgresStore } from './store.ts';
