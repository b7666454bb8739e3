import type { CallRecord } from '../../core/call/index.ts';
import type { Event } from '../../core/leases/index.ts';
import type { Identity, Violation } from '../wire/index.ts';

/** What a processor may do. */
export interface Permissions {
  /**
   * Whether it may spend from this account, and know how much is left there. `limit` is a limit's identity (`limitIdentity`).
   * What it may no longer use it can still settle and give back. By the policies that the processor has: where newer ones
   * are on their way to it, by the older as well.
   */
  mayUse(identity: Identity, limit: string, subject: string): boolean;
  /** Whether it may tell what calls of this workload have cost. */
  maySpeakFor(identity: Identity, call: Pick<CallRecord, 'namespace' | 'workload'>): boolean;
}

/** For where all processors are one team's. */
export const ALL_PERMITTED: Permissions = { mayUse: () => true, maySpeakFor: () => true };

/** What people are told of: thresholds, losses, who leads, and what no honest processor does. */
export type ServiceEvent =
  | Event
  /** This process has taken the lead. */
  | { readonly kind: 'leading'; readonly term: number }
  /** It leads no more: somebody else does (`deposed`), the store failed, or it stops. What was not stored was not said. */
  | { readonly kind: 'resigned'; readonly term: number; readonly reason: 'deposed' | 'store' | 'closed' }
  /** Nobody can lead from here before the store is back. `attempt` rises until it is. */
  | { readonly kind: 'store_unavailable'; readonly attempt: number; readonly error: Error }
  /** Records could not be stored; their processor will send them again. */
  | { readonly kind: 'records_failed'; readonly processor: string; readonly error: Error }
  /** A second stream of the same name: a processor that came back, or two that believe to be the same. */
  | { readonly kind: 'replaced'; readonly processor: string }
  | Violation;
