import { upstreamOf } from '../envoyconfig/index.ts';
import type { UpstreamSettings } from '../envoyconfig/index.ts';
import type { WorkloadSnapshot } from '../policy/index.ts';
import type { NamespaceUse } from './mesh.ts';

interface Use {
  readonly providers: Map<string, UpstreamSettings>;
  readonly hosts: Set<string>;
  endsAnswers: boolean;
}

/** Which providers each namespace's workloads use. A namespace whose workloads use none is absent. `endsAnswers`: whether a workload's streams may end at a limit. */
export function usesOf(snapshots: Iterable<WorkloadSnapshot>, endsAnswers: (snapshot: WorkloadSnapshot) => boolean): readonly NamespaceUse[] {
  const uses = new Map<string, Use>();
  for (const snapshot of snapshots) {
    const { workload, providers, hosts } = snapshot;
    if (providers.size === 0) continue;
    const own = uses.get(workload.namespace) ?? { providers: new Map(), hosts: new Set(), endsAnswers: false };
    uses.set(workload.namespace, own);
    for (const [id, policy] of providers) own.providers.set(id, upstreamOf(policy));
    for (const host of hosts) own.hosts.add(host);
    own.endsAnswers ||= endsAnswers(snapshot);
  }
  const byText = (one: string, other: string): number => (one < other ? -1 : 1);
  return [...uses]
    .map(([namespace, { providers, hosts, endsAnswers: ends }]) => ({
      namespace,
      endsAnswers: ends,
      providers: [...providers.values()].toSorted((one, other) => byText(one.id, other.id)),
      hosts: [...hosts].filter((host) => [...providers.values()].every((upstream) => upstream.host !== host)).toSorted(byText),
    }))
    .toSorted((one, other) => byText(one.namespace, other.namespace));
}
