import { join } from 'node:path';

/** Where the books stand in a state folder. */
export const booksFile = (folder: string): string => join(folder, 'ledger.db');
