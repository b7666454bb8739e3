/**
 * Meshes: what a mesh that people already run needs, so that its own sidecars govern calls as ours do.
 *
 * Owns each mesh's kinds of objects and names. Must never know of budgets and keys, nor write Envoy's filters and routes anew:
 * those are `envoyconfig`'s.
 */
import { consul } from './consul/index.ts';
import { istio } from './istio/index.ts';
import { kuma } from './kuma/index.ts';
import { linkerd } from './linkerd/index.ts';
import type { Mesh, MeshName } from './mesh.ts';

export { MESH_LABEL, MESH_SOCKET, asksProcessor } from './mesh.ts';
export type { Mesh, MeshInput, MeshName, MeshNote, MeshObject, NamespaceUse, PodPorts, Rendered } from './mesh.ts';
export { isLeftAlone, meshAddition } from './addition.ts';
export type { MeshAddition, MeshAdditionSettings } from './addition.ts';
export { usesOf } from './uses.ts';
export { podsComponent } from './pods.ts';

export const MESHES: Readonly<Record<MeshName, Mesh>> = { istio, kuma, consul, linkerd };
