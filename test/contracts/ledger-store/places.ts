/** Where each kind of store is kept in tests, and how another controller opens the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerStore } from '../../../src/shell/ledger/index.ts';
import { MemoryStore } from '../../../src/shell/stores/memory/index.ts';
import { PostgresStore, parsePostgresUrl } from '../../../src/shell/stores/postgres/index.ts';
import { SqliteStore } from '../../../src/shell/stores/sqlite/index.ts';
import { PostgresServer } from '../../support/postgres/server.ts';

/** One ledger, empty at first. */
export interface Place {
  /** Each time another way to the same: a further controller, or the next one. */
  open(): Promise<LedgerStore>;
  remove(): Promise<void>;
}

/** One kind of store. */
export interface Kind {
  readonly name: string;
  start(): Promise<void>;
  /** `now`: the controllers' wall clock. */
  place(now: () => number): Promise<Place>;
  stop(): Promise<void>;
}

const nothing = async (): Promise<void> => undefined;

const memory: Kind = {
  name: 'memory',
  start: nothing,
  stop: nothing,
  place: async (now) => {
    const store = new MemoryStore(now);
    return { open: async () => store, remove: nothing };
  },
};

const sqlite: Kind = {
  name: 'SQLite',
  start: nothing,
  stop: nothing,
  place: async (now) => {
    const folder = mkdtempSync(join(tmpdir(), 'airmesh-store-'));
    return keeping(
      (opened) => SqliteStore.open(join(folder, 'ledger.db'), now).then(opened),
      () => rmSync(folder, { recursive: true }),
    );
  },
};

let server: PostgresServer | undefined;
let schemas = 0;

const postgres: Kind = {
  name: 'PostgreSQL',
  start: async () => {
    server = await PostgresServer.start();
  },
  stop: async () => server?.remove(),
  place: async (now) => {
    const url = await freshSchema(server);
    return keeping((opened) => openPostgres(url, now).then(opened), nothing);
  },
};

export const KINDS: readonly Kind[] = [memory, sqlite, postgres];

/** A schema of its own: as good as a database, and made in a moment. */
export async function freshSchema(at: PostgresServer | undefined): Promise<string> {
  if (at === undefined) throw new Error('PostgreSQL has not been started');
  const schema = `test_${++schemas}`;
  await at.query(`CREATE SCHEMA ${schema}`);
  return `${at.url}?options=${encodeURIComponent(`-c search_path=${schema}`)}`;
}

export function openPostgres(url: string, now?: () => number): Promise<PostgresStore> {
  const address = parsePostgresUrl(url);
  if (!address.ok) throw new Error(address.error);
  return PostgresStore.open(address.value, now);
}

function keeping(open: (opened: <Store extends LedgerStore>(store: Store) => Store) => Promise<LedgerStore>, remove: () => Promise<void> | void): Place {
  const stores: LedgerStore[] = [];
  return {
    open: () =>
      open((store) => {
        stores.push(store);
        return store;
      }),
    remove: async () => {
      for (const store of stores) await store.close();
      await remove();
    },
  };
}
