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
export type { InterceptedHost, Interception, KeyMaterial, LeafCertificate, SidecarState } from './state.ts';
export type { SidecarView } from './sidecar.ts';
