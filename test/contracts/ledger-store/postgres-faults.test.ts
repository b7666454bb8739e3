/** What can befall a ledger in PostgreSQL, with a real one. */
import { closeSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccountEntry } from '../../../src/core/leases/index.ts';
import { StoreUnavailable } from '../../../src/shell/ledger/index.ts';
import type { PostgresStore } from '../../../src/shell/stores/postgres/index.ts';
import { TestAuthority } from '../../support/certificates.ts';
import { PostgresServer } from '../../support/postgres/server.ts';
import { account, lease, record, share } from './material.ts';
import { freshSchema, openPostgres } from './places.ts';

/** Acknowledged commits that are not on the disk would be lost: nothing else is written for ten seconds. */
const SLOW_TO_FLUSH = { synchronous_commit: 'off', wal_writer_delay: '10s' };

let server: PostgresServer;
let authority: TestAuthority;
let url: string;
const stores: PostgresStore[] = [];

const open = async (at = url): Promise<PostgresStore> => {
  const store = await openPostgres(at);
  stores.push(store);
  return store;
};
/** What went wrong; fails where nothing did. */
const faultOf = async (work: Promise<unknown>): Promise<{ readonly fault: string; readonly message: string }> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StoreUnavailable)) throw new Error('it is not StoreUnavailable', { cause: error });
  expect(error.message).not.toContain(server.password);
  expect(error.message).toContain('the ledger postgres://');
  return error;
};
const schemaIn = (at: string): string => /search_path%3D(\w+)/.exec(at)?.[1] ?? '';
/** Rows of the last statement. */
const inSchema = async (text: string): Promise<Record<string, string>[]> => {
  const results = (await server.query(`SET search_path = ${schemaIn(url)}; ${text}`)) as unknown as readonly pg.QueryResult<Record<string, string>>[];
  return results.at(-1)?.rows ?? [];
};

beforeAll(async () => {
  authority = await TestAuthority.create('database');
  const tls = await authority.issue({ dns: ['localhost'] });
  server = await PostgresServer.start({ settings: SLOW_TO_FLUSH, tls });
}, 120_000);
afterAll(() => server.remove(), 60_000);
beforeEach(async () => {
  const schema = new URL(await freshSchema(server));
  const root = join(server.folder, 'root.crt');
  writeFileSync(root, authority.certificate);
  schema.hostname = 'localhost';
  schema.searchParams.set('sslmode', 'verify-full');
  schema.searchParams.set('sslrootcert', root);
  url = schema.href.replaceAll('+', '%20');
}, 60_000);
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
}, 60_000);

const changed = (change: (to: URL) => void): string => {
  const to = new URL(url);
  change(to);
  return to.href.replaceAll('+', '%20');
};

