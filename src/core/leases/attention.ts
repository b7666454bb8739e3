import type { MonotonicMs } from '../units/index.ts';
import { STALL_MS } from './timing.ts';

/**
 * How long one side has listened. While its process does not run, it hears nothing, and what was said to it meanwhile it
 * finds later: such time is nobody's silence. By this clock, therefore, the other side counts as gone.
 */
export class Attention {
  #now: MonotonicMs;
  #deafMs: MonotonicMs = 0;

  constructor(now: MonotonicMs) {
    this.#now = now;
  }

  /** To be called with each command. `due`: when something was to be done, at the earliest; Infinity where nobody's silence counts. */
  tick(due: MonotonicMs, now: MonotonicMs): void {
    // All since the latest command: nobody knows when it fell asleep.
    if (now - Math.max(due, this.#now) > STALL_MS) this.#deafMs += now - this.#now;
    this.#now = now;
  }

  /** Stands still while nobody is there. */
  get listenedMs(): MonotonicMs {
    return this.#now - this.#deafMs;
  }

  /** By how much it is behind the clock. */
  get deafMs(): MonotonicMs {
    return this.#deafMs;
  }
}
