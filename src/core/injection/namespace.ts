import { BY_POD_SECURITY, NOT_INTERCEPTED } from '../control/index.ts';
import type { Overrides } from './overrides.ts';
import type { Pod } from './pod.ts';

/** What of a pod's namespace matters. */
export interface NamespaceFacts {
  readonly isLabelled: boolean;
  /** Whether its Pod Security lets an init container have NET_ADMIN: the profiles Baseline and Restricted do not. */
  readonly allowsNetAdmin: boolean;
}

/** A pod's settings as its namespace lets them be. */
export interface Allowed {
  readonly overrides: Overrides;
  readonly annotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/**
 * Where connections cannot be redirected, applications are told a base URL instead, unless their pod says what it wants: a pod
 * that asks for the redirection gets it, as its namespace may be exempt, and is refused by API servers where it is not.
 */
export function allowedIn({ allowsNetAdmin }: NamespaceFacts, overrides: Overrides, { metadata }: Pod): Allowed {
  const said = (name: string): string | undefined => metadata.annotations?.[`airmesh.dev/${name}`];
  if (allowsNetAdmin || !overrides.intercept || said('intercept') !== undefined) return { overrides, annotations: {}, warnings: [] };
  const isTold = said('base-urls') !== 'disabled';
  return {
    overrides: { ...overrides, intercept: false, baseUrls: isTold && overrides.baseUrls === 'disabled' ? 'enabled' : overrides.baseUrls },
    annotations: { [NOT_INTERCEPTED]: BY_POD_SECURITY },
    warnings: [
      isTold
        ? 'Pod Security here allows no NET_ADMIN, so connections are not redirected: only calls by OPENAI_BASE_URL and its like, which are set where absent, are governed'
        : 'Pod Security here allows no NET_ADMIN, so connections are not redirected, and no base URL is set, as the pod says: its calls are not governed',
    ],
  };
}
