/** What can befall a ledger in a file. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteStore } from '../../../src/shell/stores/sqlite/index.ts';
import { hasSmallDisks, onSmallDisk } from '../../support/small-disk.ts';
import { account, lease, share } from './material.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-ledger-'));
  path = join(folder, 'ledger.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function filled(): Promise<void> {
  const store = await SqliteStore.open(path);
  const { term } = await store.lead();
  const shares = Array.from({ length: 1_000 }, (_, index) => share(1, { subject: `subject-${index}` }));
  await store.commit(term, [lease(1), account(), ...shares]);
  await store.close();
}

const onDisks = (): void => {
  if (!hasSmallDisks()) throw new Error('These tests mount small disks of their own: run them as root, or where user namespaces are allowed.');
};

describe('a ledger in a file', { timeout: 120_000 }, () => {
  it('of a newer version is refused, and stays as it was', async () => {
    await filled();
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    await expect(SqliteStore.open(path)).rejects.toMatchObject({
      name: 'Error',
      fault: 'unusable',
      message: expect.stringMatching(/^the ledger .*ledger\.db cannot be used: it was written by a newer version of Airmesh \(schema 99; this one knows 1\)/),
    });
    expect(new DatabaseSync(path, { readOnly: true }).prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
  });

  it('that is damaged says so, and what to do', async () => {
    await filled();
    const file = openSync(path, 'r+');
    // Its tables' pages, but not the first, by which it is known for a database.
    for (let offset = 4_096; offset < statSync(path).size; offset += 4_096) writeSync(file, Buffer.alloc(4_096, 0x5a), 0, 4_096, offset);
    const damage = { fault: 'unusable', message: expect.stringMatching(/malformed; put a copy of it back/) };
    await expect(SqliteStore.open(path).then((store) => store.lead())).rejects.toMatchObject(damage);
  });

  it('that is none says so, and is not written', async () => {
    copyFileSync('package.json', path);
    await expect(SqliteStore.open(path)).rejects.toMatchObject({ fault: 'unusable', message: expect.stringContaining('file is not a database') });
    expect(statSync(path).size).toBe(statSync('package.json').size);
  });

  it('in a folder that is not there says so', async () => {
    const nowhere = join(folder, 'nowhere', 'ledger.db');
    await expect(SqliteStore.open(nowhere)).rejects.toMatchObject({
      fault: 'unusable',
      message: expect.stringMatching(/see that the file and its folder are there/),
    });
    expect(existsSync(nowhere)).toBe(false);
  });

  it('that another program holds is waited for, and then said', async () => {
    const store = await SqliteStore.open(path);
    const { term } = await store.lead();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.commit(term, [lease(1)])).rejects.toMatchObject({ fault: 'unreachable', message: expect.stringMatching(/another program holds it/) });
    // Who reads waits for nobody.
    expect((await store.pulse()).term).toBe(term);
    other.exec('ROLLBACK');
    other.close();
    expect(await store.commit(term, [lease(1)])).toBe('stored');
    await store.close();
  });

  it('on a disk that may not be written says so', async () => {
    onDisks();
    await filled();
    const [at, content] = [join(folder, 'disk'), join(folder, 'content')];
    mkdirSync(at);
    mkdirSync(content);
    copyFileSync(path, join(content, 'ledger.db'));
    const script = `import('./src/shell/stores/sqlite/index.ts').then(async ({ SqliteStore }) => {
      const { fault, message } = await SqliteStore.open(process.argv[1]).then((store) => store.lead()).catch((error) => error);
      console.log(fault, message);
      process.exit(0);
    })`;
    const ended = onSmallDisk({ size: '4m', at, content, make: 'read-only' }, [process.execPath, '--eval', script, join(at, 'ledger.db')]);
    expect(ended.stdout).toMatch(
      /^unusable the ledger .* cannot be used: (?:attempt to write a readonly database|unable to open).*; (?:let this program write|see that the file)/,
    );
  });

  it('on a disk that fills up stores all of a commit or nothing, and goes on when there is room', () => {
    onDisks();
    const at = join(folder, 'disk');
    mkdirSync(at);
    const ended = onSmallDisk({ size: '4m', at }, [process.execPath, 'test/support/full-ledger.ts', at]);
    expect(ended.stderr).toBe('');
    const outcome = JSON.parse(ended.stdout) as { readonly stored: number };
    expect(outcome).toMatchObject({
      refusal: ['unusable', expect.stringMatching(/database or disk is full; make room on its disk$/)],
      records: 'unusable',
      readable: 1,
      goesOn: true,
      found: [outcome.stored],
      entries: 2,
    });
    expect(outcome.stored).toBeGreaterThan(6);
  });
});
