import { ok } from '../../core/units/index.ts';
import type { EpochMs, Result } from '../../core/units/index.ts';
import type { Authority, LeafWishes } from './authority.ts';
import type { IdentitySource, ServerIdentity } from './identity.ts';
import { renewalTime } from './renewal.ts';
import type { AuthorityFault } from './store.ts';

/** Roots are looked at so often. */
const LOOK_MS = 3_600_000;

export interface IssuedIdentityParts {
  readonly authority: Authority;
  readonly wishes: LeafWishes;
  readonly now: () => EpochMs;
  /** In [0, 1). */
  readonly chance: () => number;
}

/** A controller's certificate from its own authority, made anew before it ends. */
export function issuedIdentity({ authority, wishes, now, chance }: IssuedIdentityParts): IdentitySource {
  let current: ServerIdentity | undefined;
  let renewAt = 0;
  let lookAt = 0;
  const renew = async (): Promise<Result<ServerIdentity, AuthorityFault>> => {
    const tended = await authority.tend();
    lookAt = now() + LOOK_MS;
    if (current === undefined || now() >= renewAt) {
      const issued = await authority.issue(wishes);
      if (issued.ok) {
        renewAt = renewalTime(now(), issued.value.notAfter, chance());
        current = { leaf: issued.value, roots: authority.bundle() };
        return ok(current);
      }
      return issued;
    }
    if (!tended.ok) return tended;
    if (authority.bundle() !== current.roots) current = { leaf: current.leaf, roots: authority.bundle() };
    return ok(current);
  };
  return { tend: renew, dueAt: () => Math.min(renewAt, lookAt) };
}
