import type { Labels } from '../policy/index.ts';
import { BY_POD_SECURITY, INJECT_LABEL, NOT_INTERCEPTED, SIDECAR_LABEL } from './names.ts';

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
  /** Of the program that its sidecar is, by its label. */
  readonly program?: string;
  /** Its connections could not be redirected, as its namespace's Pod Security has it: it calls by a base URL, or past its sidecar. */
  readonly isConfined?: true;
  /** Why it is not to have one, whatever its namespace says. */
  readonly exemption?: 'said so' | 'host network';
}

/** core/v1 Pod, as far as it is read. */
export interface PodObject {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
    readonly creationTimestamp?: string | Date;
    readonly deletionTimestamp?: string | Date;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly controller?: boolean }[];
  };
  readonly spec?: { readonly serviceAccountName?: string; readonly hostNetwork?: boolean };
  readonly status?: { readonly phase?: string };
}

/** What is left out by who made it is empty: an API server leaves out neither name nor uid. */
export function readPod(pod: PodObject): PodFacts {
  const { metadata = {}, spec = {}, status = {} } = pod;
  const program = valueOf(metadata.labels, SIDECAR_LABEL);
  const exemption = exemptionOf(pod);
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
    isInjected: program !== undefined,
    ...(program === undefined ? {} : { program }),
    ...(program !== undefined && valueOf(metadata.annotations, NOT_INTERCEPTED) === BY_POD_SECURITY ? { isConfined: true as const } : {}),
    ...(exemption === undefined ? {} : { exemption }),
  };
}

const valueOf = (labels: Labels | undefined, key: string): string | undefined => (labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined);

function exemptionOf({ metadata = {}, spec = {} }: PodObject): PodFacts['exemption'] {
  if ((valueOf(metadata.labels, INJECT_LABEL) ?? valueOf(metadata.annotations, INJECT_LABEL)) === 'disabled') return 'said so';
  return spec.hostNetwork === true ? 'host network' : undefined;
}

function phaseOf(phase: string | undefined): PodFacts['phase'] {
  if (phase === 'Succeeded' || phase === 'Failed') return 'ended';
  return phase === 'Running' ? 'running' : 'starting';
}
