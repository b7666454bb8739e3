import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { Provided } from './provided.ts';
import type { Provision } from './provided.ts';

/** Files are looked at so often: mounted secrets change by links, which file notifications miss. */
const LOOK_MS = 1_000;

/** Where one side's key and certificates are, in PEM. */
export interface CertificatePaths {
  /** Its own, with those between it and the authority. */
  readonly certificate: string;
  readonly key: string;
  /** Of the authorities that it trusts. */
  readonly authorities: string;
}

/**
 * One side's certificates, reread when their files change. New connections use what the files held when they last made
 * sense together; those that are there go on. grpc-js has a provider of its own, which refuses all connections while
 * files are being replaced or are wrong.
 */
export class CertificateFiles extends Provided {
  readonly #paths: CertificatePaths;
  readonly #onFault: (message: string) => void;
  #fault: string | undefined;
  readonly #timer: NodeJS.Timeout;

  private constructor(paths: CertificatePaths, pems: Provision, onFault: (message: string) => void) {
    super(pems);
    this.#paths = paths;
    this.#onFault = onFault;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** The error says which file is wrong. `onFault`: later ones are, and the former ones stay in use. */
  static open(paths: CertificatePaths, onFault: (message: string) => void): Result<CertificateFiles, string> {
    const pems = readPems(paths);
    return pems.ok ? ok(new CertificateFiles(paths, pems.value, onFault)) : pems;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const pems = readPems(this.#paths);
    const fault = pems.ok ? undefined : pems.error;
    if (fault !== undefined && fault !== this.#fault) this.#onFault(fault);
    this.#fault = fault;
    if (pems.ok) this.provide(pems.value);
  }
}

/** No message quotes what is in a file: one of them is a key. */
function readPems({ certificate, key, authorities }: CertificatePaths): Result<Provision, string> {
  const pems: Partial<Record<keyof CertificatePaths, Buffer>> = {};
  for (const [name, path] of Object.entries({ certificate, key, authorities })) {
    try {
      pems[name as keyof CertificatePaths] = readFileSync(path);
    } catch (error) {
      return err(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
    }
  }
  const read = pems as Provision;
  const [own] = certificatesIn(read.certificate);
  const privateKey = keyOf(read.key);
  if (own === undefined) return err(`${certificate} holds no certificate in PEM`);
  if (privateKey === undefined) return err(`${key} holds no private key in PEM without a password`);
  if (!own.checkPrivateKey(privateKey)) return err(`the key in ${key} is not that of the certificate in ${certificate}`);
  if (certificatesIn(read.authorities).length === 0) return err(`${authorities} does not hold certificates in PEM, each beginning on a line of its own`);
  return ok(read);
}

/** What is wrong with authorities in PEM, if anything. */
export function rootsFault(pem: string): string | undefined {
  return certificatesIn(Buffer.from(pem)).length > 0 ? undefined : 'they are no certificates in PEM, each beginning on a line of its own';
}

/** None where one of them cannot be read, or does not begin on a line of its own: OpenSSL would leave that one out, and say nothing. */
function certificatesIn(pem: Buffer): X509Certificate[] {
  const [, ...parts] = pem.toString('latin1').split('-----BEGIN CERTIFICATE-----');
  try {
    if (parts.slice(0, -1).some((part) => !part.endsWith('\n'))) return [];
    return parts.map((part) => new X509Certificate(`-----BEGIN CERTIFICATE-----${part}`));
  } catch {
    return [];
  }
}

function keyOf(pem: Buffer): ReturnType<typeof createPrivateKey> | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
