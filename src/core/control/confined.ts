import { workloadId } from '../policy/index.ts';
import type { Compiled, Finding } from '../policy/index.ts';
import type { PodFacts } from './pods.ts';
import { workloadOf } from './workloads.ts';

/** More workloads than a sentence bears. */
const MAX_NAMED = 3;

/** Pods that ask for no redirection and have none, as their namespace's Pod Security allows no NET_ADMIN; said to whoever owns their routes. */
export function confinedFindings(pods: readonly PodFacts[], { snapshots }: Compiled): Finding[] {
  const confined = new Set(pods.filter(({ isConfined, phase }) => isConfined === true && phase !== 'ended').map((pod) => workloadId(workloadOf(pod))));
  const workloadsByRoute = new Map<string, string[]>();
  for (const workload of [...confined].toSorted())
    for (const route of new Set((snapshots.get(workload)?.rules ?? []).map(({ id }) => id.slice(0, id.indexOf('#')))))
      workloadsByRoute.set(route, [...(workloadsByRoute.get(route) ?? []), workload]);
  return [...workloadsByRoute].map(([route, workloads]) => ({ severity: 'warning', resource: `AIRoute ${route}`, path: '', message: sentence(workloads) }));
}

function sentence(workloads: readonly string[]): string {
  const more = workloads.length > MAX_NAMED ? ` and ${workloads.length - MAX_NAMED} more` : '';
  return `connections of ${workloads.slice(0, MAX_NAMED).join(', ')}${more} are not redirected, as Pod Security there allows no NET_ADMIN: only calls by a base URL are governed, and egress is not enforced`;
}
