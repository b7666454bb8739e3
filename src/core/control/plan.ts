import { compile, workloadId } from '../policy/index.ts';
import type { Compiled, Finding, KnownModels, KnownWorkload, Labels, ProviderContext, WorkloadSnapshot } from '../policy/index.ts';
import type { EpochMs } from '../units/index.ts';
import { consenting, gatewayPlan, withCallers } from './callers.ts';
import type { GatewayPlan } from './callers.ts';
import { confinedFindings } from './confined.ts';
import { nextKeys } from './keybook.ts';
import type { CheckKey, KeyBook, SecretLookup } from './keybook.ts';
import { ownKeyFindings } from './ownkeys.ts';
import type { PodFacts } from './pods.ts';
import { publish } from './publication.ts';
import type { Editions } from './publication.ts';
import { labelOf } from './resources.ts';
import type { Observed } from './resources.ts';
import type { SidecarView } from './sidecar.ts';
import type { Interception, SidecarState } from './state.ts';
import { stateOf } from './states.ts';
import { workloadsOf } from './workloads.ts';

/** All that a cluster tells. */
export interface ClusterFacts {
  readonly resources: readonly Observed[];
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly pods: readonly PodFacts[];
  /** Whose calls gateways take; they need have no sidecar. */
  readonly callers: readonly KnownWorkload[];
  readonly secrets: SecretLookup;
}

/** What is the same for all clusters, or settled when the controller starts. */
export interface PlanSettings {
  /** The controller's own. */
  readonly rootNamespace: string;
  readonly known: KnownModels;
  /** Where the simulated provider listens; absent: there is none. */
  readonly simulatedUrl: string | undefined;
  readonly checkKey: CheckKey;
  readonly readCertificates: ProviderContext['readCertificates'];
}

/** What follows from the resources and pods alone: certificates for it may have to be issued before there is a plan. */
export interface Draft {
  readonly workloads: readonly KnownWorkload[];
  readonly compiled: Compiled;
  /** Those that have sidecars; the others call by gateways alone. */
  readonly withSidecars: ReadonlySet<string>;
  /** Namespaces that allow calls by gateways. */
  readonly consenting: ReadonlySet<string>;
}

/** By workload, whose calls its sidecars take in; those that are absent have calls come to them by themselves. */
export type Interceptions = ReadonlyMap<string, Interception>;

/** What is to be published, and what is to be remembered for the next plan. */
export interface Plan extends Draft {
  /** Of whoever wrote the resources, by `Kind namespace/name`. */
  readonly findings: ReadonlyMap<string, readonly Finding[]>;
  readonly states: ReadonlyMap<string, SidecarState>;
  readonly gateways: GatewayPlan;
  readonly keys: KeyBook;
  readonly editions: Editions;
}

export const NO_PLAN: Pick<Plan, 'keys' | 'editions'> = { keys: new Map(), editions: new Map() };

/** Facts → each workload's snapshot. Pure. */
export function draftOf(facts: ClusterFacts, { rootNamespace, known: knownModels, simulatedUrl, readCertificates }: PlanSettings): Draft {
  const known = workloadsOf(facts.pods);
  const allowed = consenting(facts.namespaces);
  const workloads = withCallers(known, facts.callers, allowed);
  const usable = facts.resources.flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
  const boundaries = { rootNamespace, namespaces: facts.namespaces };
  // A sidecar's loopback is not the controller's, so no address is its own.
  return {
    workloads,
    compiled: compile(usable, workloads, { own: [], known: knownModels, simulatedUrl, readCertificates, boundaries }),
    withSidecars: new Set(known.map(workloadId)),
    consenting: allowed,
  };
}

/** Of workloads that have sidecars, by workload. */
export function snapshotsBesideSidecars({ compiled, withSidecars }: Pick<Draft, 'compiled' | 'withSidecars'>): ReadonlyMap<string, WorkloadSnapshot> {
  return new Map([...compiled.snapshots].filter(([workload]) => withSidecars.has(workload)));
}

/** A draft of these facts → what each workload is given. Pure. */
export function planOf(
  facts: ClusterFacts,
  draft: Draft,
  interceptions: Interceptions,
  before: Pick<Plan, 'keys' | 'editions'>,
  { checkKey, rootNamespace }: PlanSettings,
  at: EpochMs,
): Plan {
  const { compiled, consenting: allowed } = draft;
  const keys = nextKeys(before.keys, compiled.providers, facts.secrets, checkKey, at);
  const states = new Map(
    [...snapshotsBesideSidecars(draft)].map(([workload, snapshot]) => [workload, stateOf(snapshot, keys, interceptions.get(workload))] as const),
  );
  const findings = byResource([...facts.resources.flatMap((observed) => observed.findings), ...compiled.findings, ...confinedFindings(facts.pods, compiled)]);
  // What could not be read far enough to be named goes by its place in the API server all the same.
  for (const observed of facts.resources) if (observed.findings.length > 0) findings.set(labelOf(observed), ownOf(observed, findings));
  const gateways = gatewayPlan(facts.callers, { compiled, consenting: allowed, rootNamespace }, keys);
  return { ...draft, findings, states, gateways, keys, editions: publish(before.editions, states, keys) };
}

const ownOf = (observed: Observed, findings: ReadonlyMap<string, readonly Finding[]>): readonly Finding[] => [
  ...observed.findings,
  ...(findings.get(labelOf(observed)) ?? []).filter((finding) => !observed.findings.includes(finding)),
];

export function byResource(findings: readonly Finding[]): Map<string, readonly Finding[]> {
  return Map.groupBy(findings, ({ resource }) => resource);
}

/** A plan's findings, and what sidecars add to them. */
export function findingsWith(plan: Pick<Plan, 'findings' | 'compiled'>, views: readonly SidecarView[]): ReadonlyMap<string, readonly Finding[]> {
  const merged = new Map(plan.findings);
  for (const finding of ownKeyFindings(views, plan.compiled)) merged.set(finding.resource, [...(merged.get(finding.resource) ?? []), finding]);
  return merged;
}