describe('a server', { timeout: 180_000 }, () => {
  it('that is killed in the middle of commits has all that it acknowledged, and nothing in parts', async () => {
    const store = await open();
    let carried = 0n;
    const told: string[] = [];
    for (let life = 0; life < 2; life += 1) {
      const { term, entries } = await store.lead();
      const found = entries.find((entry): entry is AccountEntry => entry.kind === 'account')?.carried ?? 0n;
      // The one that was under way may be there, or not.
      expect([carried, carried + 1n]).toContain(found);
      expect(entries.flatMap((entry) => (entry.kind === 'share' ? [entry.spent] : []))).toEqual(found === 0n ? [] : Array.from({ length: 50 }, () => found));
      carried = found;
      const dying = (async () => {
        for (;;) {
          const next = carried + 1n;
          const shares = Array.from({ length: 50 }, (_, index) => share(1, { subject: `s${index}`, spent: next }));
          await store.commit(term, [lease(1), account({ carried: next }), ...shares]);
          carried = next;
        }
      })();
      const telling = (async () => {
        for (let batch = 0; ; batch += 1) {
          const ids = Array.from({ length: 10 }, (_, index) => `${life}-${batch}-${index}`);
          await store.addRecords(
            'p',
            ids.map((id) => record(id)),
          );
          told.push(...ids);
        }
      })();
      const faults = Promise.all([faultOf(dying), faultOf(telling)]);
      await expect.poll(() => Number(carried) > 30 * (life + 1) && told.length > 100 * (life + 1), { timeout: 60_000 }).toBe(true);
      await server.kill();
      expect((await faults).map(({ fault }) => fault)).toEqual(['unreachable', 'unreachable']);
      expect((await faultOf(store.pulse())).message).toMatch(/; see that it runs and can be reached$/);
      await server.start();
    }
    const { entries } = await store.lead();
    expect(entries).toContainEqual(lease(1));
    const kept = new Set((await store.records({ sinceMs: 0, count: 100_000 })).map(({ id }) => id));
    expect(told.filter((id) => !kept.has(id))).toEqual([]);
    const [sums] = await store.spend({ by: 'model', sinceMs: 0 });
    expect(sums?.requests).toBe(kept.size);
  });

  it('that is not there when a controller starts is found when it comes', async () => {
    await server.stop();
    const store = await open();
    expect(await faultOf(store.lead())).toMatchObject({ fault: 'unreachable', message: expect.stringMatching(/ECONNREFUSED/) });
    await server.start();
    expect((await store.lead()).term).toBe(1);
  });

  it('whose row somebody holds is given up on, while others feel the pulse', async () => {
    const store = await open();
    const { term } = await store.lead();
    const other = new pg.Client(server.urlOf('ledger', 'socket'));
    await other.connect();
    await other.query(`SET search_path = ${schemaIn(url)}`);
    await other.query('BEGIN; SELECT * FROM airmesh_ledger FOR UPDATE');
    let isRefused = false;
    const refused = faultOf(store.commit(term, [lease(1)])).finally(() => (isRefused = true));
    expect((await store.pulse()).term).toBe(term);
    expect(isRefused).toBe(false);
    expect((await refused).fault).toBe('unreachable');
    await other.query('ROLLBACK');
    await other.end();
    expect(await store.commit(term, [lease(2)])).toBe('stored');
    expect((await store.lead()).entries).toEqual([lease(2)]);
  });
});

