import type { Rendered } from '../mesh.ts';

/**
 * The community edition has no extension that asks a processor: `property-override` sets single fields and adds no filter.
 * Enterprise's `builtin/ext-proc` (2.0 and later) governs all of a sidecar's HTTP or none, as it has no routes of its own on
 * sidecars, and has no way to a provider by the processor's choice.
 * https://developer.hashicorp.com/consul/docs/reference/proxy/extensions/ext-proc
 */
export const KINDS = [] as const;

/** Nothing for the mesh: what is needed is in the pods' annotations. */
export const render = (): Rendered => ({ objects: [], notes: [] });
