import type { EpochMs, Result } from '../../core/units/index.ts';
import type { KeyedCertificate } from './keyed.ts';
import type { AuthorityFault } from './store.ts';

/** What a server shows, and the roots with which others believe it. */
export interface ServerIdentity {
  readonly leaf: KeyedCertificate;
  /** PEM. */
  readonly roots: string;
}

/** Where a controller's own certificate comes from: this mesh's authority, or another's. */
export interface IdentitySource {
  /** What there is now. The same object as before while nothing is new. */
  tend(): Promise<Result<ServerIdentity, AuthorityFault>>;
  /** When to look again, in milliseconds since 1970. */
  dueAt(): EpochMs;
}
