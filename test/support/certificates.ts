/** Certificates for tests, made anew each time. */
import '../../src/shell/certs/reflect.ts';
import type { webcrypto } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import type { CertificatePaths } from '../../src/shell/wire/index.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 3_600_000;

/** A key and its certificate, in PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateWishes {
  /** Alternative names. */
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  /** From now on; less than nothing for one that has ended. An hour if nothing is said. */
  readonly validMs?: number;
  /** An authority's. */
  readonly isAuthority?: boolean;
}

/** A certificate authority. */
export class TestAuthority {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #certificate: x509.X509Certificate;

  private constructor(keys: webcrypto.CryptoKeyPair, certificate: x509.X509Certificate) {
    this.#keys = keys;
    this.#certificate = certificate;
  }

  static async create(name: string): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: ALGORITHM,
      ...validity(HOUR_MS),
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    return new TestAuthority(keys, certificate);
  }

  /** Its own certificate, in PEM. */
  get certificate(): string {
    return this.#certificate.toString('pem');
  }

  async issue({ uris = [], dns = [], ips = [], validMs = HOUR_MS, isAuthority = false }: CertificateWishes): Promise<IssuedCertificate> {
    const keys = await newKeys();
    const names = [
      ...uris.map((value) => ({ type: 'url', value }) as const),
      ...dns.map((value) => ({ type: 'dns', value }) as const),
      ...ips.map((value) => ({ type: 'ip', value }) as const),
    ];
    const certificate = await x509.X509CertificateGenerator.create({
      subject: 'CN=test',
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(validMs),
      extensions: [
        new x509.BasicConstraintsExtension(isAuthority, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | (isAuthority ? x509.KeyUsageFlags.keyCertSign : 0), true),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      ],
    });
    const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { certificate: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
  }
}

/** Writes them, each file at once, as if a secret had been mounted. What is there is replaced. */
export function writeCertificates(folder: string, name: string, { certificate, key }: IssuedCertificate, authorities: string): CertificatePaths {
  const paths = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`), authorities: join(folder, `${name}.ca.crt`) };
  replaceFile(paths.certificate, certificate);
  replaceFile(paths.key, key);
  replaceFile(paths.authorities, authorities);
  return paths;
}

function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function validity(validMs: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(Math.min(now, now + validMs) - HOUR_MS), notAfter: new Date(now + validMs) };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}
