/**
 * Journal: what must not be forgotten, on disk before anything depends on it.
 *
 * Owns durability and the folder's lock. Must never know what an entry means.
 */
export type { JournalEntry } from './entry.ts';
export { Journal } from './journal.ts';
export type { Keeping, OpenedJournal } from './journal.ts';
export { FolderInUse, folderHolder, lockFolder } from './lock.ts';
