import type { experimental } from '@grpc/grpc-js';

type Provider = experimental.CertificateProvider;
type IdentityListener = Parameters<Provider['addIdentityCertificateListener']>[0];
type AuthorityListener = Parameters<Provider['addCaCertificateListener']>[0];

/** What a server shows, and whose certificates it takes; PEM. */
export interface Shown {
  readonly certificate: string;
  readonly key: string;
  readonly authorities: string;
}

/** A certificate that comes from memory, and may be another one tomorrow. New connections use the newest; those that are there go on. */
export class ShownCertificate implements Provider {
  #shown: Shown;
  readonly #identityListeners = new Set<IdentityListener>();
  readonly #authorityListeners = new Set<AuthorityListener>();

  constructor(shown: Shown) {
    this.#shown = shown;
  }

  use(shown: Shown): void {
    this.#shown = shown;
    for (const listener of this.#identityListeners) this.#tellIdentity(listener);
    for (const listener of this.#authorityListeners) this.#tellAuthorities(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    process.nextTick(() => this.#tellIdentity(listener));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  addCaCertificateListener(listener: AuthorityListener): void {
    this.#authorityListeners.add(listener);
    process.nextTick(() => this.#tellAuthorities(listener));
  }

  removeCaCertificateListener(listener: AuthorityListener): void {
    this.#authorityListeners.delete(listener);
  }

  #tellIdentity(listener: IdentityListener): void {
    listener({ certificate: Buffer.from(this.#shown.certificate), privateKey: Buffer.from(this.#shown.key) });
  }

  #tellAuthorities(listener: AuthorityListener): void {
    listener({ caCertificate: Buffer.from(this.#shown.authorities) });
  }
}
