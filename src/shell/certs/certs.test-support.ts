/** What the tests of this room share: a clock that is set, an authority, and the real openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from './authority.ts';
import type { LeafWishes } from './authority.ts';
import type { KeyedCertificate } from './keyed.ts';
import { MemoryAuthorityStore } from './memory-store.ts';
import type { AuthorityStore } from './store.ts';
import { AUTHORITIES } from './terms.ts';
import type { AuthorityTerms } from './terms.ts';

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
export const START = Date.parse('2026-11-28T12:00:00.500Z');

export class SetClock {
  now = START;
  readonly read = (): number => this.now;
}

export async function openAuthority(
  clock: SetClock,
  terms: AuthorityTerms = AUTHORITIES.interception(),
  store: AuthorityStore = new MemoryAuthorityStore(),
): Promise<Authority> {
  const opened = await Authority.open({ store, terms, now: clock.read });
  if (!opened.ok) throw new Error(`${opened.error.where}: ${opened.error.reason}`);
  return opened.value;
}

export async function issue(authority: Authority, wishes: Partial<LeafWishes>): Promise<KeyedCertificate> {
  const issued = await authority.issue({ lifetimeMs: DAY_MS, ...wishes });
  if (!issued.ok) throw new Error(`${issued.error.where}: ${issued.error.reason}`);
  return issued.value;
}

/** What `openssl verify` says of a leaf: `OK`, or its complaint. */
export function opensslVerify(bundle: string, leaf: string, at: number, ...flags: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-openssl-'));
  try {
    const [roots, file] = [join(folder, 'roots.pem'), join(folder, 'leaf.pem')];
    writeFileSync(roots, bundle);
    writeFileSync(file, leaf);
    const time = String(Math.floor(at / 1000));
    execFileSync('openssl', ['verify', '-x509_strict', '-no-CApath', '-purpose', 'sslserver', '-attime', time, '-CAfile', roots, ...flags, file], {
      stdio: 'pipe',
    });
    return 'OK';
  } catch (error) {
    return String((error as { readonly stderr?: Buffer }).stderr ?? error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const certificatesOf = (pem: string): string[] => pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
