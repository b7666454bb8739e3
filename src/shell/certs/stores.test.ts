import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Authority } from './authority.ts';
import { START, SetClock, openAuthority } from './certs.test-support.ts';
import { FolderAuthorityStore } from './folder-store.ts';
import { MemoryAuthorityStore } from './memory-store.ts';
import type { AuthorityStore } from './store.ts';
import { AUTHORITIES } from './terms.ts';

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-authority-'));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe.each<[string, () => AuthorityStore]>([
  ['memory', () => new MemoryAuthorityStore()],
  ['a folder', () => new FolderAuthorityStore(join(newFolder(), 'inner'))],
])('%s', (_name, make) => {
  it('gives back what was kept last', async () => {
    const store = make();
    expect(await store.read()).toBeUndefined();
    expect(await store.replace(undefined, 'one')).toBe(true);
    const one = await store.read();
    expect(one?.text).toBe('one');
    expect(await store.replace(one?.revision, 'two')).toBe(true);
    expect((await store.read())?.text).toBe('two');
  });

  it('lets one of many be first, time after time', async () => {
    const store = make();
    for (let round = 0; round < 10; round++) {
      const before = await store.read();
      const outcomes = await Promise.all(Array.from({ length: 8 }, (_, index) => store.replace(before?.revision, `${round}-${index}`)));
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect((await store.read())?.text).toBe(`${round}-${outcomes.indexOf(true)}`);
    }
  });

  it('refuses who is late by more than one change', async () => {
    const store = make();
    await store.replace(undefined, 'one');
    const one = await store.read();
    await store.replace(one?.revision, 'two');
    await store.replace((await store.read())?.revision, 'three');
    expect(await store.replace(one?.revision, 'late')).toBe(false);
    expect(await store.replace(undefined, 'late')).toBe(false);
    expect((await store.read())?.text).toBe('three');
  });
});

describe('a folder', () => {
  it('is readable by its owner alone, and leaves nothing behind', async () => {
    const folder = join(newFolder(), 'authority');
    await openAuthority(new SetClock(), AUTHORITIES.interception(), new FolderAuthorityStore(folder));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(['authority-000000001.json']);
    expect(statSync(join(folder, 'authority-000000001.json')).mode & 0o777).toBe(0o600);
  });

  it('makes one authority for several processes', async () => {
    const folder = newFolder();
    const bundles = await Promise.all(
      Array.from({ length: 6 }, async () => (await openAuthority(new SetClock(), AUTHORITIES.interception(), new FolderAuthorityStore(folder))).bundle()),
    );
    expect(new Set(bundles).size).toBe(1);
  });
});

/** What is kept, as far as it is damaged here. */
interface KeptRoot {
  signsFrom?: string;
  signsUntil?: string;
  certificate?: string;
  key?: string | undefined;
}
interface Document {
  format: number;
  authority: string;
  roots: [KeptRoot, KeptRoot];
}

describe('what is damaged', () => {
  const terms = AUTHORITIES.interception();
  /** The document of a whole authority, changed. */
  const damaged = async (change: (document: Document) => unknown): Promise<{ where: string; reason: string } | undefined> => {
    const store = new MemoryAuthorityStore();
    await openAuthority(new SetClock(), terms, store);
    const kept = await store.read();
    const document = JSON.parse(kept?.text ?? '') as Document;
    const changed = change(document) ?? document;
    const text = typeof changed === 'string' ? changed : JSON.stringify(changed);
    await store.replace(kept?.revision, text);
    const opened = await Authority.open({ store, terms, now: () => START });
    expect((await store.read())?.text).toBe(text);
    return opened.ok ? undefined : opened.error;
  };

  it.each<[string, (document: Document) => unknown, string, string]>([
    ['text that is cut', (it) => JSON.stringify(it).slice(0, -40), 'memory', 'no JSON'],
    ['nothing', () => '""', 'memory', 'no JSON object'],
    ['a newer format', (it) => void (it.format = 2), 'memory: format', 'newer'],
    ['another authority', (it) => void (it.authority = 'control plane'), 'memory: authority', 'something else'],
    ['no list', (it) => ({ ...it, roots: {} }), 'memory: roots', 'array'],
    ['a root that is none', (it) => ({ ...it, roots: [it.roots[0], 7] }), 'memory: roots[1]', 'object'],
    ['no time', (it) => void (it.roots[0].signsFrom = 'soon'), 'memory: roots[0].signsFrom', 'time'],
    ['times that are swapped', (it) => void (it.roots[0].signsUntil = '2020-01-01'), 'memory: roots[0].signsUntil', 'after signsFrom'],
    ['roots that are swapped', (it) => ({ ...it, roots: it.roots.toReversed() }), 'memory: roots[1].signsFrom', 'earlier'],
    ['a certificate that is none', (it) => void (it.roots[0].certificate = 'x'), 'memory: roots[0].certificate', 'PEM'],
    ['a key that is none', (it) => void (it.roots[1].key = 'x'), 'memory: roots[1].key', 'private key in PEM'],
    ['a key that is cut', (it) => void (it.roots[1].key = it.roots[1].key?.slice(0, 90)), 'memory: roots[1].key', 'private key in PEM'],
    ['another root’s key', (it) => void (it.roots[1].key = it.roots[0].key), 'memory: roots[1].key', 'not the key'],
    ['a key that is missing', (it) => void delete it.roots[0].key, 'memory', 'has no key'],
    ['a longer term than the certificate', (it) => void (it.roots[1].signsUntil = '2060-01-01'), 'memory: roots[1].certificate', 'ends before'],
  ])('is refused, and stays: %s', async (_name, change, where, reason) => {
    const fault = await damaged(change);
    expect(fault?.where).toBe(where);
    expect(fault?.reason).toContain(reason);
    expect(JSON.stringify(fault)).not.toMatch(/PRIVATE|MIG/);
  });

  it('is found by those who run as well, who go on', async () => {
    const folder = newFolder();
    const authority = await openAuthority(new SetClock(), terms, new FolderAuthorityStore(folder));
    const bundle = authority.bundle();
    writeFileSync(join(folder, 'authority-000000002.json'), '{');
    expect(await authority.tend()).toEqual({ ok: false, error: { where: `folder ${folder}`, reason: 'it is no JSON object' } });
    expect(authority.bundle()).toBe(bundle);
    expect(await authority.issue({ dns: ['api.openai.com'], lifetimeMs: 1000 })).toMatchObject({ ok: true });
  });

  it('or can’t be read, is said so', async () => {
    const path = join(newFolder(), 'file');
    writeFileSync(path, '');
    const opened = await Authority.open({ store: new FolderAuthorityStore(path), terms, now: () => START });
    expect(opened).toEqual({ ok: false, error: { where: `folder ${path}`, reason: `folder ${path}: ENOTDIR` } });
  });
});
