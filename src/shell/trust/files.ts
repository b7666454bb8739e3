import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TRUST_FILES, bundleOf, certificatesIn } from '../../core/interception/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { javaTrustStore } from './java.ts';

/** Authorities that applications trust, PEM. */
export interface Trusted {
  /** Path of the public ones; those of the image are replaced by them in most runtimes. */
  readonly publicFile: string;
  /** The mesh's. */
  readonly roots: string;
  /** Those that the namespace adds, such as a company's own. */
  readonly others?: string;
}

/** Writes what has changed, each file whole. Anybody may read them. Returns whether anything had. */
export function writeTrust(folder: string, { publicFile, roots, others = '' }: Trusted): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const added = [...bundleOf(roots), ...bundleOf(others).filter(isCertificate)];
  const all = bundleOf(existsSync(publicFile) ? readFileSync(publicFile, 'utf8') : '', ...added);
  const files: readonly (readonly [string, Uint8Array])[] = [
    [TRUST_FILES.added, Buffer.from(added.join(''))],
    [TRUST_FILES.all, Buffer.from(all.join(''))],
    [TRUST_FILES.java, javaTrustStore(all)],
    [TRUST_FILES.wget, Buffer.from(`ca_certificate = ${join(folder, TRUST_FILES.all)}\n`)],
  ];
  return files.map(([name, content]) => replace(join(folder, name), content)).includes(true);
}

/** Certificates in PEM, written anew as every reader understands them; or what is wrong, which never quotes them. */
export function readCertificates(pem: string): Result<string, string> {
  if (pem.includes('PRIVATE KEY')) return err('holds a private key: take it out, and make another, as resources are read by many');
  const certificates = certificatesIn(pem);
  if (certificates.length === 0 || certificates.length < pem.split('-----BEGIN').length - 1)
    return err('must hold certificates and nothing else, each from its -----BEGIN CERTIFICATE----- to its -----END CERTIFICATE-----');
  const read = certificates.map(certificateIn);
  const unread = read.indexOf(undefined);
  return unread < 0 ? ok(read.join('')) : err(`certificate ${unread + 1} of ${certificates.length} cannot be read: copy it again`);
}

/** What others wrote and is none would have some runtimes trust nobody. */
const isCertificate = (pem: string): boolean => certificateIn(pem) !== undefined;

/** Written anew; `undefined`: it is none. */
function certificateIn(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).toString();
  } catch {
    return undefined;
  }
}

function replace(path: string, content: Uint8Array): boolean {
  if (existsSync(path) && readFileSync(path).equals(content)) return false;
  writeFileSync(`${path}.new`, content, { mode: 0o644 });
  renameSync(`${path}.new`, path);
  return true;
}
