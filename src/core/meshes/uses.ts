import { upstreamOf } from '../envoyconfig/index.ts';
import type { UpstreamSettings } from '../envoyconfig/index.ts';
import type { WorkloadSnapshot } from '../policy/index.ts';
import type { NamespaceUse } from './mesh.ts';

/** Which providers each namespace's workloads use. A namespace whose workloads use none is absent. */
export function usesOf(snapshots: Iterable<WorkloadSnapshot>): readonly NamespaceUse[] {
  const uses = new Map<string, Map<string, UpstreamSettings>>();
  for (const { workload, providers } of snapshots) {
    if (providers.size === 0) continue;
    const own = uses.get(workload.namespace) ?? new Map<string, UpstreamSettings>();
    uses.set(workload.namespace, own);
    for (const [id, policy] of providers) own.set(id, upstreamOf(policy));
  }
  const byText = (one: string, other: string): number => (one < other ? -1 : 1);
  return [...uses]
    .map(([namespace, providers]) => ({ namespace, providers: [...providers.values()].toSorted((one, other) => byText(one.id, other.id)) }))
    .toSorted((one, other) => byText(one.namespace, other.namespace));
}
