import type { Labels } from '../policy/index.ts';
import { SIDECAR_LABEL } from './names.ts';

/** What of a pod decides whose it is, and whether a sidecar of it is to be counted. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Labels;
  readonly serviceAccount: string;
  /** What made it and looks after it; absent where nothing does. */
  readonly owner?: { readonly kind: string; readonly name: string };
  /** RFC 3339, as the API server gave it; orders pods of a workload. */
  readonly created: string;
  /** `running`: its containers run, or did. `starting`: not yet. `ended`: it makes no calls any more, or is told to go. */
  readonly phase: 'starting' | 'running' | 'ended';
  /** Whether it has a sidecar of ours. */
  readonly isInjected: boolean;
}

/** core/v1 Pod, as far as it is read. */
export interface PodObject {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Labels;
    readonly creationTimestamp?: string | Date;
    readonly deletionTimestamp?: string | Date;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly controller?: boolean }[];
  };
  readonly spec?: { readonly serviceAccountName?: string };
  readonly status?: { readonly phase?: string };
}

/** What is left out by who made it is empty: an API server leaves out neither name nor uid. */
export function readPod({ metadata = {}, spec = {}, status = {} }: PodObject): PodFacts {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    serviceAccount: spec.serviceAccountName ?? 'default',
    ...(owner === undefined ? {} : { owner: { kind: owner.kind, name: owner.name } }),
    created: metadata.creationTimestamp instanceof Date ? metadata.creationTimestamp.toISOString() : (metadata.creationTimestamp ?? ''),
    phase: metadata.deletionTimestamp !== undefined ? 'ended' : phaseOf(status.phase),
    isInjected: metadata.labels !== undefined && Object.hasOwn(metadata.labels, SIDECAR_LABEL),
  };
}

function phaseOf(phase: string | undefined): PodFacts['phase'] {
  if (phase === 'Succeeded' || phase === 'Failed') return 'ended';
  return phase === 'Running' ? 'running' : 'starting';
}
