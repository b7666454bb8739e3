import { existsSync } from 'node:fs';
import type { SpendSource } from '../spending/index.ts';
import { BooksClient } from '../stores/sqlite/index.ts';
import { booksFile } from './folder.ts';

/**
 * The books of a state folder alone, while no process runs on it; `undefined` where there are none. Budgets are not in
 * them, as their limits stand in the resources; and what a crash left in the journal is counted by the next start.
 * `cnyPerUsdNano` in billionths. Throws BooksUnusable.
 */
export async function openStoredBooks(folder: string, cnyPerUsdNano: bigint): Promise<(SpendSource & { close(): Promise<void> }) | undefined> {
  const path = booksFile(folder);
  if (!existsSync(path)) return undefined;
  const books = await BooksClient.open(path);
  return {
    spend: (query) => books.spend(query),
    records: (query) => books.records(query),
    views: () => [],
    cnyPerUsdNano,
    close: () => books.close(),
  };
}
