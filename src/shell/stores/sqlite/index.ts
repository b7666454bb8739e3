/**
 * SQLite store: a processor's books (here), and the ledger that a controller keeps (ledger/), each in one file and in
 * threads of their own.
 *
 * Owns tables, transactions and sums. Must never decide whether a call may be made.
 */
export type { BooksState, KeptLease, Retention } from './books.ts';
export { entryText } from './entry.ts';
export type { BookEntry, Cover, ObjectKey } from './entry.ts';
export { BooksClient, BooksUnusable } from './client.ts';
export { SqliteStore } from './ledger/store.ts';
