import { workloadId } from '../policy/index.ts';
import type { Compiled, Finding } from '../policy/index.ts';
import type { PodFacts } from './pods.ts';
import { named, usersByRoute } from './users.ts';
import { workloadOf } from './workloads.ts';

/** Pods that ask for no redirection and have none, as their namespace's Pod Security allows no NET_ADMIN; said to whoever owns their routes. */
export function confinedFindings(pods: readonly PodFacts[], compiled: Compiled): Finding[] {
  const confined = new Set(pods.filter(({ isConfined, phase }) => isConfined === true && phase !== 'ended').map((pod) => workloadId(workloadOf(pod))));
  return [...usersByRoute([...confined].toSorted(), compiled)].map(([route, workloads]) => ({
    severity: 'warning',
    resource: `AIRoute ${route}`,
    path: '',
    message: sentence(workloads),
  }));
}

const sentence = (workloads: readonly string[]): string =>
  `connections of ${named(workloads)} are not redirected, as Pod Security there allows no NET_ADMIN: only calls by a base URL are governed, and egress is not enforced`;
