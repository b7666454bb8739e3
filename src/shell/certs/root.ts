import './reflect.ts';
import type { webcrypto } from 'node:crypto';
import { inspect } from 'node:util';
import * as x509 from '@peculiar/x509';
import type { EpochMs } from '../../core/units/index.ts';
import { NAME_CONSTRAINTS_OID, encodeConstraints } from './constraints.ts';
import { KeyedCertificate } from './keyed.ts';
import type { RootTimes } from './rotation.ts';
import { SKEW_MS } from './terms.ts';
import type { AuthorityTerms } from './terms.ts';

export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const SECOND_MS = 1000;

/** Certificates tell time in seconds: the moment itself, or before it. */
export const inSeconds = (time: EpochMs): EpochMs => Math.floor(time / SECOND_MS) * SECOND_MS;

/** What a leaf says; names are valid. */
export interface LeafContent {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  readonly uris: readonly string[];
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
  readonly isClient: boolean;
}

/** A self-signed certificate, and its key until it signs no more. Whatever prints it has no key. */
export class Root implements RootTimes {
  readonly certificate: string;
  readonly madeAt: EpochMs;
  readonly signsFrom: EpochMs;
  readonly signsUntil: EpochMs;
  readonly endsAt: EpochMs;
  /** PKCS #8, PEM. */
  readonly #key: string | undefined;
  #signer: Promise<webcrypto.CryptoKey> | undefined;
  readonly #parsed: x509.X509Certificate;

  constructor(certificate: string, key: string | undefined, { signsFrom, signsUntil }: Pick<RootTimes, 'signsFrom' | 'signsUntil'>) {
    this.#parsed = new x509.X509Certificate(certificate);
    this.certificate = certificate;
    this.#key = key;
    this.madeAt = this.#parsed.notBefore.getTime() + SKEW_MS;
    this.endsAt = this.#parsed.notAfter.getTime();
    this.signsFrom = signsFrom;
    this.signsUntil = signsUntil;
  }

  static async make(terms: AuthorityTerms, now: EpochMs, times: Pick<RootTimes, 'signsFrom' | 'signsUntil'>): Promise<Root> {
    const keys = await newKeys();
    const constraints = encodeConstraints(terms.constraints);
    const serialNumber = newSerial();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber,
      // Each root has a name of its own: some verifiers look for an issuer by its name alone.
      name: [{ O: ['Airmesh'] }, { CN: [`Airmesh ${terms.name} ${serialNumber.slice(0, 8)}`] }],
      keys,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(inSeconds(now - SKEW_MS)),
      notAfter: new Date(inSeconds(times.signsUntil + terms.maxLeafMs + SKEW_MS)),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ...(constraints === undefined ? [] : [new x509.Extension(NAME_CONSTRAINTS_OID, true, Buffer.from(constraints))]),
      ],
    });
    return new Root(certificate.toString('pem'), await keyPem(keys.privateKey), times);
  }

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  withoutKey(): Root {
    return new Root(this.certificate, undefined, this);
  }

  /** For the store alone: it holds the key. */
  reveal(): { readonly certificate: string; readonly key?: string } {
    return { certificate: this.certificate, ...(this.#key === undefined ? {} : { key: this.#key }) };
  }

  async issue({ dns, ips, uris, notBefore, notAfter, isClient }: LeafContent): Promise<KeyedCertificate> {
    if (this.#key === undefined) throw new Error('a root that has no key any more was asked to sign');
    this.#signer ??= importKey(this.#key);
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      // Names are alternative names only; RFC 5280 then wants them to be critical, which some verifiers do not expect. A name for people avoids it.
      subject: [{ O: ['Airmesh'] }],
      issuer: this.#parsed.subject,
      publicKey: keys.publicKey,
      signingKey: await this.#signer,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, ...(isClient ? [x509.ExtendedKeyUsage.clientAuth] : [])]),
        new x509.SubjectAlternativeNameExtension([
          ...dns.map((value) => ({ type: 'dns', value }) as const),
          ...ips.map((value) => ({ type: 'ip', value }) as const),
          ...uris.map((value) => ({ type: 'url', value }) as const),
        ]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(this.#parsed.publicKey),
      ],
    });
    return new KeyedCertificate(`${certificate.toString('pem')}\n`, await keyPem(keys.privateKey), notAfter);
  }

  toJSON(): unknown {
    return { certificate: this.certificate, signsFrom: this.signsFrom, signsUntil: this.signsUntil };
  }

  [inspect.custom](): string {
    return `Root that signs until ${new Date(this.signsUntil).toISOString()}`;
  }
}

/** 127 bits by chance: never negative, never the same. */
function newSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, false, ['sign']);
}
