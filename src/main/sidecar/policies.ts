import type { SidecarState } from '../../core/control/index.ts';
import { workloadId } from '../../core/policy/index.ts';
import type { CompiledProvider, ProviderPolicy } from '../../core/policy/index.ts';
import type { Policies } from '../mesh/feed.ts';

/** Before the first state: nothing is governed, so nothing is forwarded. */
export const NO_POLICIES: Policies = { snapshots: new Map(), providers: new Map() };

/** A state as the mesh takes it: one workload's policies, with the texts of their keys. */
export function policiesOf({ snapshot, keys, interception }: SidecarState): Policies {
  const withKey = (policy: ProviderPolicy): CompiledProvider => {
    const material = policy.key === undefined ? undefined : keys.get(policy.key);
    if (policy.key === undefined) return { policy, key: undefined };
    return { policy, key: { source: material === undefined ? {} : { value: material.value }, type: material?.type ?? policy.type } };
  };
  return {
    snapshots: new Map([[workloadId(snapshot.workload), snapshot]]),
    providers: new Map([...snapshot.providers].map(([id, policy]) => [id, withKey(policy)])),
    ...(interception === undefined ? {} : { interception }),
  };
}
