import type { EpochMs } from '../units/index.ts';
import type { LimitSpec } from './types.ts';

/** What is known of an account beyond the part of it that is here. */
export interface Outlook {
  /** The limit in force, for all together. */
  readonly limitAmount: bigint;
  /** What all together may still spend if all that is held were released: never less than it is, while `isFinal`. */
  readonly unspent: bigint;
  /** Free elsewhere, and to be had for the asking. */
  readonly offer: bigint;
  /** What others hold or have at hand. */
  readonly elsewhere: bigint;
  /** Asking now would bring no more than `offer`, so a call that needs more may be refused. */
  readonly isFinal: boolean;
}

/**
 * The part of one account, for one period, that may be held and posted here; the rest is elsewhere. Holds made from a
 * purse end in it, whatever happened to the account meanwhile.
 */
export interface Purse {
  /** The lease by which the money is here. Holds carry it. */
  readonly lease: number;
  /** Neither held nor posted nor given back. Negative after a provider billed more than was held. */
  readonly free: bigint;
  readonly outlook: Outlook;
  hold(amount: bigint): void;
  /** Ends a hold of `held` (0 where there was none) and posts `posting` in the counter's window. */
  settle(windowStart: EpochMs, held: bigint, posting: bigint): void;
}

/** Gives the purse of an account for the period that begins at `period` (0 where it never ends): always the same one while a lease lasts. */
export type PurseSource = (account: SharedAccount, period: EpochMs, until: EpochMs) => Purse;

/** An account as its purse may see it. */
export interface SharedAccount {
  readonly spec: LimitSpec;
  readonly subject: string;
  /** What those who wait need altogether, of which some may be here. */
  readonly earmarked: bigint;
  /** `undefined` where nobody lacks anything. */
  shortage(): Shortage | undefined;
}

/** What those who wait for an account lack. */
export interface Shortage {
  /** Enough for the first of them that is short. */
  readonly need: bigint;
  /** The smallest hold with which that call could do. */
  readonly least: bigint;
  /** Beyond `need`, for the others. */
  readonly more: bigint;
}
