import { Thresholds } from '../ledger/index.ts';
import type { LimitSpec } from '../ledger/index.ts';
import type { EpochMs } from '../units/index.ts';
import type { AccountEntry } from './entries.ts';
import { keyOf } from './identity.ts';
import type { Lease } from './lease.ts';
import type { PeriodRef } from './messages.ts';
import { Share } from './share.ts';

/** Bounded: what may be spent beyond the limit, all in all, is a tenth of it. */
const OVERDRAFT_DIVISOR = 10n;
/** Each new share may overdraw by this part of the overdraft that is not given away. */
const ALLOWANCE_DIVISOR = 4n;
/** A rolling window is counted in so many buckets. */
const ROLLING_BUCKETS = 60;

/** An account's figures: `posted` + `pending` + `free` = `limitAmount`, always. */
export interface Figures {
  readonly limitAmount: bigint;
  /** Spent as reported, and `lost`. */
  readonly posted: bigint;
  /** With live leases: held or at hand. */
  readonly pending: bigint;
  /** Negative only after a limit was lowered, an overdraft, or a provider that billed more than was held. */
  readonly free: bigint;
  /** Of `posted`: charged for leases that were lost. */
  readonly lost: bigint;
  /** Of `free`: outstanding with lost leases of a bounded limit, so perhaps spent already. */
  readonly released: bigint;
}

/**
 * One account's window at the authority: what of its limit is with whom. Each share counts by its lease's state: live, as
 * pending; lost, as spent (`lost`), or in part as `released` where the limit is bounded. So a late report of a lost lease
 * books itself: it turns what was outstanding into spent or returned, whatever it counted as.
 */
export class Pool implements PeriodRef {
  readonly limit: string;
  readonly subject: string;
  readonly period: EpochMs;
  /** When the window ends; Infinity for lifetime and rolling ones. */
  readonly until: EpochMs;
  /** The length of a rolling window; 0 for others. */
  readonly rollingMs: number;
  /** `undefined`: no such limit any more; what was granted is still booked. */
  spec: LimitSpec | undefined;
  carried = 0n;
  readonly #thresholds = new Thresholds();
  /** Whether the store has it, or will with what is stored next. */
  isKept = false;
  readonly shares = new Map<number, Share>();
  /** Shares that need something, in the order of their tickets. */
  readonly line = new Set<Share>();
  /** Rolling: posted by bucket, in the authority's time. */
  readonly #buckets = new Map<EpochMs, bigint>();
  /** Rolling: nothing leaves before. */
  #rollsAt: EpochMs = Infinity;
  #spent = 0n;
  #pending = 0n;
  #lost = 0n;
  #released = 0n;
  #allowances = 0n;
  /** Shares with something outstanding. */
  #active = 0;

  constructor({ limit, subject, period }: PeriodRef, until: EpochMs, rollingMs: number, spec: LimitSpec | undefined) {
    this.limit = limit;
    this.subject = subject;
    this.period = period;
    this.until = until;
    this.rollingMs = rollingMs;
    this.spec = spec;
  }

  get key(): string {
    return keyOf(this);
  }

  get free(): bigint {
    return (this.spec?.limit ?? 0n) - this.posted - this.#pending;
  }

  get posted(): bigint {
    return this.carried + this.#spent + this.#lost;
  }

  get pending(): bigint {
    return this.#pending;
  }

  get unspent(): bigint {
    return (this.spec?.limit ?? 0n) - this.posted;
  }

  get active(): number {
    return this.#active;
  }

