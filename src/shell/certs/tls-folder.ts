import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok } from '../../core/units/index.ts';
import type { EpochMs, Result } from '../../core/units/index.ts';
import type { IdentitySource, ServerIdentity } from './identity.ts';
import { KeyedCertificate } from './keyed.ts';
import type { AuthorityFault } from './store.ts';

/** The kubelet brings a changed Secret within about a minute. */
const LOOK_MS = 10_000;

export interface TlsFolderParts {
  /** Where a Secret of type kubernetes.io/tls is mounted: `tls.crt`, `tls.key`, `ca.crt`, as cert-manager writes them. */
  readonly folder: string;
  /** The certificate must be good for each. */
  readonly dns: readonly string[];
  readonly now: () => EpochMs;
}

interface Read {
  readonly identity: ServerIdentity;
  readonly texts: string;
}

/** A controller's certificate that another makes and renews. What is wrong is said, and the last that was right stays with who has it. */
export function tlsFolderIdentity({ folder, dns, now }: TlsFolderParts): IdentitySource {
  let current: Read | undefined;
  let lookAt = 0;
  return {
    async tend() {
      lookAt = now() + LOOK_MS;
      const read = await readFolder(folder, dns, now());
      if (!read.ok) return read;
      if (read.value.texts !== current?.texts) current = read.value;
      return ok(current.identity);
    },
    dueAt: () => lookAt,
  };
}

async function readFolder(folder: string, dns: readonly string[], now: EpochMs): Promise<Result<Read, AuthorityFault>> {
  const texts: string[] = [];
  // Mounted Secrets change by one link: through it, all three files are of one state.
  const settled = await realpath(join(folder, '..data')).catch(() => folder);
  for (const name of ['tls.crt', 'tls.key', 'ca.crt']) {
    try {
      texts.push(await readFile(join(settled, name), 'utf8'));
    } catch (error) {
      const hint = name === 'ca.crt' ? '; the issuer must give its authority, as cert-manager’s CA issuers do' : '';
      return err({ where: join(folder, name), reason: `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})${hint}` });
    }
  }
  const [certificate = '', key = '', roots = ''] = texts;
  const checked = check(folder, certificate, key, roots, dns, now);
  if (!checked.ok) return checked;
  return ok({ identity: { leaf: new KeyedCertificate(certificate, key, checked.value), roots }, texts: texts.join('\n') });
}

/** When it ends. */
function check(folder: string, certificate: string, key: string, roots: string, dns: readonly string[], now: EpochMs): Result<EpochMs, AuthorityFault> {
  const fault = (name: string, reason: string): Result<never, AuthorityFault> => err({ where: join(folder, name), reason });
  const [leaf, ...between] = certificatesIn(certificate) ?? [];
  if (leaf === undefined) return fault('tls.crt', 'it holds no certificate in PEM');
  const trusted = certificatesIn(roots) ?? [];
  if (trusted.length === 0) return fault('ca.crt', 'it holds no certificate in PEM');
  const privateKey = keyOf(key);
  if (privateKey === undefined) return fault('tls.key', 'it holds no private key in PEM without a password');
  if (!leaf.checkPrivateKey(privateKey)) return fault('tls.key', 'it is not the key of the certificate in tls.crt');
  const missing = dns.find((name) => leaf.checkHost(name) === undefined);
  if (missing !== undefined) return fault('tls.crt', `the certificate is not for ${missing}`);
  if (leaf.validToDate.getTime() <= now) return fault('tls.crt', `the certificate ended at ${leaf.validToDate.toISOString()}`);
  if (!leadsTo(leaf, between, trusted)) return fault('ca.crt', 'the certificate in tls.crt is not signed by any authority in it');
  return ok(leaf.validToDate.getTime());
}

function leadsTo(leaf: X509Certificate, between: readonly X509Certificate[], trusted: readonly X509Certificate[]): boolean {
  const isSignedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
    certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  let current = leaf;
  for (let step = 0; step <= between.length; step++) {
    const issued = current;
    if (trusted.some((root) => root.raw.equals(issued.raw) || isSignedBy(issued, root))) return true;
    const issuer = between.find((candidate) => candidate !== issued && isSignedBy(issued, candidate));
    if (issuer === undefined) return false;
    current = issuer;
  }
  return false;
}

/** `undefined` where one of them cannot be read. */
function certificatesIn(pem: string): X509Certificate[] | undefined {
  try {
    return [...pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)].map(([block]) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function keyOf(pem: string): ReturnType<typeof createPrivateKey> | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
