/**
 * Injection: a pod and the mesh's settings → the pod with a sidecar, why it is left alone, or why it is refused.
 *
 * Owns what an injected pod looks like, whom injection is for, and what a pod may override. Must never know of webhooks,
 * servers or clusters, never overwrite what an application set for itself, and never let another container at what is the
 * sidecar's alone.
 */
export { injectPod } from './inject.ts';
export type { Verdict } from './inject.ts';
export type { Addition, ApplicationPart, Contributor } from './addition.ts';
export type { NamespaceFacts } from './namespace.ts';
export { annotationReference, OVERRIDES } from './overrides.ts';
export type { Overrides, Switch } from './overrides.ts';
export { patchOf } from './patch.ts';
export type { PatchOperation } from './patch.ts';
export type { Container, EnvironmentVariable, Pod, SecurityContext, Volume, VolumeMount } from './pod.ts';
export type { ContainerResources, InjectionSettings } from './settings.ts';
export { restrictedSecurity } from './sidecar.ts';
