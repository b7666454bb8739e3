import type { WorkloadSnapshot } from '../../core/policy/index.ts';
import type { Policies } from './feed.ts';

/** Names the workload of a sidecar, which learns who that is with its first policies. No workload's id, as those have a slash. */
export const SOLE_WORKLOAD = 'own';

/** Of the workload that a listener names; where it names none by id, or another's Envoy nothing at all, the only one that there is. */
export function snapshotFor(workload: string, policies: Policies | undefined): WorkloadSnapshot | undefined {
  if (policies === undefined) return undefined;
  const [only, ...others] = policies.snapshots.values();
  return !workload.includes('/') && others.length === 0 ? only : policies.snapshots.get(workload);
}
