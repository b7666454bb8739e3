import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestAuthority } from '../../../test/support/certificates.ts';
import { ToldTrust } from './trust.ts';

const [mesh, company, next] = await Promise.all(['mesh', 'company', 'next'].map((name) => TestAuthority.create(name)));
let folder: string;
let authorities: string;
let publicFile: string;
let trust: ToldTrust;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-trust-'));
  authorities = join(folder, 'authorities');
  publicFile = join(folder, 'public.pem');
  trust = new ToldTrust({ folder: join(folder, 'trust'), others: authorities }, publicFile);
});
afterEach(() => rmSync(folder, { recursive: true }));

const tell = (root = mesh): boolean =>
  trust.tell({
    snapshots: new Map(),
    providers: new Map(),
    interception: { hosts: [], roots: root?.certificate ?? '', egress: 'Open' },
  });
const added = (): readonly string[] =>
  readFileSync(join(folder, 'trust', 'mesh.pem'), 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
const trimmed = (...of: readonly (TestAuthority | undefined)[]): readonly string[] => of.map((each) => each?.certificate.trim() ?? '');

/** As kubelets lay out a ConfigMap: hidden folders, a link to the present one, and a link for each entry. */
function mount(version: string, entries: Readonly<Record<string, string>>): void {
  mkdirSync(join(authorities, `..${version}`), { recursive: true });
  for (const [name, text] of Object.entries(entries)) writeFileSync(join(authorities, `..${version}`, name), text);
  symlinkSync(`..${version}`, join(authorities, '..new'));
  renameSync(join(authorities, '..new'), join(authorities, '..data'));
  for (const name of Object.keys(entries)) {
    rmSync(join(authorities, name), { force: true });
    symlinkSync(join('..data', name), join(authorities, name));
  }
}

it('adds what a namespace adds, as it comes, changes, and is wrong', () => {
  expect(tell()).toBe(true);
  expect(added()).toEqual(trimmed(mesh));
  expect(tell()).toBe(false);

  mount('1', { 'ca.crt': company?.certificate ?? '' });
  expect(tell()).toBe(true);
  expect(added()).toEqual(trimmed(mesh, company));
  expect(tell()).toBe(false);

  mount('2', {
    'ca.crt': `# ours\n${company?.certificate ?? ''}`,
    'next.pem': next?.certificate ?? '',
    'readme.txt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
  });
  expect(tell()).toBe(true);
  expect(added()).toEqual(trimmed(mesh, company, next));
  expect(readFileSync(join(folder, 'trust', 'truststore.jks')).length).toBeGreaterThan(1000);

  rmSync(authorities, { recursive: true });
  expect(tell()).toBe(true);
  expect(added()).toEqual(trimmed(mesh));
});

it('makes the files anew only when something that they are made from has changed', () => {
  mount('1', { 'ca.crt': company?.certificate ?? '' });
  expect(tell()).toBe(true);
  // Whether they are made is seen by one that is missing.
  const isMade = (root = mesh): boolean => {
    rmSync(join(folder, 'trust', 'ca.pem'), { force: true });
    tell(root);
    return existsSync(join(folder, 'trust', 'ca.pem'));
  };
  expect(isMade()).toBe(false);
  expect(isMade(next)).toBe(true);
  expect(isMade(next)).toBe(false);
  expect(isMade()).toBe(true);
  mount('2', { 'ca.crt': next?.certificate ?? '' });
  expect([isMade(), isMade()]).toEqual([true, false]);
  writeFileSync(publicFile, company?.certificate ?? '');
  expect([isMade(), isMade()]).toEqual([true, false]);
});

it('tries again what could not be written', () => {
  writeFileSync(join(folder, 'trust'), 'no folder');
  expect(() => tell()).toThrow('EEXIST');
  rmSync(join(folder, 'trust'));
  expect(tell()).toBe(true);
});
