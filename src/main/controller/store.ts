import { isAbsolute } from 'node:path';
import { MemoryStore } from '../../shell/stores/memory/index.ts';
import { SqliteStore } from '../../shell/stores/sqlite/index.ts';
import type { LedgerStore } from '../../shell/ledger/index.ts';
import { StartError } from '../start-error.ts';

const SQLITE = 'sqlite:';

export interface OpenedStore {
  readonly store: LedgerStore;
  /** No other controller can use it. */
  readonly isAlone: boolean;
}

/** `memory:`, `sqlite:/path`; throws a StartError for anything else. */
export async function openStore(url: string): Promise<OpenedStore> {
  if (url === 'memory:') return { store: new MemoryStore(), isAlone: true };
  const path = url.startsWith(SQLITE) ? url.slice(SQLITE.length) : '';
  if (isAbsolute(path)) return { store: await SqliteStore.open(path), isAlone: true };
  throw new StartError('The store is none that is known.', 'Write sqlite:/folder/ledger.db, postgres://user@host/database or memory:.');
}
