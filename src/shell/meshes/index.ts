/**
 * Meshes: keeps in a cluster what a mesh needs of ours.
 *
 * Owns when objects are written, and which are removed again. Must never decide what is in them, nor touch what it did not make.
 */
export { MeshKeeper } from './keeper.ts';
export type { Kept, MeshKeeperParts } from './keeper.ts';
