import { upstreamOf } from '../envoyconfig/index.ts';
import type { UpstreamSettings } from '../envoyconfig/index.ts';
import type { WorkloadSnapshot } from '../policy/index.ts';
import type { NamespaceUse } from './mesh.ts';

interface Use {
  readonly providers: Map<string, UpstreamSettings>;
  readonly hosts: Set<string>;
}

/** Which providers each namespace's workloads use. A namespace whose workloads use none is absent. */
export function usesOf(snapshots: Iterable<WorkloadSnapshot>): readonly NamespaceUse[] {
  const uses = new Map<string, Use>();
  for (const { workload, providers, hosts } of snapshots) {
    if (providers.size === 0) continue;
    const own = uses.get(workload.namespace) ?? { providers: new Map(), hosts: new Set() };
    uses.set(workload.namespace, own);
    for (const [id, policy] of providers) own.providers.set(id, upstreamOf(policy));
    for (const host of hosts) own.hosts.add(host);
  }
  const byText = (one: string, other: string): number => (one < other ? -1 : 1);
  return [...uses]
    .map(([namespace, { providers, hosts }]) => ({
      namespace,
      providers: [...providers.values()].toSorted((one, other) => byText(one.id, other.id)),
      hosts: [...hosts].filter((host) => [...providers.values()].every((upstream) => upstream.host !== host)).toSorted(byText),
    }))
    .toSorted((one, other) => byText(one.namespace, other.namespace));
}
