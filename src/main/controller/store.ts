import { isAbsolute } from 'node:path';
import { StoreUnavailable } from '../../shell/ledger/index.ts';
import type { LedgerStore } from '../../shell/ledger/index.ts';
import { MemoryStore } from '../../shell/stores/memory/index.ts';
import { PostgresStore, parsePostgresUrl } from '../../shell/stores/postgres/index.ts';
import { SqliteStore } from '../../shell/stores/sqlite/index.ts';
import { StartError } from '../start-error.ts';

export interface OpenedStore {
  readonly store: LedgerStore;
  /** No other controller can use it. */
  readonly isAlone: boolean;
}

const FORMS = 'Write sqlite:/folder/ledger.db, postgres://user@host/database or, for tests alone, memory:.';

/** Throws a StartError where the store is none that is known, or one that somebody has to look after. */
export async function openStore(url: string): Promise<OpenedStore> {
  try {
    return await opened(url);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new StartError(`${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`, 'docs/operations.md says how a store is chosen and kept.', {
      cause: error,
    });
  }
}

async function opened(url: string): Promise<OpenedStore> {
  const { scheme, rest } = /^(?<scheme>[a-z]+):(?<rest>.*)$/s.exec(url)?.groups ?? {};
  switch (scheme) {
    case 'memory':
      if (rest !== '') break;
      return { store: new MemoryStore(), isAlone: true };
    case 'sqlite': {
      const path = (rest ?? '').replace(/^\/\/(?=\/)/, '');
      if (!isAbsolute(path)) break;
      return { store: await SqliteStore.open(path), isAlone: true };
    }
    case 'postgres':
    case 'postgresql': {
      const address = parsePostgresUrl(url);
      if (!address.ok) throw new StartError(`The store cannot be used: ${address.error}.`, FORMS);
      return { store: await PostgresStore.open(address.value), isAlone: false };
    }
  }
  throw new StartError('The store is none that is known.', FORMS);
}
