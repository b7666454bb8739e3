import type { EpochMs } from '../units/index.ts';
import { Line } from './line.ts';
import type { AccountRef, AccountView, LimitSpec } from './types.ts';
import type { CountedSpan, SpanAt } from './windows.ts';

/** A clock that is set back by less than this leaves windows as they are; by more, they follow it. */
const CLOCK_STEP_BACK_MS = 3_600_000;

/** The counter of one span. A hold keeps a reference to it, so a window lives exactly as long as it counts or is held in. */
export interface Counter {
  span: CountedSpan;
  posted: bigint;
  pending: bigint;
  holds: number;
  /** Whether it counts against the limit; false once its span is over. */
  counts: boolean;
}

/** A limit as it stands: its spec may be replaced, its way of counting may not. */
export interface LimitInForce {
  spec: LimitSpec;
  readonly spanAt: SpanAt;
}

/** One subject's money under one limit. The sums are of the counters that count now. */
export class Account implements AccountRef {
  readonly #limit: LimitInForce;
  readonly subject: string;
  readonly line = new Line();
  posted = 0n;
  pending = 0n;
  holds = 0;
  /** Oldest first; the last takes new holds. Calendar and lifetime have one at most. */
  readonly #counters: Counter[] = [];

  constructor(limit: LimitInForce, subject: string) {
    this.#limit = limit;
    this.subject = subject;
  }

  get limit(): string {
    return this.#limit.spec.id;
  }

  get spec(): LimitSpec {
    return this.#limit.spec;
  }

  /** May be negative: the limit was lowered, or a provider billed more than was held. */
  get free(): bigint {
    return this.spec.limit - this.posted - this.pending;
  }

  get isIdle(): boolean {
    return this.posted === 0n && this.holds === 0 && this.line.length === 0;
  }

  get counters(): readonly Counter[] {
    return this.#counters;
  }

  /** When the next counter stops counting. */
  get rollsAt(): EpochMs {
    return this.#counters[0]?.span.countsUntil ?? Infinity;
  }

  /** Takes out what no longer counts at `at`. */
  roll(at: EpochMs): void {
    const newest = this.#counters.at(-1);
    if (newest === undefined) return;
    if (at < newest.span.start - CLOCK_STEP_BACK_MS) this.#followBack(at);
    while (this.rollsAt <= at) {
      const over = this.#counters.shift() as Counter;
      over.counts = false;
      this.posted -= over.posted;
      this.pending -= over.pending;
      this.holds -= over.holds;
    }
  }

  hold(at: EpochMs, amount: bigint): Counter {
    const counter = this.#open(at);
    this.holdIn(counter, amount);
    return counter;
  }

  holdIn(counter: Counter, amount: bigint): void {
    counter.pending += amount;
    counter.holds += 1;
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
    this.post(counter, posting);
  }

  post(counter: Counter, amount: bigint): void {
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
    const counter = newCounter({ ...span, start });
    counter.counts = span.countsUntil > at;
    if (counter.counts) {
      const later = this.#counters.findIndex((other) => other.span.start > start);
      this.#counters.splice(later === -1 ? this.#counters.length : later, 0, counter);
    }
    return counter;
  }

  /** When `amount` could be free if nothing more is spent and nothing is released; `undefined`: not by the passing of time. */
  enoughAt(amount: bigint): EpochMs | undefined {
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

  #open(at: EpochMs): Counter {
    this.roll(at);
    const newest = this.#counters.at(-1);
    if (newest !== undefined && at < newest.span.openUntil) return newest;
    const counter = newCounter(this.#limit.spanAt(at));
    this.#counters.push(counter);
    return counter;
  }

  /** The clock was far ahead and is right again: what was counted ahead of time counts as of now, or it would for ages. */
  #followBack(at: EpochMs): void {
    const span = this.#limit.spanAt(at);
    for (const counter of this.#counters) if (counter.span.start > at) counter.span = span;
  }
}

function newCounter(span: CountedSpan): Counter {
  return { span, posted: 0n, pending: 0n, holds: 0, counts: true };
}
