/**
 * What a simulated provider keeps: for whoever has its key, as a real one does.
 *
 * Owns files, batches that end after a moment, and stored responses. Must never know that there are workloads.
 */
export { KeptThings } from './kept.ts';
export type { KeptAnswer, KeptRequest, Served } from './kept.ts';
