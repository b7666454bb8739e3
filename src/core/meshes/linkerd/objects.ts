import type { Rendered } from '../mesh.ts';

/** Linkerd's proxy is not Envoy, and takes nothing that could govern a call. */
export const KINDS = [] as const;

/** Nothing for the mesh: what is needed is in the pods' annotations. */
export const render = (): Rendered => ({ objects: [], notes: [] });
