import type { experimental } from '@grpc/grpc-js';

type Provider = experimental.CertificateProvider;
type AuthorityListener = Parameters<Provider['addCaCertificateListener']>[0];

/** The authorities whose certificates a controller may show. New connections go by what was said last; those that are there go on. */
export class Roots implements Provider {
  readonly #listeners = new Set<AuthorityListener>();
  #pem: Buffer;

  /** In PEM, one or several. */
  constructor(pem: string) {
    this.#pem = Buffer.from(pem);
  }

  set pem(pem: string) {
    if (this.#pem.equals(Buffer.from(pem))) return;
    this.#pem = Buffer.from(pem);
    for (const listener of this.#listeners) listener({ caCertificate: this.#pem });
  }

  addCaCertificateListener(listener: AuthorityListener): void {
    this.#listeners.add(listener);
    process.nextTick(() => listener({ caCertificate: this.#pem }));
  }

  removeCaCertificateListener(listener: AuthorityListener): void {
    this.#listeners.delete(listener);
  }

  /** A token is who one is here, and no certificate. */
  addIdentityCertificateListener(): void {}

  removeIdentityCertificateListener(): void {}
}
