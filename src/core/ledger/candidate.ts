import type { MonotonicMs } from '../units/index.ts';
import type { Account } from './account.ts';
import type { Demand } from './demand.ts';
import type { Held } from './held.ts';
import { Place } from './line.ts';
import type { ReserveCommand } from './types.ts';

/** A reservation that is not decided: new, or waiting. */
export class Candidate {
  readonly command: ReserveCommand;
  readonly demand: Demand;
  /** One for each account; replaced when the limits change. */
  places: readonly Place[] = [];
  /** When its wait is over; set when it begins to wait. */
  deadline: MonotonicMs = Infinity;
  isWaiting = false;
  /** What the call holds already, of which this is to be a part. */
  readonly #held: readonly Held[];

  constructor(command: ReserveCommand, demand: Demand, held: readonly Held[]) {
    this.command = command;
    this.demand = demand;
    this.#held = held;
  }

  /** What the call holds already in an account. */
  heldIn(account: Account): bigint {
    let held = 0n;
    for (const { parts } of this.#held) for (const part of parts) if (part.account === account) held += part.hold.amount;
    return held;
  }

  place(accounts: readonly Account[]): void {
    this.places = accounts.map((account) => new Place(this, account));
  }

  /** Takes a place in the line of each account that can be waited for. Rate limits refuse at once and budgets in Observe never do, so they have no lines, unless the limit is shared. */
  queue(): void {
    for (const place of this.places) if (canBeWaitedFor(place.account)) place.account.line.push(place);
  }

  leave(): void {
    for (const place of this.places) place.account.line.remove(place);
  }
}

export function governs(account: Account): boolean {
  return account.spec.mode !== 'Observe';
}

export function canBeWaitedFor(account: Account): boolean {
  return governs(account) && account.waitMs > 0;
}