describe('a database', { timeout: 60_000 }, () => {
  it('of a newer version is refused, by who has it open as well when it comes back', async () => {
    const store = await open();
    await store.lead();
    await inSchema('UPDATE airmesh_ledger SET schema_version = 99');
    const message = expect.stringMatching(
      /its tables were written by a newer version of Airmesh \(schema 99; this one knows 1\); use that version, or another database/,
    );
    expect(await faultOf(open())).toMatchObject({ fault: 'unusable', message });
    await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'airmesh %'");
    await expect.poll(() => store.lead().catch(({ message: said }: Error) => said)).toEqual(message);
    expect(await inSchema('SELECT term FROM airmesh_ledger')).toEqual([{ term: '1' }]);
  });

  it('that is full stores all of a commit or nothing, says what to do, and goes on when there is room', async () => {
    const store = await open();
    const { term } = await store.lead();
    await store.commit(term, [lease(1), account(), share(1)]);
    // As the server says it: its own disk cannot be filled without filling this machine's.
    await inSchema(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT ON airmesh_shares FOR EACH ROW EXECUTE FUNCTION full_disk();
      CREATE TRIGGER full_disk BEFORE INSERT ON airmesh_totals FOR EACH ROW EXECUTE FUNCTION full_disk();`);
    const full = { fault: 'unusable', message: expect.stringMatching(/No space left on device; make room on its disk$/) };
    expect(await faultOf(store.commit(term, [lease(2), account({ carried: 5n }), share(2)]))).toMatchObject(full);
    expect(await faultOf(store.addRecords('p', [record('1')]))).toMatchObject(full);
    expect(await store.records({ sinceMs: 0, count: 10 })).toEqual([]);
    await inSchema('DROP FUNCTION full_disk CASCADE');
    expect(await store.commit(term, [lease(3)])).toBe('stored');
    await store.addRecords('p', [record('1')]);
    expect(await store.spend({ by: 'model', sinceMs: 0 })).toMatchObject([{ requests: 1 }]);
    expect((await store.lead()).entries).toEqual([lease(1), lease(3), account(), share(1)]);
  });

  it('that takes no writes says so', async () => {
    await server.query('ALTER DATABASE ledger SET default_transaction_read_only = on');
    try {
      expect(await faultOf(open())).toMatchObject({
        fault: 'unusable',
        message: expect.stringMatching(/read-only transaction; it takes no writes: name the primary/),
      });
    } finally {
      await server.query('ALTER DATABASE ledger RESET default_transaction_read_only', 'postgres');
    }
  });

  it('whose server may forget what it acknowledged is refused', async () => {
    await server.query('ALTER SYSTEM SET fsync = off');
    await server.query('SELECT pg_reload_conf()');
    await expect.poll(async () => (await server.query('SHOW fsync')).rows).toEqual([{ fsync: 'off' }]);
    expect(await faultOf(open())).toMatchObject({
      fault: 'unusable',
      message: expect.stringMatching(/: fsync is off there, so it can forget what it has acknowledged; turn it on$/),
    });
    await server.query('ALTER SYSTEM RESET fsync');
    await server.query('SELECT pg_reload_conf()');
    await expect.poll(async () => (await server.query('SHOW fsync')).rows).toEqual([{ fsync: 'on' }]);
  });

  it('that is damaged says so, and what to do', async () => {
    const store = await open();
    const { term } = await store.lead();
    await store.commit(
      term,
      Array.from({ length: 500 }, (_, index) => lease(index + 1)),
    );
    const [{ path = '' } = {}] = await inSchema("CHECKPOINT; SELECT pg_relation_filepath('airmesh_leases') AS path");
    await server.stop();
    const at = join(server.folder, 'data', path);
    const file = openSync(at, 'r+');
    for (let offset = 0; offset < statSync(at).size; offset += 8_192) writeSync(file, Buffer.alloc(512, 0x5a), 0, 512, offset);
    closeSync(file);
    await server.start();
    expect(await faultOf(store.lead())).toMatchObject({
      fault: 'unusable',
      message: expect.stringMatching(/invalid page .*; it is damaged: put a copy of it back/),
    });
  });
});

describe('a way in', { timeout: 60_000 }, () => {
  it.each<[what: string, change: (to: URL) => void, fault: string, message: RegExp]>([
    ['with a wrong password', (to) => (to.password = 'wrong'), 'unusable', /password authentication failed for user "airmesh"; see user and password/],
    ['without a password', (to) => (to.password = ''), 'unusable', /; see the password: in the URL, in PGPASSWORD/],
    ['to a database that is not there', (to) => (to.pathname = '/nowhere'), 'unusable', /database "nowhere" does not exist; make the database/],
    [
      'to a schema that is not there',
      (to) => to.searchParams.set('options', '-c search_path=nowhere'),
      'unusable',
      /no schema has been selected to create in; make the schema/,
    ],
    [
      'in plain text, where the server wants TLS',
      (to) => to.searchParams.set('sslmode', 'disable'),
      'unusable',
      /no encryption; see user and password, and that it lets them in/,
    ],
    [
      'by a name that the certificate is not for',
      (to) => (to.hostname = '127.0.0.1'),
      'unusable',
      /IP: 127\.0\.0\.1 is not in the cert's list.*; see sslmode and sslrootcert/,
    ],
    [
      'with another root certificate',
      (to) => to.searchParams.set('sslrootcert', 'system'),
      'unusable',
      /self-signed certificate|unable to verify.*; see sslmode and sslrootcert/,
    ],
  ])('%s is refused', async (_what, change, fault, message) => {
    expect(await faultOf(open(changed(change)))).toMatchObject({ fault, message: expect.stringMatching(message) });
  });

  it.each<[what: string, change: (to: URL) => void]>([
    ['whose certificate is not asked for its name', (to) => to.searchParams.set('sslmode', 'verify-ca')],
    ['that is believed without proof', (to) => (to.searchParams.set('sslmode', 'require'), to.searchParams.delete('sslrootcert'))],
  ])('to a server %s is by TLS', async (_what, change) => {
    const store = await open(changed((to) => ((to.hostname = '127.0.0.1'), change(to))));
    expect((await store.lead()).term).toBe(1);
    const { rows } = await server.query("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'airmesh %'");
    expect(rows).toEqual([{ ssl: true }]);
  });

  it('made by many at once makes the tables once', async () => {
    const opened = await Promise.all(Array.from({ length: 6 }, () => open()));
    const terms = await Promise.all(opened.map(async (store) => (await store.lead()).term));
    expect(terms.toSorted((one, other) => one - other)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
