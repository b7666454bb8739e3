import type { MonotonicMs } from '../../core/units/index.ts';

/** How fast somebody may go on: a bucket of credits that fills steadily. */
export class Pace {
  readonly #perSecond: number;
  readonly #burst: number;
  #credits: number;
  #filledAt: MonotonicMs;

  constructor(perSecond: number, burst: number, now: MonotonicMs) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#credits = burst;
    this.#filledAt = now;
  }

  /** Takes what something costs, and returns how long to wait before the next: 0 while there are credits. */
  take(cost: number, now: MonotonicMs): MonotonicMs {
    this.#credits = Math.min(this.#burst, this.#credits + ((now - this.#filledAt) / 1_000) * this.#perSecond) - cost;
    this.#filledAt = now;
    return this.#credits >= 0 ? 0 : Math.ceil((-this.#credits / this.#perSecond) * 1_000);
  }
}
