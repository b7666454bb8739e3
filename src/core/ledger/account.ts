import type { EpochMs } from '../units/index.ts';
import { Thresholds } from './alerts.ts';
import { Line } from './line.ts';
import type { Outlook, Purse, PurseSource, SharedAccount, Shortage } from './purse.ts';
import { shortageIn } from './shortage.ts';
import { ROLLING_BUCKETS } from './limits.ts';
import type { AccountRef, AccountView, LimitSpec } from './types.ts';
import { LIFETIME } from './windows.ts';
import type { CountedSpan, SpanAt } from './windows.ts';

/** A clock that is set back by less than this leaves windows as they are; by more, they follow it. */
const CLOCK_STEP_BACK_MS = 3_600_000;
/** How long a call waits at most for an answer about a shared account whose limit refuses at once. */
const ASKING_MS = 2_000;

/** The counter of one span. A hold keeps a reference to it, so a window lives exactly as long as it counts or is held in. */
export interface Counter {
  span: CountedSpan;
  posted: bigint;
  pending: bigint;
  holds: number;
  /** Whether it counts against the limit; false once its span is over. */
  counts: boolean;
  /** Where the money is from; `undefined` where the whole limit is here. */
  readonly purse: Purse | undefined;
}

/** A limit as it stands: its spec may be replaced, its way of counting may not. */
export interface LimitInForce {
  spec: LimitSpec;
  readonly spanAt: SpanAt;
}

/** One subject's money under one limit. The sums are of the counters that count now. */
export class Account implements AccountRef, SharedAccount {
  readonly #limit: LimitInForce;
  /** Present where the limit is shared with other processes. */
  readonly #purses: PurseSource | undefined;
  #purse: Purse | undefined;
  /** The window that the purse is for. */
  #period: CountedSpan = LIFETIME;
  readonly subject: string;
  readonly line = new Line();
  readonly #thresholds = new Thresholds();
  posted = 0n;
  pending = 0n;
  holds = 0;
  /** Oldest first; the last takes new holds. Calendar and lifetime have one at most. */
  readonly #counters: Counter[] = [];

  constructor(limit: LimitInForce, subject: string, purses?: PurseSource) {
    this.#limit = limit;
    this.subject = subject;
    this.#purses = purses;
  }

  get limit(): string {
    return this.#limit.spec.id;
  }

  get spec(): LimitSpec {
    return this.#limit.spec;
  }

