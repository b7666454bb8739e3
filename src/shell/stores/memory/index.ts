/**
 * Memory store: what the ledger service keeps, for tests and for trying things out.
 *
 * Owns nothing that outlives the process, so what leads to it must never be taken for durable.
 */
export { MemoryStore } from './store.ts';
