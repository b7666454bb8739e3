import type { NameConstraints } from './constraints.ts';

const DAY_MS = 86_400_000;

/** What one authority is for, and how long its things last. */
export interface AuthorityTerms {
  /** In its roots' names, and in what is kept: one authority's roots are never taken for another's. */
  readonly name: string;
  /**
   * How long a root signs. The next root is published when the present one begins to sign, so for as long again before it signs
   * itself: a bundle that was loaded at any moment is good for this long at least.
   */
  readonly signsMs: number;
  /** No leaf lasts longer. */
  readonly maxLeafMs: number;
  /** Which names its leaves can have, in the roots themselves, so that others hold a stolen key to it. */
  readonly constraints: NameConstraints;
}

/** Independent of each other: whoever trusts one does not trust the other. */
export const AUTHORITIES = {
  /** Names of controllers in their own namespace. Whoever runs them elsewhere adds names. */
  controlPlane: (namespace: string, otherNames: readonly string[] = []): AuthorityTerms => ({
    name: 'control plane',
    signsMs: 365 * DAY_MS,
    maxLeafMs: 30 * DAY_MS,
    constraints: { permittedDns: [`${namespace}.svc`, `${namespace}.svc.cluster.local`, 'localhost', ...otherNames], noIps: false },
  }),
  /** Leaves for hosts that are intercepted: any DNS name, as providers are declared later, and no address. */
  interception: (): AuthorityTerms => ({
    name: 'interception',
    signsMs: 365 * DAY_MS,
    maxLeafMs: 14 * DAY_MS,
    constraints: { permittedDns: [], noIps: true },
  }),
} as const;

/** Clocks of those who verify may be behind by so much. */
export const SKEW_MS = 5 * 60_000;
