/**
 * SQLite store: the ledger's books in one file, in a thread of their own.
 *
 * Owns tables, transactions and sums. Must never decide whether a call may be made.
 */
export type { BookEntry, BooksState, SpendGrouping, SpendRow } from './books.ts';
export { BooksClient, BooksUnusable } from './client.ts';
export { fromText, toText } from './text.ts';
