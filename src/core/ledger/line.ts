import type { Account } from './account.ts';
import type { Candidate } from './candidate.ts';

/** One reservation's part in one account, and its place in that account's line while it waits. */
export class Place {
  readonly candidate: Candidate;
  readonly account: Account;
  /** What the reservation would hold here, as last weighed. */
  need = 0n;
  /** The smallest hold with which it could do here, as last weighed; only where it is short. */
  least = 0n;
  queued = false;
  previous: Place | undefined;
  next: Place | undefined;

  constructor(candidate: Candidate, account: Account) {
    this.candidate = candidate;
    this.account = account;
  }
}

/** Those who wait for one account, first come first. Linked, so that leaving from the middle costs nothing. */
export class Line {
  head: Place | undefined;
  #tail: Place | undefined;
  length = 0;
  /** The sum of what all in the line need. */
  earmarked = 0n;

  push(place: Place): void {
    place.queued = true;
    place.previous = this.#tail;
    place.next = undefined;
    if (this.#tail) this.#tail.next = place;
    else this.head = place;
    this.#tail = place;
    this.length += 1;
    this.earmarked += place.need;
  }

  remove(place: Place): void {
    if (!place.queued) return;
    if (place.previous) place.previous.next = place.next;
    else this.head = place.next;
    if (place.next) place.next.previous = place.previous;
    else this.#tail = place.previous;
    place.queued = false;
    this.length -= 1;
    this.earmarked -= place.need;
  }

  setNeed(place: Place, need: bigint): void {
    if (place.queued) this.earmarked += need - place.need;
    place.need = need;
  }
}
