import type { Finding } from './findings.ts';
import type { LabelSelector } from './schema/selection.ts';
import type { Workload } from './snapshot.ts';

export type Labels = Readonly<Record<string, string>>;

/** A workload as the compiler is told of it. Its labels choose what is for it, and are no part of its snapshot. */
export interface KnownWorkload extends Workload {
  /** Of its pods. */
  readonly labels?: Labels;
}

/** Namespaces, where each is in other hands. Files are all of one hand: there are no boundaries between theirs. */
export interface Boundaries {
  /** The controller's own. Resources there may select workloads of every namespace. */
  readonly rootNamespace: string;
  /** By name. */
  readonly namespaces: ReadonlyMap<string, Labels>;
}

/** What a resource says of whose calls it is for. */
export interface Selection {
  readonly workloads?: readonly string[] | undefined;
  readonly workloadSelector?: LabelSelector | undefined;
  readonly namespaceSelector?: LabelSelector | undefined;
}

/** How closely a workload is meant, the closest first. */
const BY_NAME = 0;
const BY_LABELS = 1;
const AS_ANY = 2;

/** Whether it leaves out nobody, as budgets may. */
export const selectsAll = ({ workloads = [], workloadSelector, namespaceSelector }: Selection): boolean =>
  workloads.length === 0 && workloadSelector === undefined && namespaceSelector === undefined;

/** How closely a resource of a namespace means a workload: a rank, lower is closer. `undefined`: it does not. */
export function selects(selection: Selection, namespace: string, workload: KnownWorkload, boundaries: Boundaries | undefined): number | undefined {
  const { workloads = [], workloadSelector, namespaceSelector } = selection;
  if (workload.namespace !== namespace && !reachesBeyond(namespace, boundaries)) return undefined;
  if (namespaceSelector !== undefined && !matchesLabels(namespaceSelector, labelsOf(workload.namespace, boundaries))) return undefined;
  if (
    workloads.some((reference) => reference === `${workload.namespace}/${workload.name}` || (reference === workload.name && workload.namespace === namespace))
  )
    return BY_NAME;
  if (workloadSelector !== undefined && matchesLabels(workloadSelector, workload.labels ?? {})) return BY_LABELS;
  return workloads.includes('*') || (workloads.length === 0 && workloadSelector === undefined) ? AS_ANY : undefined;
}

/** What of a selection would lead beyond the resource's own namespace, and may not; it has no effect. */
export function trespasses(selection: Selection, namespace: string, boundaries: Boundaries | undefined): Pick<Finding, 'path' | 'message'>[] {
  if (reachesBeyond(namespace, boundaries)) return [];
  const only = `only resources of namespace ${boundaries?.rootNamespace ?? ''} may`;
  const named = (selection.workloads ?? []).flatMap((reference, index) =>
    reference.includes('/') && !reference.startsWith(`${namespace}/`)
      ? [{ path: `workloads[${index}]`, message: `is a workload of another namespace, which ${only} select` }]
      : [],
  );
  return selection.namespaceSelector === undefined
    ? named
    : [...named, { path: 'namespaceSelector', message: `selects workloads of other namespaces, which ${only}` }];
}

const reachesBeyond = (namespace: string, boundaries: Boundaries | undefined): boolean => boundaries === undefined || namespace === boundaries.rootNamespace;

/** An API server gives each namespace its name as a label; so do we, where none is at hand. */
export function labelsOf(namespace: string, boundaries: Boundaries | undefined): Labels {
  return { 'kubernetes.io/metadata.name': namespace, ...boundaries?.namespaces.get(namespace) };
}

/** Kubernetes' label selectors (meta/v1): all that is stated must hold; NotIn holds where there is no such label. */
export function matchesLabels({ matchLabels, matchExpressions }: LabelSelector, labels: Labels): boolean {
  const valueOf = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  const holds = ({ key, operator, values }: LabelSelector['matchExpressions'][number]): boolean => {
    const value = valueOf(key);
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
    }
  };
  return Object.entries(matchLabels).every(([key, value]) => valueOf(key) === value) && matchExpressions.every(holds);
}
