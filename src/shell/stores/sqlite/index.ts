/**
 * SQLite store: the ledger's books in one file, in a thread of their own.
 *
 * Owns tables, transactions and sums. Must never decide whether a call may be made.
 */
export type { BooksState, KeptLease, SpendGrouping, SpendRow } from './books.ts';
export { entryText } from './entry.ts';
export type { BookEntry, Cover, ObjectKey } from './entry.ts';
export { BooksClient, BooksUnusable } from './client.ts';