  /** May be negative: the limit was lowered, or a provider billed more than was held. */
  get free(): bigint {
    if (this.#purses === undefined) return this.spec.limit - this.posted - this.pending;
    return this.#purse?.free ?? 0n;
  }

  get purse(): Purse | undefined {
    return this.#purse;
  }

  get earmarked(): bigint {
    return this.line.earmarked;
  }

  shortage(): Shortage | undefined {
    return shortageIn(this.line, this.free);
  }

  get isShared(): boolean {
    return this.#purses !== undefined;
  }

  /** What is known of the rest of a shared account; `undefined` where all of it is here. */
  get outlook(): Outlook | undefined {
    return this.#purse?.outlook;
  }

  /** What could be free if all that is held were released. */
  get unspent(): bigint {
    return this.outlook?.unspent ?? this.spec.limit - this.posted;
  }

  /** How long a call may wait. A shared account needs time to ask, even where its limit refuses at once. */
  get waitMs(): number {
    const { waitMs } = this.spec;
    return this.isShared && waitMs < ASKING_MS ? ASKING_MS : waitMs;
  }

  get isIdle(): boolean {
    return this.posted === 0n && this.holds === 0 && this.line.length === 0;
  }

  get counters(): readonly Counter[] {
    return this.#counters;
  }

  /** When the next counter stops counting. */
  get rollsAt(): EpochMs {
    const counted = this.#counters[0]?.span.countsUntil ?? Infinity;
    return this.#purse === undefined ? counted : Math.min(counted, this.#period.countsUntil);
  }

  /** Takes out what no longer counts at `at`. */
  roll(at: EpochMs): void {
    if (this.#purse !== undefined && (this.#period.countsUntil <= at || at < this.#period.start - CLOCK_STEP_BACK_MS)) this.#purse = undefined;
    const newest = this.#counters.at(-1);
    if (newest === undefined) return;
    if (at < newest.span.start - CLOCK_STEP_BACK_MS) this.#followBack(at);
    while ((this.#counters[0]?.span.countsUntil ?? Infinity) <= at) this.#leaveBehind();
  }

  /** Before a call is weighed: rolled, and where it is shared, with the purse of the present period. */
  prepare(at: EpochMs): void {
    this.roll(at);
    if (this.#purses === undefined || this.#purse !== undefined) return;
    this.#period = this.spec.window.kind === 'calendar' ? this.#limit.spanAt(at) : LIFETIME;
    this.#purse = this.#purses(this, this.#period.start, this.#period.countsUntil);
  }

  /** What is held and posted stays with the purses that it is in; new holds come from another. */
  changePurse(): void {
    while (this.#counters.length > 0) this.#leaveBehind();
    this.#purse = undefined;
  }

  hold(at: EpochMs, amount: bigint): Counter {
    const counter = this.#open(at);
    this.holdIn(counter, amount);
    return counter;
  }

  holdIn(counter: Counter, amount: bigint): void {
    counter.pending += amount;
    counter.holds += 1;
    counter.purse?.hold(amount);
    if (!counter.counts) return;
    this.pending += amount;
    this.holds += 1;
  }

  /** Ends a hold of `held` in the window where it was made, and posts `posting` there. */
  settle(counter: Counter, held: bigint, posting: bigint): void {
    counter.pending -= held;
    counter.holds -= 1;
    if (counter.counts) {
      this.pending -= held;
      this.holds -= 1;
    }
    counter.purse?.settle(counter.span.start, held, posting);
    this.#post(counter, posting);
  }

  /** For restoring: what was posted here before. */
  post(counter: Counter, amount: bigint): void {
    counter.purse?.settle(counter.span.start, 0n, amount);
    this.#post(counter, amount);
    this.#thresholds.assume(this.spec, this.posted);
  }

  /** Percentages of the limit that were reached since this was last asked. Of a shared account only a part is known here. */
  takeReached(): readonly number[] {
    return this.isShared ? [] : this.#thresholds.take(this.spec, this.posted);
  }

  #post(counter: Counter, amount: bigint): void {
    counter.posted += amount;
    if (counter.counts) this.posted += amount;
  }

  /** For restoring: the counter of the window that began at `start`; one of its own, not counted, if that is over. */
  counterOf(start: EpochMs, at: EpochMs): Counter {
    this.roll(at);
    // Written while the clock was ahead: it counts from now on.
    if (start > at) return this.#open(at);
    const known = this.#counters.find((counter) => counter.span.start === start);
    if (known) return known;
    const span = this.#limit.spanAt(start);
    const counter = newCounter({ ...span, start }, this.#purse);
    counter.counts = span.countsUntil > at;
    if (counter.counts) {
      const later = this.#counters.findIndex((other) => other.span.start > start);
      this.#counters.splice(later === -1 ? this.#counters.length : later, 0, counter);
    }
    return counter;
  }

  /** For restoring: a counter of its own for what is held by another purse than new holds are. It does not count here. */
  counterUnder(purse: Purse, start: EpochMs): Counter {
    const counter = newCounter({ ...this.#limit.spanAt(start), start }, purse);
    counter.counts = false;
    return counter;
  }

  /** When `amount` could be free if nothing more is spent and nothing is released; `undefined`: not by the passing of time. */
  enoughAt(amount: bigint, at: EpochMs): EpochMs | undefined {
    if (this.#purse !== undefined) return this.#mayComeFreeAt(at);
    let free = this.free;
    for (const counter of this.#counters) {
      free += counter.posted + counter.pending;
      if (free >= amount) return Number.isFinite(counter.span.countsUntil) ? counter.span.countsUntil : undefined;
    }
    return undefined;
  }

  /** When all that counts now will have left. */
  get wholeAt(): EpochMs | undefined {
    const last = this.#counters.at(-1)?.span.countsUntil;
    return last !== undefined && Number.isFinite(last) ? last : undefined;
  }

  view(at: EpochMs): AccountView {
    const { id: limit, unit, mode, limit: limitAmount, window } = this.spec;
    const figures = { limit, subject: this.subject, unit, mode, limitAmount, posted: this.posted, pending: this.pending, free: this.free };
    if (window.kind === 'lifetime') return { ...figures, windowStart: 0, windowEnd: undefined };
    if (window.kind === 'rolling') return { ...figures, windowStart: at - window.durationMs, windowEnd: undefined };
    const { start, countsUntil } = this.#counters[0]?.span ?? this.#limit.spanAt(at);
    return { ...figures, windowStart: start, windowEnd: countsUntil };
  }

  /** What others spent in a rolling window is not known by time: some of it leaves with each bucket. */
  #mayComeFreeAt(at: EpochMs): EpochMs | undefined {
    const { window } = this.spec;
    if (window.kind === 'rolling') return at + Math.ceil(window.durationMs / ROLLING_BUCKETS);
    return Number.isFinite(this.#period.countsUntil) ? this.#period.countsUntil : undefined;
  }

  #open(at: EpochMs): Counter {
    this.prepare(at);
    const newest = this.#counters.at(-1);
    if (newest !== undefined && at < newest.span.openUntil && newest.purse === this.#purse) return newest;
    // A clock that went back a little leaves a purse in its window, and what is counted with it.
    const span = this.#purse !== undefined && this.#period !== LIFETIME ? this.#period : this.#limit.spanAt(at);
    const counter = newCounter(span, this.#purse);
    this.#counters.push(counter);
    return counter;
  }

  #leaveBehind(): void {
    const over = this.#counters.shift() as Counter;
    over.counts = false;
    this.posted -= over.posted;
    this.pending -= over.pending;
    this.holds -= over.holds;
    this.#thresholds.rearm(this.spec, this.posted);
  }

  /** The clock was far ahead and is right again: what was counted ahead of time counts as of now, or it would for ages. */
  #followBack(at: EpochMs): void {
    if (this.isShared) return this.changePurse();
    const span = this.#limit.spanAt(at);
    for (const counter of this.#counters) if (counter.span.start > at) counter.span = span;
  }
}

function newCounter(span: CountedSpan, purse: Purse | undefined): Counter {
  return { span, posted: 0n, pending: 0n, holds: 0, counts: true, purse };
}
