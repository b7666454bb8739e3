import type { CallRecord } from '../../core/call/index.ts';
import type { Event } from '../../core/leases/index.ts';
import type { EpochMs } from '../../core/units/index.ts';

/** Who a processor is, as its credentials prove. */
export interface Identity {
  /** Of one processor, and of no other that runs at the same time. */
  readonly processor: string;
  /** When its credentials end, and its streams with them; absent where they do not. */
  readonly validUntil?: EpochMs;
}

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

/**
 * Why a stream ends, or is not taken. `unavailable`: somebody else leads, or nobody. `replaced`: by a newer one of the same
 * processor. `unauthenticated`: it does not prove who it is. `not_permitted`: it speaks for somebody else. `invalid`: it
 * makes no sense. `too_much`: beyond a limit. `protocol`: of another major version.
 */
export interface Dismissal {
  readonly code: 'unavailable' | 'replaced' | 'unauthenticated' | 'not_permitted' | 'invalid' | 'too_much' | 'protocol';
  readonly message: string;
}

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
  /** A processor was refused something that no honest one does; `processor` is absent where it did not prove who it is. */
  | { readonly kind: 'violation'; readonly processor?: string; readonly code: Dismissal['code']; readonly message: string };
