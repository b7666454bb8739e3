/**
 * Batches: what goes on at providers when nobody calls.
 *
 * Owns asking for batches until they are over, and settling each from its result. Must never serve a caller, and never
 * keep more of a result than what it used.
 */
export { BatchWatch } from './watch.ts';
export type { BatchEvents, BatchWatchPorts } from './watch.ts';
