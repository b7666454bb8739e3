import type { EpochMs, MonotonicMs, NanoUsd } from '../units/index.ts';

export type ReservationId = string;

/** What the ledger needs to know of a budget or a rate limit; the policy room's `BudgetPolicy` maps onto it. */
export interface LimitSpec {
  readonly id: string;
  readonly unit: 'usd' | 'tokens' | 'requests';
  readonly limit: bigint;
  readonly window:
    | { readonly kind: 'calendar'; readonly unit: 'minute' | 'hour' | 'day' | 'week' | 'month'; readonly timeZone: string }
    | { readonly kind: 'rolling'; readonly durationMs: number }
    | { readonly kind: 'lifetime' };
  readonly mode: 'Strict' | 'Bounded' | 'Observe';
  /**
   * Where the full hold does not fit: `Shrink` lowers the answer's cap, `Reject` refuses. `CutStream` holds what is left,
   * at least the floor, of a stream that can be ended when that is used; of any other call, and in Strict, it is `Shrink`.
   */
  readonly nearLimit: 'Shrink' | 'Reject' | 'CutStream';
  readonly floorOutputTokens: number;
  /** 0: never waits (rate limits refuse at once). */
  readonly waitMs: number;
  /** Whether it is a budget (code `budget_exhausted`) or a rate limit (code `rate_limit_exceeded`). */
  readonly kind: 'budget' | 'rate';
  /** Percentages of the limit, of which each is told when what is posted reaches it. Absent: none. */
  readonly alerts?: readonly number[];
}

/**
 * The cost of a call as a function of its output cap c (tokens of one answer): usd = `fixedNanoUsd` +
 * ceil(`outputNanoUsdPerMillion` · c · choices / 1e6); tokens = `inputTokens` + c · choices; requests = 1.
 * All are upper bounds. `estimate` is what such a call is expected to use; accounts in mode Bounded hold that.
 */
export interface Quote {
  readonly fixedNanoUsd: NanoUsd;
  readonly outputNanoUsdPerMillion: bigint;
  readonly inputTokens: number;
  readonly choices: number;
  /** The cap asked for: the caller's, the model's or the policy's. 0 where the call has no output in tokens. */
  readonly outputCap: number;
  /** The caller named no cap, so a lower one breaks no promise. */
  readonly capIsDefault: boolean;
  /** With `outputTokens` (the part of the estimate that is the answer), the ledger puts what such answers really used in its place once it knows. */
  readonly estimate: { readonly nanoUsd: NanoUsd; readonly tokens: number; readonly outputTokens?: number };
}

/** One account that a call counts in: a limit and the subject within it (`""` where it keeps one for all). */
export interface AccountRef {
  readonly limit: string;
  readonly subject: string;
}

export interface ReserveCommand {
  readonly id: ReservationId;
  readonly at: EpochMs;
  readonly now: MonotonicMs;
  readonly accounts: readonly AccountRef[];
  readonly quote: Quote;
  /** Whose answers it resembles (workload, model): for what answers really cost. */
  readonly profile: string;
  /** Its answer can be ended by whoever asks, when what is held is used. Absent: it cannot. */
  readonly canBeEnded?: boolean;
  /** The reservation of which it is to be a part (`grow`): what that one holds is not in its way. */
  readonly grows?: ReservationId;
  /** It waits no longer than this, however long its accounts allow. */
  readonly waitMs?: number;
}

/** Money, tokens or requests set aside in one account's window. */
export interface Hold extends AccountRef {
  readonly windowStart: EpochMs;
  readonly amount: bigint;
  /** The lease that the money is from; absent where the whole limit is here. */
  readonly lease?: number;
}

export interface Granted {
  readonly kind: 'granted';
  readonly id: ReservationId;
  readonly holds: readonly Hold[];
  /** The cap to send upstream, at most `quote.outputCap`. */
  readonly outputCap: number;
  /** Lowered by `Shrink`. */
  readonly shrunk: boolean;
  /** Limits in mode Observe that would have refused. */
  readonly observed: readonly AccountRef[];
}

