/**
 * Leases: one limit shared by many processes, each spending a disjoint slice of it without asking.
 *
 * Owns who may spend how much of what is free (authority), and when to ask and to give back (holder). Must never know how
 * messages travel, where entries are kept, or what time it is.
 */
export { Authority } from './authority.ts';
export type { Outcome } from './authority.ts';
export { Holder } from './holder.ts';
export type { HolderEntry, HolderParts, OutOfReach, UnfinishedHold, UnfinishedLease } from './holder.ts';
export { keyOf, limitIdOf, limitIdentity } from './identity.ts';
export { LIFETIME_MS, MARGIN_MS } from './timing.ts';
export type { Figures } from './pool.ts';
export type * from './entries.ts';
export type * from './messages.ts';