  get figures(): Figures {
    return { limitAmount: this.spec?.limit ?? 0n, posted: this.posted, pending: this.#pending, free: this.free, lost: this.#lost, released: this.#released };
  }

  /** The lease's share, made if need be. */
  share(lease: Lease): Share {
    const known = this.shares.get(lease.number);
    if (known) return known;
    const share = new Share(lease, this);
    this.shares.set(lease.number, share);
    lease.shares.set(this.key, share);
    share.allowance = lease.isLive ? this.#overdraftLeft() / ALLOWANCE_DIVISOR : 0n;
    this.#put(share);
    return share;
  }

  /** The only way to change what a share counts. */
  change<T>(share: Share, apply: () => T): T {
    this.#take(share);
    const outcome = apply();
    this.#put(share);
    return outcome;
  }

  grant(share: Share, amount: bigint): void {
    this.change(share, () => (share.granted += amount));
  }

  /** Its lease is lost. Bounded: what can be overdrawn is forgiven, so that others may spend it; all else is charged. */
  lose(share: Share): void {
    const left = this.#overdraftLeft();
    this.change(share, () => {
      share.isLost = true;
      share.forgiven = share.outstanding < left ? share.outstanding : left;
    });
    if (this.#isRolling) this.#rollsAt = 0;
  }

  /** Takes a share away for good, with what it counts carried on. */
  fold(share: Share): void {
    this.#take(share);
    if (!this.#isRolling) this.carried += share.spent;
    if (share.isLost && !share.isWrittenOff) this.carried += share.outstanding - share.released;
    this.shares.delete(share.lease.number);
    share.lease.shares.delete(this.key);
    this.line.delete(share);
  }

  /** Rolling: what was spent `ageMs` ago counts until it is as old as the window is long. */
  postAged(amount: bigint, ageMs: number, at: EpochMs): void {
    if (ageMs >= this.rollingMs) return;
    const length = Math.ceil(this.rollingMs / ROLLING_BUCKETS);
    const start = Math.floor((at - Math.max(0, ageMs)) / length) * length;
    this.#rollsAt = Math.min(this.#rollsAt, start + length + this.rollingMs);
    this.#buckets.set(start, (this.#buckets.get(start) ?? 0n) + amount);
    this.carried += amount;
  }

  /** Rolling: lets go what no longer counts; true where there was any. */
  roll(at: EpochMs): boolean {
    if (at < this.#rollsAt) return false;
    this.#rollsAt = Infinity;
    let rolled = false;
    const length = Math.ceil(this.rollingMs / ROLLING_BUCKETS);
    for (const [start, amount] of this.#buckets) {
      const leavesAt = start + length + this.rollingMs;
      if (leavesAt > at) {
        this.#rollsAt = Math.min(this.#rollsAt, leavesAt);
        continue;
      }
      this.#buckets.delete(start);
      this.carried -= amount;
      rolled = true;
    }
    for (const share of this.shares.values()) {
      const { expiredAt } = share.lease;
      if (share.isWrittenOff || expiredAt === undefined) continue;
      const leavesAt = expiredAt + length + this.rollingMs;
      if (leavesAt > at) {
        this.#rollsAt = Math.min(this.#rollsAt, leavesAt);
        continue;
      }
      this.change(share, () => (share.isWrittenOff = true));
      rolled = true;
    }
    if (rolled && this.spec !== undefined) this.#thresholds.rearm(this.spec, this.posted);
    return rolled;
  }

  /** Thresholds that were reached and not told, lowest first. */
  takeReached(): readonly number[] {
    return this.spec === undefined ? [] : this.#thresholds.take(this.spec, this.posted);
  }

  entry(isGone = false): AccountEntry {
    const { limit, subject, period, until, rollingMs, carried } = this;
    const buckets = [...this.#buckets].map(([start, amount]) => ({ start, amount }));
    return {
      kind: 'account',
      limit,
      subject,
      period,
      ...(until === Infinity ? {} : { until }),
      rollingMs,
      carried,
      buckets,
      alerted: this.#thresholds.told,
      isGone,
    };
  }

  restore({ carried, alerted, buckets }: AccountEntry): void {
    this.isKept = true;
    if (this.#isRolling) this.#rollsAt = 0;
    this.carried = carried;
    this.#thresholds.told = alerted;
    for (const { start, amount } of buckets) this.#buckets.set(start, amount);
  }

  get #isRolling(): boolean {
    return this.rollingMs > 0;
  }

  /** posted + pending + all that may still be overdrawn stays within the limit and its overdraft. */
  #overdraftLeft(): bigint {
    if (this.spec?.mode !== 'Bounded') return 0n;
    const { free } = this;
    const left = this.spec.limit / OVERDRAFT_DIVISOR - this.#allowances - this.#released + (free < 0n ? free : 0n);
    return left > 0n ? left : 0n;
  }

  #take(share: Share): void {
    this.#count(share, -1n);
  }

  #put(share: Share): void {
    this.#count(share, 1n);
  }

  #count(share: Share, sign: 1n | -1n): void {
    const { outstanding } = share;
    if (!this.#isRolling) this.#spent += sign * share.spent;
    this.#allowances += sign * share.allowance;
    if (outstanding === 0n) return;
    this.#active += Number(sign);
    if (!share.isLost) this.#pending += sign * outstanding;
    else if (!share.isWrittenOff) {
      this.#released += sign * share.released;
      this.#lost += sign * (outstanding - share.released);
    }
  }
}
