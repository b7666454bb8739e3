import type { Loss } from './neutral.ts';

/** Most losses of a kind that are told; a request of a thousand messages can lose the same thing a thousand times. */
export const MAX_LOSSES = 32;

/** Collects what cannot be carried over, each place once. */
export class LossLog {
  readonly #refused = new Map<string, Loss>();
  readonly #dropped = new Map<string, Loss>();

  dropped(param: string, message: string): void {
    this.#add(this.#dropped, { treatment: 'dropped', param, message });
  }

  refused(param: string, message: string): void {
    this.#add(this.#refused, { treatment: 'refused', param, message });
  }

  /** Refusals first, as the first one decides. */
  list(): readonly Loss[] {
    return [...this.#refused.values(), ...this.#dropped.values()];
  }

  #add(losses: Map<string, Loss>, loss: Loss): void {
    if (losses.size < MAX_LOSSES && !losses.has(loss.param)) losses.set(loss.param, loss);
  }
}
