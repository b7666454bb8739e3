/**
 * Ledger service: one authority for many processors, over gRPC, and its clients.
 *
 * Owns what is stored before what is said, who leads, who may say what, and how messages travel. Must never decide who gets
 * how much (core/leases), nor know which database it is.
 */
export { StoreUnavailable } from './store.ts';
export type { Lead, LedgerStore, Pulse, Unaccounted } from './store.ts';
