import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DAY_MS, SetClock, issue, openAuthority } from './certs.test-support.ts';
import type { IdentitySource, ServerIdentity } from './identity.ts';
import { issuedIdentity } from './issued.ts';
import { AUTHORITIES } from './terms.ts';
import { tlsFolderIdentity } from './tls-folder.ts';

const NAME = 'airmesh.mesh.svc';
const terms = AUTHORITIES.controlPlane('mesh');

const identityOf = async (source: IdentitySource): Promise<ServerIdentity> => {
  const tended = await source.tend();
  if (!tended.ok) throw new Error(`${tended.error.where}: ${tended.error.reason}`);
  return tended.value;
};

describe('a certificate of the mesh’s own', () => {
  it('is made anew when it is due, and its roots are those in force', async () => {
    const clock = new SetClock();
    const authority = await openAuthority(clock, terms);
    const source = issuedIdentity({ authority, wishes: { dns: [NAME], lifetimeMs: DAY_MS }, now: clock.read, chance: () => 0 });
    const first = await identityOf(source);
    clock.now = source.dueAt();
    expect(await identityOf(source)).toBe(first);
    clock.now += DAY_MS;
    const second = await identityOf(source);
    expect(second.leaf.certificate).not.toBe(first.leaf.certificate);
    expect(second.roots).toBe(first.roots);
    clock.now += 365 * DAY_MS;
    const third = await identityOf(source);
    expect(third.roots).not.toBe(first.roots);
    expect(third.roots).toBe(authority.bundle());
  });
});

describe('a certificate of another’s', () => {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-tls-'));
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  });

  /** As the kubelet does: a folder for each state, and one link that is moved. */
  let states = 0;
  const mount = (files: Readonly<Record<string, string>>): void => {
    const state = join(folder, `..state${++states}`);
    mkdirSync(state);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(state, name), text);
    symlinkSync(state, join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
  };

  const material = async (clock: SetClock, wishes: Parameters<typeof issue>[1] = {}): Promise<Record<string, string>> => {
    const authority = await openAuthority(clock, terms);
    const leaf = await issue(authority, { dns: [NAME], ...wishes });
    return { 'tls.crt': leaf.certificate, 'tls.key': leaf.key, 'ca.crt': authority.bundle() };
  };

  it('is read from where its Secret is mounted, and again when that changes', async () => {
    const clock = new SetClock();
    const source = tlsFolderIdentity({ folder, dns: [NAME], now: clock.read });
    const one = await material(clock);
    mount(one);
    const first = await identityOf(source);
    expect(first).toMatchObject({ leaf: { certificate: one['tls.crt'], key: one['tls.key'] }, roots: one['ca.crt'] });
    expect(await identityOf(source)).toBe(first);
    mount(await material(clock));
    expect((await identityOf(source)).leaf.certificate).not.toBe(first.leaf.certificate);
  });

  it.each<[string, (good: Record<string, string>, other: Record<string, string>) => Record<string, string>, string, string]>([
    ['without an authority', (good) => Object.fromEntries(Object.entries(good).filter(([name]) => name !== 'ca.crt')), 'ca.crt', 'ENOENT'],
    ['with an empty certificate', (good) => ({ ...good, 'tls.crt': '' }), 'tls.crt', 'no certificate'],
    ['with a key that is none', (good) => ({ ...good, 'tls.key': 'x' }), 'tls.key', 'no private key'],
    ['with another’s key', (good, other) => ({ ...good, 'tls.key': other['tls.key'] ?? '' }), 'tls.key', 'not the key'],
    ['of an authority that is not there', (good, other) => ({ ...good, 'ca.crt': other['ca.crt'] ?? '' }), 'ca.crt', 'not signed by any'],
  ])('is refused %s', async (_name, change, file, reason) => {
    const clock = new SetClock();
    mount(change(await material(clock), await material(clock)));
    const tended = await tlsFolderIdentity({ folder, dns: [NAME], now: clock.read }).tend();
    expect(tended.ok ? '' : tended.error.where).toBe(join(folder, file));
    expect(tended.ok ? '' : tended.error.reason).toContain(reason);
  });

  it('is refused for another name, and after its end', async () => {
    const clock = new SetClock();
    mount(await material(clock));
    expect(await tlsFolderIdentity({ folder, dns: ['other.mesh.svc'], now: clock.read }).tend()).toMatchObject({
      error: { reason: 'the certificate is not for other.mesh.svc' },
    });
    clock.now += 2 * DAY_MS;
    expect(await tlsFolderIdentity({ folder, dns: [NAME], now: clock.read }).tend()).toMatchObject({ error: { reason: expect.stringContaining('ended at') } });
  });
});
