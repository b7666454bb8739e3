import { Provided } from './provided.ts';
import type { Provision } from './provided.ts';

/** What a server shows, and whose certificates it takes; PEM. */
export interface Shown {
  readonly certificate: string;
  readonly key: string;
  readonly authorities: string;
}

/** A certificate that comes from memory, and may be another one tomorrow. */
export class ShownCertificate extends Provided {
  constructor(shown: Shown) {
    super(provisionOf(shown));
  }

  use(shown: Shown): void {
    this.provide(provisionOf(shown));
  }
}

function provisionOf({ certificate, key, authorities }: Shown): Provision {
  return { certificate: Buffer.from(certificate), key: Buffer.from(key), authorities: Buffer.from(authorities) };
}
