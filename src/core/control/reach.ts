import { workloadId } from '../policy/index.ts';
import type { EpochMs } from '../units/index.ts';
import type { PodFacts } from './pods.ts';
import type { Editions } from './publication.ts';
import type { SidecarView } from './sidecar.ts';
import { declaredVersion } from './states.ts';
import { workloadOf } from './workloads.ts';

export interface Straggler {
  /** `namespace/name` */
  readonly pod: string;
  readonly reason: 'Pending' | 'Refused' | 'Disconnected';
  /** Why, in the sidecar's words. */
  readonly message?: string;
  readonly since?: EpochMs;
}

/** How far one resource has come. */
export interface Reach {
  readonly total: number;
  readonly applied: number;
  /** In the order of the pods' names. */
  readonly behind: readonly Straggler[];
}

/** A sidecar that runs, or should. */
interface Sidecar {
  readonly pod: string;
  readonly view: SidecarView | undefined;
  readonly created?: EpochMs;
}

/**
 * How far each resource has come, by `Kind namespace/name`: to all sidecars of the workloads that it is for. Sidecars are the
 * running pods that have one, connected or not, and those that are connected from pods that are not known here yet.
 */
export function reachOf(pods: readonly PodFacts[], views: readonly SidecarView[], editions: Editions): ReadonlyMap<string, Reach> {
  const reach = new Map<string, { total: number; applied: number; behind: Straggler[] }>();
  for (const [workload, sidecars] of sidecarsOf(pods, views)) {
    const history = editions.get(workload) ?? [];
    const [newest] = history;
    if (newest === undefined) continue;
    const ordered = sidecars.toSorted((a, b) => (a.pod < b.pod ? -1 : 1));
    for (const [label, part] of newest.parts) {
      const sum = reach.get(label) ?? { total: 0, applied: 0, behind: [] };
      reach.set(label, sum);
      const current = new Set(history.filter(({ parts }) => parts.get(label) === part).map(({ version }) => version));
      for (const sidecar of ordered) {
        sum.total += 1;
        if (sidecar.view?.applied !== undefined && current.has(declaredVersion(sidecar.view.applied))) sum.applied += 1;
        else sum.behind.push(straggler(sidecar, newest.version));
      }
    }
  }
  return reach;
}

function sidecarsOf(pods: readonly PodFacts[], views: readonly SidecarView[]): ReadonlyMap<string, readonly Sidecar[]> {
  const byUid = new Map(views.map((view) => [view.pod.uid, view]));
  const sidecars = new Map<string, Sidecar[]>();
  const add = (workload: string, sidecar: Sidecar): void => {
    const others = sidecars.get(workload);
    if (others === undefined) sidecars.set(workload, [sidecar]);
    else others.push(sidecar);
  };
  const known = new Set<string>();
  for (const pod of pods) {
    known.add(pod.uid);
    const view = byUid.get(pod.uid);
    // One that starts has not had the time, and one that ends need not any more.
    const counts = pod.phase === 'running' || (pod.phase === 'starting' && view?.isConnected === true);
    if (!pod.isInjected && view === undefined) continue;
    if (counts) add(workloadId(workloadOf(pod)), { pod: `${pod.namespace}/${pod.name}`, view, created: Date.parse(pod.created) });
  }
  for (const view of views) if (view.isConnected && !known.has(view.pod.uid)) add(view.workload, { pod: `${view.pod.namespace}/${view.pod.name}`, view });
  return sidecars;
}

function straggler({ pod, view, created }: Sidecar, newest: string): Straggler {
  if (view === undefined)
    return {
      pod,
      reason: 'Disconnected',
      message: 'its sidecar has never connected; see its log',
      ...(created === undefined || Number.isNaN(created) ? {} : { since: created }),
    };
  if (!view.isConnected) return { pod, reason: 'Disconnected', since: view.since };
  if (view.refused !== undefined && declaredVersion(view.refused.version) === newest) return { pod, reason: 'Refused', message: view.refused.reason };
  return { pod, reason: 'Pending' };
}