export interface Refused {
  readonly kind: 'refused';
  readonly id: ReservationId;
  readonly account: AccountRef;
  readonly reason: 'exhausted' | 'too_small_for_call' | 'wait_timeout' | 'rate_limited' | 'too_many_waiting';
  /** When enough may be free again: the window's end. `undefined`: never by itself (lifetime). */
  readonly retryAtMs: EpochMs | undefined;
}

export interface Waiting {
  readonly kind: 'waiting';
  readonly id: ReservationId;
}

/** What a call used, in every unit. `usd` is `undefined` where the price is unknown. */
export interface Actual {
  readonly nanoUsd: NanoUsd;
  readonly tokens: number;
  readonly outputTokens: number;
}

/**
 * How a call's holds end. `actual`: the provider's count is known. `estimated`: it is not, though the provider may have
 * billed; Strict posts the whole hold, Bounded the estimate. `void`: nothing can have been billed.
 */
export type Settlement =
  | { readonly kind: 'actual'; readonly actual: Actual }
  | { readonly kind: 'estimated'; readonly estimate: Actual }
  | { readonly kind: 'void' };

export interface Settled {
  readonly kind: 'settled';
  readonly id: ReservationId;
  /** What was posted in each account, by its hold. */
  readonly posted: readonly Hold[];
  /** By how much a strict budget's hold was exceeded: the provider billed more than the upper bound. Posted all the same; absent where there is none. */
  readonly overrun?: readonly Hold[];
  /** By how much it went beyond what was held where that was an estimate, and beyond what was free there. Absent where it did not. */
  readonly overdrawn?: readonly Hold[];
}

/** What is posted in an account has reached a percentage of its limit: told once in each window, whatever becomes of the limit. */
export interface Alert extends AccountRef {
  readonly unit: LimitSpec['unit'];
  readonly percent: number;
  readonly posted: bigint;
  readonly limitAmount: bigint;
}

/** A limit that cannot be kept, and why. `field` is the path inside `LimitSpec`, such as `window.timeZone`. */
export interface LimitError {
  readonly limit: string;
  readonly field: string;
  readonly message: string;
}

/** What `x-ratelimit-*` headers say of one account. */
export interface RateView {
  readonly limitAmount: bigint;
  /** At least 0; without what calls in flight hold and what those who wait are to have. */
  readonly remaining: bigint;
  /** When the account is whole again if nothing more is spent. `undefined`: never (lifetime). */
  readonly resetAtMs: EpochMs | undefined;
}

/** A reservation that is held: enough to settle it after a restart. */
export interface HeldReservation {
  readonly id: ReservationId;
  readonly holds: readonly Hold[];
  /** For learning what answers cost; absent where the journal does not know them. */
  readonly answer?: HeldAnswer;
}

export interface HeldAnswer {
  readonly profile: string;
  readonly outputCap: number;
  readonly choices: number;
  readonly shrunk: boolean;
}

/** What was posted in one window of one account. */
export interface PostedWindow extends AccountRef {
  readonly windowStart: EpochMs;
  readonly amount: bigint;
}

/** What is known of the answers of one profile, in output tokens of one answer. */
export interface AnswerStatistic {
  readonly profile: string;
  readonly answers: number;
  readonly high: number;
  readonly mean: number;
}

/** All that a restart must bring back. Waiting reservations are not in it: their calls were not forwarded. */
export interface Checkpoint {
  readonly posted: readonly PostedWindow[];
  readonly held: readonly HeldReservation[];
  readonly answers: readonly AnswerStatistic[];
}

/** Figures of one account in its present window, in the limit's unit. `free` may be negative after a limit was lowered. */
export interface AccountView extends AccountRef {
  readonly unit: LimitSpec['unit'];
  readonly mode: LimitSpec['mode'];
  readonly limitAmount: bigint;
  readonly posted: bigint;
  readonly pending: bigint;
  readonly free: bigint;
  readonly windowStart: EpochMs;
  /** `undefined` for lifetime and for rolling windows, which have no end. */
  readonly windowEnd: EpochMs | undefined;
}
