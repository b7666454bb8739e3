/**
 * Budgets: the ledger, made durable.
 *
 * Owns what is on disk before what, and recovery. Must never know how a call is served.
 */
export { DurableBudgets } from './durable.ts';
export type { BudgetEvents } from './durable.ts';
export { acceptLoss, openBudgets } from './open.ts';
export type { AuthorityLink, AuthorityListener, ConnectAuthority, LeasedFrom } from './tenancy.ts';
export type { BatchListener } from './objects.ts';
export { ObjectBook } from './objects.ts';
export type { OpenedBudgets, OpenOptions, Outbox } from './open.ts';
export { openStoredBooks } from './stored.ts';
