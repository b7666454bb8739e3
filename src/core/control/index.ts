/**
 * Control: what the cluster holds → what each sidecar is given, and what each resource's status says.
 *
 * Owns which workload a pod belongs to, which keys and hosts a workload needs, and what "applied" means. Must never know of
 * informers, streams or certificates' making, and never put a key anywhere but into the state of a workload that uses it.
 */
export * from './names.ts';
export { PRIVATE_NETWORKS } from './addresses.ts';
export { interceptionOf, redirectedPorts, wantedHosts } from './interception.ts';
export type { InterceptionSettings, WantedHost } from './interception.ts';
export { endpointAddresses, serviceAddresses, servicesOf } from './services.ts';
export type { EndpointSliceObject, ServiceObject } from './services.ts';
export type { InterceptedHost, Interception, KeyMaterial, LeafCertificate, SidecarState } from './state.ts';
export type { KeyReport, SidecarView } from './sidecar.ts';
export { readPod } from './pods.ts';
export type { PodFacts, PodObject } from './pods.ts';
export { ownerName, workloadOf, workloadsOf } from './workloads.ts';
export { labelOf, observe } from './resources.ts';
export type { CustomObject, Observed } from './resources.ts';
export type { KeyBook, KeyEntry, SecretAnswer } from './keybook.ts';
export { EVERYONE, gatewayPlan } from './callers.ts';
export type { GatewayPlan } from './callers.ts';
export { rootedBy, withControllerRoots, withFormerKeys } from './states.ts';
export { NO_PLAN, draftOf, findingsWith, planOf, snapshotsBesideSidecars } from './plan.ts';
export type { ClusterFacts, Draft, Interceptions, Plan, PlanSettings } from './plan.ts';
export { reachOf } from './reach.ts';
export type { Reach } from './reach.ts';
export { statusOf } from './statuses.ts';
export type { Situation, Status } from './statuses.ts';
export { changesOf } from './changes.ts';
export type { Change } from './changes.ts';
export { differenceOf } from './differences.ts';
export type { Difference } from './differences.ts';
export { diagnose } from './diagnosis.ts';
export type { Diagnosis, Sight, WebhookSight } from './diagnosis.ts';
