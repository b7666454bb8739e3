import type { Timeline } from './timeline.ts';

/** A part's own clocks: one that never jumps but runs a little fast or slow, and one on the wall that is wrong and may jump. */
export class Clocks {
  readonly #time: Timeline;
  readonly #rate: number;
  readonly #start: number;
  skewMs: number;

  constructor(time: Timeline, rate: number, skewMs: number) {
    this.#time = time;
    this.#rate = rate;
    this.#start = time.now;
    this.skewMs = skewMs;
  }

  /** Begins somewhere else in each process. */
  monotonicMs(): number {
    return (this.#time.now - this.#start) * this.#rate + 1_000;
  }

  epochMs(): number {
    return Math.floor(EPOCH_MS + this.#time.now + this.skewMs);
  }

  /** The true time that passes until the monotonic clock shows that. */
  until(monotonicMs: number): number {
    return (monotonicMs - this.monotonicMs()) / this.#rate + ROUNDING_MS;
  }
}

/** No timer goes off a rounding error too early. */
const ROUNDING_MS = 0.001;

/** Shortly before a month ends and clocks change in Berlin, so that windows end. */
export const EPOCH_MS = Date.parse('2026-10-25T00:58:30Z');
