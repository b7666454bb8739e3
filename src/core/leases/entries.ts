import type { EpochMs } from '../units/index.ts';
import type { LeaseNumber, PeriodRef } from './messages.ts';

/**
 * What the authority's store must keep: the newest entry of each key (a lease's number; an account's window; both). Each
 * replaces its forerunner, so applying one twice changes nothing.
 */
export type Entry = LeaseEntry | AccountEntry | ShareEntry;

export interface LeaseEntry {
  readonly kind: 'lease';
  readonly lease: LeaseNumber;
  readonly processor: string;
  readonly nonce: string;
  /** `gone`: forget it and all its shares; only the highest number is to be remembered. */
  readonly state: 'live' | 'closing' | 'expired' | 'gone';
  readonly expiredAt?: EpochMs;
}

/** An account's window, without what its shares tell. */
export interface AccountEntry extends PeriodRef {
  readonly kind: 'account';
  /** Posted by leases that are gone, their losses included. */
  readonly carried: bigint;
  /** Rolling windows: what was posted, by bucket. */
  readonly buckets: readonly { readonly start: EpochMs; readonly amount: bigint }[];
  /** When the window ends; absent where it never does. */
  readonly until?: EpochMs;
  /** The length of a rolling window; 0 for others. */
  readonly rollingMs: number;
  /** The highest threshold that was told, in percent. */
  readonly alerted: number;
  /** The window is over and all is booked: forget it. */
  readonly isGone: boolean;
}

/** One lease's part in one account's window. */
export interface ShareEntry extends PeriodRef {
  readonly kind: 'share';
  readonly lease: LeaseNumber;
  readonly granted: bigint;
  readonly returned: bigint;
  readonly spent: bigint;
  readonly buckets: readonly { readonly start: EpochMs; readonly amount: bigint }[];
  readonly allowance: bigint;
  /** Of what was outstanding when the lease was lost: released, to be spent by others. */
  readonly forgiven: bigint;
}

/** What people are told. */
export type Event =
  | (PeriodRef & { readonly kind: 'threshold'; readonly percent: number; readonly posted: bigint; readonly limitAmount: bigint })
  /** A holder is lost, and with it `charged` (counted as spent) or `released` (may be spent twice), until it is heard of again. */
  | (PeriodRef & { readonly kind: 'lost'; readonly lease: LeaseNumber; readonly processor: string; readonly charged: bigint; readonly released: bigint })
  /** It was heard of again: so much of the loss was spent, so much came back. */
  | (PeriodRef & { readonly kind: 'found'; readonly lease: LeaseNumber; readonly processor: string; readonly spent: bigint; readonly returned: bigint });
