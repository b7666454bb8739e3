import { Holder, limitIdentity } from '../../core/leases/index.ts';
import type { LeaseNumber, ToAuthority, ToHolder } from '../../core/leases/index.ts';
import type { Clock } from '../../core/call/index.ts';
import type { LimitSpec } from '../../core/ledger/index.ts';
import type { Bookkeeper } from './bookkeeper.ts';

/** Limits in one journal entry, which is bounded. */
const LIMITS_PER_ENTRY = 100;

/** At an orderly end, how often it looks whether there is something to be said. */
const LEAVE_STEP_MS = 20;

/** The way to the ledger service. What is sent while there is none is lost, which the protocol allows. */
export interface AuthorityLink {
  send(message: ToAuthority): void;
  close(): void;
}

export interface AuthorityListener {
  onMessage(message: ToHolder): void;
  /** The connection is back, or leads to another authority. */
  onConnected(): void;
}

export type ConnectAuthority = (listener: AuthorityListener) => AuthorityLink;

/** The ledger service, as budgets need to know it. */
export interface LeasedFrom {
  readonly connect: ConnectAuthority;
  /** How long an orderly end waits for it to hear of what is given back. */
  readonly leaveWithinMs: number;
}

/**
 * What surrounds a holder: its leases are in the journal before they are used, its messages leave when all that they tell
 * is on the disk, and what it hears it is told.
 */
export class Tenancy {
  readonly holder: Holder;
  readonly #bookkeeper: Bookkeeper;
  readonly #clock: Clock;
  readonly #link: AuthorityLink;
  #limits: readonly LimitSpec[] = [];
  readonly #from: LeasedFrom;
  #hasLeft: () => void = () => undefined;

  /** `onNews`: the holder has heard something, so waiting calls may be decided; `isScarce`: others wait for what is here. */
  constructor(parts: {
    readonly holder: Holder;
    readonly bookkeeper: Bookkeeper;
    readonly clock: Clock;
    readonly from: LeasedFrom;
    readonly onNews: (isScarce: boolean) => void;
  }) {
    this.holder = parts.holder;
    this.#bookkeeper = parts.bookkeeper;
    this.#clock = parts.clock;
    this.#from = parts.from;
    this.#link = parts.from.connect({
      onMessage: (message) => {
        this.holder.receive(message, this.#clock.epochMs(), this.#clock.monotonicMs());
        parts.onNews(message.kind === 'answer' && message.slices.some(({ supply }) => supply !== 'ample'));
        if (this.holder.hasLeft) this.#hasLeft();
      },
      onConnected: () => {
        this.holder.connected(this.#clock.epochMs(), this.#clock.monotonicMs());
        parts.onNews(false);
      },
    });
  }

  /** By what limits the present lease is to be understood after a restart. */
  configured(limits: readonly LimitSpec[]): void {
    this.#limits = limits;
    const { lease } = this.holder;
    if (lease !== 0) this.#keepLimits(lease);
  }

  /** What the holder wants kept and said; to be called after each of its commands. */
  carryOut(): void {
    for (const { kind, lease } of this.holder.takeEntries()) {
      if (kind === 'lease_begun') this.#begin(lease);
      else this.#bookkeeper.append({ kind: 'lease_ended', lease }, 'lazy');
    }
    const messages = this.holder.takeMessages();
    if (messages.length === 0) return;
    this.#bookkeeper.onceDurable(() => {
      for (const message of messages) this.#link.send(message);
    });
  }

  /** Gives back what is not held. Where that cannot be said in time, or calls go on, the next start does it, or it is lost. */
  async leave(): Promise<void> {
    const left = new Promise<void>((resolve) => (this.#hasLeft = resolve));
    this.holder.leave(this.#clock.epochMs(), this.#clock.monotonicMs());
    const again = setInterval(() => this.#advance(), LEAVE_STEP_MS);
    this.#advance();
    const timeout = setTimeout(this.#hasLeft, this.#from.leaveWithinMs);
    if (!this.holder.hasLeft) await left;
    clearTimeout(timeout);
    clearInterval(again);
    this.carryOut();
    this.#link.close();
  }

  #advance(): void {
    this.holder.advance(this.#clock.epochMs(), this.#clock.monotonicMs());
    this.carryOut();
  }

  #begin(lease: LeaseNumber): void {
    this.#bookkeeper.append({ kind: 'lease_begun', lease }, 'lazy');
    this.#keepLimits(lease);
  }

  #keepLimits(lease: LeaseNumber): void {
    for (let from = 0; from < this.#limits.length; from += LIMITS_PER_ENTRY) {
      this.#bookkeeper.append({ kind: 'lease_limits', lease, limits: this.#limits.slice(from, from + LIMITS_PER_ENTRY) }, 'lazy');
    }
  }
}

/** How a lease names the window of a hold: the limit by its identity, and calendar windows by their start. */
export function refOf(limit: LimitSpec, windowStart: number): { readonly limit: string; readonly period: number; readonly isRolling: boolean } {
  const { kind } = limit.window;
  return { limit: limitIdentity(limit), period: kind === 'calendar' ? windowStart : 0, isRolling: kind === 'rolling' };
}
