/**
 * Ledger service: one authority for many processors, over gRPC, and its clients.
 *
 * Owns what is stored before what is said, who leads, and who may say what. Must never decide who gets how much
 * (core/leases), nor know which database it is, nor how messages travel (wire).
 */
export { StoreUnavailable } from './store.ts';
export type { Lead, LedgerStore, Pulse, Unaccounted } from './store.ts';
export { LedgerHost } from './host.ts';
export type { LedgerHostParts, Peer, Seat } from './host.ts';
export { ledgerService } from './service.ts';
export type { LedgerServiceParts } from './service.ts';
export { ALL_PERMITTED } from './ports.ts';
export type { Permissions, ServiceEvent } from './ports.ts';
export { LedgerLink } from './link.ts';
export type { LedgerLinkParts, Traffic } from './link.ts';
export { RecordLink } from './uploader.ts';
export type { Outbox, RecordLinkParts } from './uploader.ts';
