import { inspect } from 'node:util';
import type { LeafCertificate } from '../../core/control/index.ts';
import type { EpochMs } from '../../core/units/index.ts';

/** A certificate with its key, PEM. Whatever prints it, copies its fields or writes it as JSON has no key. */
export class KeyedCertificate implements LeafCertificate {
  /** The leaf; what is between it and the root that others trust follows. */
  readonly certificate: string;
  readonly notAfter: EpochMs;
  readonly #key: string;

  constructor(certificate: string, key: string, notAfter: EpochMs) {
    this.certificate = certificate;
    this.notAfter = notAfter;
    this.#key = key;
  }

  get key(): string {
    return this.#key;
  }

  toJSON(): { readonly certificate: string; readonly notAfter: EpochMs } {
    return { certificate: this.certificate, notAfter: this.notAfter };
  }

  [inspect.custom](): string {
    return `KeyedCertificate until ${new Date(this.notAfter).toISOString()}`;
  }
}
