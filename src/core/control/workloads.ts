import { workloadId } from '../policy/index.ts';
import type { KnownWorkload } from '../policy/index.ts';
import type { PodFacts } from './pods.ts';

/**
 * Labels by which those who make ReplicaSets tell their pods apart; a ReplicaSet's name ends in the value (Deployments in
 * apps/v1, Rollouts of Argo). So ReplicaSets need not be read.
 */
const TEMPLATE_HASHES = ['pod-template-hash', 'rollouts-pod-template-hash'];

/** A CronJob names its Jobs by itself and the minute, since 1970, that they were due in. */
const OF_CRON_JOB = /^(.+)-\d{8}$/;

/**
 * The name of what owns a pod in the end: a Deployment, StatefulSet, DaemonSet, CronJob, Job, or the pod itself. Whoever may
 * create pods in a namespace may say whose they are, as they may run them with any of its service accounts.
 */
export function ownerName({ name, owner, labels }: Pick<PodFacts, 'name' | 'owner' | 'labels'>): string {
  if (owner === undefined) return name;
  if (owner.kind === 'Job') return OF_CRON_JOB.exec(owner.name)?.[1] ?? owner.name;
  if (owner.kind !== 'ReplicaSet') return owner.kind === 'Node' ? name : owner.name;
  for (const label of TEMPLATE_HASHES) {
    const hash = Object.hasOwn(labels, label) ? labels[label] : undefined;
    if (hash !== undefined && hash !== '' && owner.name.endsWith(`-${hash}`)) return owner.name.slice(0, -hash.length - 1);
  }
  return owner.name;
}

export const workloadOf = (pod: PodFacts): KnownWorkload => ({
  namespace: pod.namespace,
  name: ownerName(pod),
  serviceAccount: pod.serviceAccount,
  labels: pod.labels,
});

/** Each workload once, in the order of their names. Its labels and service account are those of its newest pod, as that is what is being rolled out. */
export function workloadsOf(pods: readonly PodFacts[]): KnownWorkload[] {
  const newest = new Map<string, PodFacts>();
  for (const pod of pods) {
    if (pod.phase === 'ended') continue;
    const id = workloadId(workloadOf(pod));
    const other = newest.get(id);
    if (other === undefined || isNewer(pod, other)) newest.set(id, pod);
  }
  return [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, pod]) => workloadOf(pod));
}

/** Two controllers must agree, so ties are decided by the name. */
const isNewer = (pod: PodFacts, other: PodFacts): boolean => (pod.created === other.created ? pod.name > other.name : pod.created > other.created);
