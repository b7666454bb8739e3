/**
 * Ledger service: one authority for many processors, over gRPC, and its clients.
 *
 * Owns what is stored before what is said, who leads, who may say what, and how messages travel. Must never decide who gets
 * how much (core/leases), nor know which database it is.
 */
export { StoreUnavailable } from './store.ts';
export type { Lead, LedgerStore, Pulse, Unaccounted } from './store.ts';
export { LedgerHost } from './host.ts';
export type { LedgerHostParts, Peer, Seat } from './host.ts';
export { LedgerServer } from './server.ts';
export type { LedgerServerParts, ListenAt } from './server.ts';
export { ALL_PERMITTED } from './ports.ts';
export type { Dismissal, Identity, Permissions, ServiceEvent } from './ports.ts';
export { byCertificate } from './identity.ts';
export type { Authenticate, Credentials } from './identity.ts';
export { CertificateFiles } from './certificates.ts';
export type { CertificatePaths } from './certificates.ts';
export { LedgerLink } from './link.ts';
export type { LedgerLinkParts } from './link.ts';
export { RecordLink } from './uploader.ts';
export type { Outbox, RecordLinkParts } from './uploader.ts';
export { addressFault } from './addresses.ts';
export type { LinkParts, LinkState } from './dialer.ts';
