import type { experimental } from '@grpc/grpc-js';

type Provider = experimental.CertificateProvider;
type IdentityListener = Parameters<Provider['addIdentityCertificateListener']>[0];
type AuthorityListener = Parameters<Provider['addCaCertificateListener']>[0];

/** What one side shows, and whose certificates it takes; PEM. */
export interface Provision {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly authorities: Buffer;
}

/** Certificates that may be others later, as grpc-js asks for them: whoever listens is told what there is, and each time that it changes. */
export abstract class Provided implements Provider {
  #provision: Provision;
  readonly #identityListeners = new Set<IdentityListener>();
  readonly #authorityListeners = new Set<AuthorityListener>();

  protected constructor(provision: Provision) {
    this.#provision = provision;
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

  /** New connections use it; those that are there go on. */
  protected provide(provision: Provision): void {
    const { certificate, key, authorities } = this.#provision;
    this.#provision = provision;
    if (!certificate.equals(provision.certificate) || !key.equals(provision.key)) for (const listener of this.#identityListeners) this.#tellIdentity(listener);
    if (!authorities.equals(provision.authorities)) for (const listener of this.#authorityListeners) this.#tellAuthorities(listener);
  }

  #tellIdentity(listener: IdentityListener): void {
    const { certificate, key } = this.#provision;
    listener({ certificate, privateKey: key });
  }

  #tellAuthorities(listener: AuthorityListener): void {
    listener({ caCertificate: this.#provision.authorities });
  }
}
