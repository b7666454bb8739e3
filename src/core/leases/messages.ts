import type { EpochMs, MonotonicMs } from '../units/index.ts';

/**
 * What holders and the authority say to each other. Counters are whole and only rise, so a message that is lost, late,
 * repeated or overtaken does no harm: what counts of each counter is the highest that was heard.
 */
export type ToAuthority = Join | Report;
export type ToHolder = Joined | Answer;

/** One per lease; given by the authority, never twice. */
export type LeaseNumber = number;

/** One account's window: `limit` is a limit's identity (`limitIdentity`), `period` the start of its calendar window, else 0. */
export interface PeriodRef {
  readonly limit: string;
  readonly subject: string;
  readonly period: EpochMs;
}

/** Asks for a lease. The same `nonce` gets the same lease while that is live. */
export interface Join {
  readonly kind: 'join';
  /** Never used before by this processor. */
  readonly nonce: string;
  /** By the holder's monotonic clock; given back in the answer. */
  readonly sentAt: MonotonicMs;
}

export interface Joined {
  readonly kind: 'joined';
  readonly term: number;
  readonly nonce: string;
  readonly lease: LeaseNumber;
  readonly echo: MonotonicMs;
}

/** Where a holder stands, and that it lives. Names the slices with news only. */
export interface Report {
  readonly kind: 'report';
  readonly lease: LeaseNumber;
  /** Which process says so: another one's clock means nothing to it. */
  readonly instance: string;
  readonly sentAt: MonotonicMs;
  /** The holder's wall clock: tells how old what was spent in a rolling window is. */
  readonly at: EpochMs;
  /** The `number` of the latest answer that was heard; 0 for none. */
  readonly heard: number;
  /** `open`; `closing`: no new holds are made; `done`: nor is anything held, all that is left is given back. */
  readonly stage: 'open' | 'closing' | 'done';
  readonly slices: readonly SliceReport[];
}

export interface SliceReport extends PeriodRef {
  readonly returned: bigint;
  readonly spent: bigint;
  /** Rolling windows: the counters of the buckets that were not booked yet. */
  readonly buckets?: readonly { readonly start: EpochMs; readonly amount: bigint }[];
  /** What the first who waits lacks; 0 where nobody waits. */
  readonly need: bigint;
  /** The smallest hold with which it could do. */
  readonly least: bigint;
  /** What the others who wait lack. */
  readonly more: bigint;
  /** What it would like to have at hand besides, for calls to come. */
  readonly spare: bigint;
}

export interface Answer {
  readonly kind: 'answer';
  readonly term: number;
  readonly lease: LeaseNumber;
  /** Rises with each answer, over all terms. */
  readonly number: number;
  /** Whose report this answers, and its `sentAt`; absent where it answers none. */
  readonly echo?: { readonly instance: string; readonly sentAt: MonotonicMs };
  /** `live`; `ended`: counters are still booked, nothing is granted any more; `gone`: nothing is known of it, or all is booked. */
  readonly state: 'live' | 'ended' | 'gone';
  readonly slices: readonly SliceAnswer[];
}

export interface SliceAnswer extends PeriodRef {
  readonly granted: bigint;
  /** As booked, and durable. */
  readonly returned: bigint;
  readonly spent: bigint;
  /** Bounded: what may be spent beyond the slice once the lease is over and the authority out of reach. */
  readonly allowance: bigint;
  /** The limit in force. */
  readonly limitAmount: bigint;
  /** The limit less what all have spent, as far as is booked. */
  readonly unspent: bigint;
  /** What this holder could have besides. */
  readonly offer: bigint;
  /** What other holders have outstanding. */
  readonly elsewhere: bigint;
  /** No more is to come from elsewhere by recalling it. */
  readonly isFinal: boolean;
  /** `ample`; `scarce`: keep nothing at hand, and say at once what comes free; `yield`: give back even what those who wait there would take. */
  readonly supply: 'ample' | 'scarce' | 'yield';
  /** Why nothing can be granted here. */
  readonly fault?: 'unknown_limit' | 'window_not_open' | 'too_many_accounts';
}
