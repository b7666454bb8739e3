import { backOf } from '../../dialects/index.ts';
import type { Back, Dialect, Endpoint } from '../../dialects/index.ts';
import type { ProviderPolicy, RulePolicy, WorkloadSnapshot } from '../../policy/index.ts';

/** Where something is kept, and the rule by which this workload comes there. */
export interface Place {
  readonly rule: RulePolicy;
  readonly provider: ProviderPolicy;
  readonly back: Back;
}

/** Who asks for what, as far as it decides the place. */
export interface PlaceQuery {
  readonly snapshot: WorkloadSnapshot;
  readonly dialect: Dialect;
  readonly endpoint: Endpoint;
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * The first provider, in the order of the rules, that speaks the caller's language and keeps such things; or the one that
 * is named. Which models a rule is for does not matter here, as these requests name none.
 */
export function placeFor({ snapshot, dialect, endpoint, headers }: PlaceQuery, providerId?: string): Place | undefined {
  for (const rule of snapshot.rules) {
    const { paths, headers: wanted } = rule.match;
    if (paths.length > 0 && !paths.includes(collectionOf(endpoint))) continue;
    if (!wanted.every(({ name, value }) => headers.get(name) === value)) continue;
    for (const backend of rule.backends) {
      const provider = backend.weight > 0 ? snapshot.providers.get(backend.provider) : undefined;
      if (provider === undefined || (providerId !== undefined && provider.id !== providerId)) continue;
      const back = backOf(provider.back);
      if (back.dialect === dialect && endpoint.state !== undefined && back.keeps.has(endpoint.state.kind)) return { rule, provider, back };
    }
  }
  return undefined;
}

/** A rule names a path as a whole, and an object's own path is below its collection's. */
function collectionOf({ path, state }: Endpoint): string {
  const end = state?.id === undefined ? -1 : path.indexOf(`/${state.id}`);
  return end === -1 ? path : path.slice(0, end);
}
