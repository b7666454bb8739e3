import type { SidecarState } from '../../core/control/index.ts';
import { workloadId } from '../../core/policy/index.ts';
import type { CompiledProvider, KnownWorkload, Labels, WorkloadSnapshot } from '../../core/policy/index.ts';
import type { Policies } from '../mesh/feed.ts';
import { policiesOf } from '../sidecar/policies.ts';

/**
 * The policies of several workloads, side by side, and what is all callers'. A provider is one, whoever calls it, and its key is
 * its own; which provider a call may go to is said by its workload's snapshot alone.
 */
export function policiesOfAll(common: SidecarState | undefined, states: Iterable<SidecarState>): Policies {
  const snapshots = new Map<string, WorkloadSnapshot>();
  const providers = new Map<string, CompiledProvider>();
  if (common !== undefined) {
    snapshots.set(workloadId(common.snapshot.workload), common.snapshot);
    // Nobody has called them yet, so there is no key to miss.
    for (const [id, policy] of common.snapshot.providers) providers.set(id, { policy, key: undefined });
  }
  for (const state of states) {
    const own = policiesOf(state);
    for (const [id, snapshot] of own.snapshots) snapshots.set(id, snapshot);
    for (const [id, provider] of own.providers) providers.set(id, provider);
  }
  return { snapshots, providers };
}

export const isSameCaller = (one: KnownWorkload, other: KnownWorkload): boolean =>
  one.serviceAccount === other.serviceAccount && labelText(one) === labelText(other);

/** Calls are many, and a pod's labels are the same object until it is read anew. */
const labelTexts = new WeakMap<Labels, string>();
const NO_LABELS: Labels = {};

function labelText({ labels = NO_LABELS }: KnownWorkload): string {
  const text = labelTexts.get(labels) ?? JSON.stringify(Object.entries(labels).toSorted());
  labelTexts.set(labels, text);
  return text;
}

/** Workloads by how long ago they called last, the longest first. */
export class RecentCallers {
  readonly #most: number;
  readonly #known = new Map<string, KnownWorkload>();

  constructor(most: number) {
    this.#most = most;
  }

  get(id: string): KnownWorkload | undefined {
    return this.#known.get(id);
  }

  all(): readonly KnownWorkload[] {
    return [...this.#known.values()];
  }

  /** It calls now. Who called longest ago goes, where there are too many. */
  called(workload: KnownWorkload): KnownWorkload | undefined {
    const id = workloadId(workload);
    this.#known.delete(id);
    this.#known.set(id, workload);
    if (this.#known.size <= this.#most) return undefined;
    const [oldest] = this.#known.values();
    if (oldest !== undefined) this.#known.delete(workloadId(oldest));
    return oldest;
  }
}
