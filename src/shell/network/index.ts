/**
 * Network: a network namespace of its own for one program, out of which only redirected connections lead.
 *
 * Owns the namespace, its one device, and how programs get into it. Must never know who takes the connections, nor change
 * anything of the machine's own network.
 */
export { NoNamespace, openNetwork } from './open.ts';
export type { OwnNetwork } from './open.ts';
export { resolversOf } from './resolvers.ts';
