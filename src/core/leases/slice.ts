import type { Outlook, Purse, SharedAccount } from '../ledger/index.ts';
import type { EpochMs, MonotonicMs } from '../units/index.ts';
import { limitIdentity } from './identity.ts';
import type { PeriodRef, SliceAnswer, SliceReport } from './messages.ts';
import { HORIZON_MS, IDLE_MS, KNOWLEDGE_MS, RESERVE_MS } from './timing.ts';

/** Rates are averaged over about this long. */
const RATE_MS: MonotonicMs = 10_000;
/** A rate is not measured over less. */
const RATE_MIN_MS: MonotonicMs = 1_000;
/** More than so many times what is wanted at hand is given back. */
const EXCESS = 4n;
/** What is wanted at hand before the rate is known, and however low it is: so many holds like the latest. */
const FEW_HOLDS = 4n;
/** A quiet service keeps so many holds like the latest, so that its next calls need no authority that is there at that moment. */
const RESERVE_HOLDS = 2n;
/** If they are no more than this part of its equal part of what is free: so all reserves together are no more than that part of it. */
const RESERVE_DIVISOR = 16n;

/** What a slice must know of the lease that it is under, and of the time. */
export interface Tenancy {
  readonly number: number;
  /** New holds may be made. */
  readonly isOpen: boolean;
  readonly now: MonotonicMs;
  /** Nothing was heard for so long that waiting for it makes no sense. */
  readonly isSilent: boolean;
  /** Something should be said soon. */
  wake(): void;
  /** The counters have changed. */
  changed(slice: Slice): void;
}

const NO_SHORTAGE = { need: 0n, least: 0n, more: 0n };

interface Bucket {
  amount: bigint;
  booked: bigint;
}

/** One lease's part in one account's window, at the holder: the purse that the ledger spends from. */
export class Slice implements Purse, Outlook, PeriodRef {
  readonly limit: string;
  readonly subject: string;
  readonly period: EpochMs;
  readonly until: EpochMs;
  /** `undefined` where it is only to be settled: after a restart, or when its window is over. */
  account: SharedAccount | undefined;
  readonly #isRolling: boolean;
  readonly #tenancy: Tenancy;

  granted = 0n;
  returned = 0n;
  spent = 0n;
  held = 0n;
  /** Held since the lease was over, on the allowance. */
  #overdrawn = 0n;
  readonly #buckets = new Map<EpochMs, Bucket>();
  /** As the authority has it. */
  #booked = { returned: 0n, spent: 0n };

  /** When it was last said as it is. */
  #saidAt: MonotonicMs = Infinity;

  /** The newest answer about it; `undefined` before the first. */
  #heard: SliceAnswer | undefined;
  #heardNumber = 0;
  #heardAt: MonotonicMs = -Infinity;

  /** Where others wait too, so much is for those who wait here; what comes free goes back first, and is asked for again. */
  #turn: bigint | undefined;

  /** Below this it is time to ask for more. */
  #lowWater = 0n;
  #rate = 0;
  #latestHold = 0n;
  #measured: { readonly at: MonotonicMs; readonly taken: bigint };
  #takenAt: MonotonicMs;

  constructor(tenancy: Tenancy, { limit, subject, period }: PeriodRef, until: EpochMs, account: SharedAccount | undefined, isRolling: boolean) {
    this.#tenancy = tenancy;
    this.limit = limit;
    this.subject = subject;
    this.period = period;
    this.until = until;
    this.account = account;
    this.#isRolling = isRolling;
    this.#takenAt = tenancy.now;
    this.#measured = { at: tenancy.now, taken: 0n };
  }

  get lease(): number {
    return this.#tenancy.number;
  }

  get free(): bigint {
    if (this.#mode === 'Observe') return this.unspent - this.held;
    if (this.#tenancy.isOpen) return this.#inTurn;
    return this.#mode === 'Bounded' ? (this.#heard?.allowance ?? 0n) - this.#overdrawn : 0n;
  }

  /** Granted, and neither spent, held nor given back. */
  get atHand(): bigint {
    return this.granted - this.returned - this.spent - this.held;
  }

  get outlook(): Outlook {
    return this;
  }

  get limitAmount(): bigint {
    return this.#known?.limitAmount ?? this.account?.spec.limit ?? 0n;
  }

  get unspent(): bigint {
    const known = this.#known;
    if (known === undefined) return this.account?.spec.limit ?? 0n;
    return known.unspent - (this.spent - known.spent);
  }

  get offer(): bigint {
    return this.#tenancy.isOpen ? (this.#known?.offer ?? 0n) : 0n;
  }

  /** Unknown is not zero: something may be there. */
  get elsewhere(): bigint {
    return this.#known?.elsewhere ?? 1n;
  }

  get isFinal(): boolean {
    if (this.#tenancy.isSilent) return true;
    return this.#heard?.isFinal === true && this.#tenancy.now - this.#heardAt <= KNOWLEDGE_MS;
  }

  get isScarce(): boolean {
    return this.#heard !== undefined && this.#heard.supply !== 'ample';
  }

  /** Whether the authority has booked all that there is to book. */
  get isBooked(): boolean {
    return this.#booked.spent === this.spent && this.#booked.returned === this.returned;
  }

  /** Whether nothing of it is anywhere any more. */
  get isSettled(): boolean {
    return this.held === 0n && this.granted === this.returned + this.spent && this.isBooked;
  }

  hold(amount: bigint): void {
    this.held += amount;
    this.#latestHold = amount;
    this.#takenAt = this.#tenancy.now;
    if (this.#turn !== undefined) this.#turn = this.#turn > amount ? this.#turn - amount : 0n;
    if (!this.#tenancy.isOpen) this.#overdrawn += amount;
    else if (this.atHand < this.#lowWater) {
      this.#lowWater = 0n;
      this.#tenancy.wake();
    }
  }

  settle(windowStart: EpochMs, held: bigint, posting: bigint): void {
    this.held -= held;
    this.spent += posting;
    this.#saidAt = Infinity;
    if (this.#isRolling && posting > 0n) this.#bucket(windowStart).amount += posting;
    this.#tenancy.changed(this);
    if (this.isScarce || !this.#tenancy.isOpen) this.#tenancy.wake();
  }

  /** Takes over what the authority says. True where there is news for those who wait. */
  hear(answer: SliceAnswer, number: number): boolean {
    const rise = answer.granted > this.granted ? answer.granted - this.granted : 0n;
    this.granted += rise;
    if (this.#turn !== undefined) this.#turn += rise;
    // Only before a restart can more have been spent than is known here.
    if (this.account === undefined && answer.spent > this.spent) this.spent = answer.spent;
    if (answer.spent > this.#booked.spent) this.#booked.spent = answer.spent;
    if (answer.returned > this.#booked.returned) this.#booked.returned = answer.returned;
    if (this.isBooked) for (const bucket of this.#buckets.values()) bucket.booked = bucket.amount;
    if (number <= this.#heardNumber) return false;
    // Others wait for what is here, or would not if they knew that it is spent.
    if (answer.supply !== 'ample' && answer.supply !== this.#heard?.supply && (this.atHand > 0n || !this.isBooked)) this.#tenancy.wake();
    this.#heardNumber = number;
    this.#heard = answer;
    this.#heardAt = this.#tenancy.now;
    this.#turn = answer.supply === 'yield' ? rise : undefined;
    const wanted = this.#wanted;
    this.#lowWater = (wanted < this.atHand ? wanted : this.atHand) / 2n;
    return true;
  }

  /** Whether something is here that the authority wants back. */
  get isWanted(): boolean {
    return this.isScarce && this.atHand > this.#toKeep;
  }

  /** Whether it is kept for a service that is quiet. */
  get isReserve(): boolean {
    return this.#isIdle && this.held === 0n && this.atHand > 0n && this.#heard?.supply === 'ample';
  }

  /** Those for whom something was granted have had it. */
  endTurn(): void {
    if (this.#turn !== undefined) this.#turn = 0n;
  }

  /** Whether the authority, having heard all of it, says that it keeps no books of that window: there is nothing that it gave. */
  isUnknown({ fault, granted }: SliceAnswer, echo: MonotonicMs | undefined): boolean {
    return fault !== undefined && granted === 0n && this.granted === 0n && this.held === 0n && echo !== undefined && echo >= this.#saidAt;
  }

  /** It is known of the books only: what was spent under a lease before a restart. */
  recover(windowStart: EpochMs, spent: bigint): void {
    this.spent += spent;
    if (this.#isRolling) this.#bucket(windowStart).amount += spent;
  }

  /** It is known to the authority only: what is left is given back. */
  adopt({ granted, returned, spent }: SliceAnswer): void {
    Object.assign(this, { granted, returned, spent });
  }

  /** Gives back what is not to be kept. `isClosing`: no new holds are made from it. While nobody hears it, what is here is kept. */
  giveBack(isClosing: boolean): void {
    if (this.#tenancy.isSilent && !isClosing) return;
    const surplus = this.atHand - (isClosing ? 0n : this.#toKeep);
    if (surplus <= 0n) return;
    this.returned += surplus;
    this.#tenancy.changed(this);
  }

  report(isClosing: boolean): SliceReport {
    const { limit, subject, period, returned, spent } = this;
    this.#saidAt = this.#tenancy.now;
    const buckets = [...this.#buckets].filter(([, { amount, booked }]) => amount > booked).map(([start, { amount }]) => ({ start, amount }));
    const counters = { limit, subject, period, returned, spent, ...(buckets.length === 0 ? {} : { buckets }) };
    if (isClosing || this.#mode === 'Observe') return { ...counters, ...NO_SHORTAGE, spare: 0n };
    const shortage = this.account?.shortage();
    // What is at hand goes to those who wait, where they lack anything.
    const spare = this.isScarce || this.#isIdle ? 0n : this.#wanted - (shortage === undefined ? this.atHand : 0n);
    return { ...counters, ...(shortage ?? NO_SHORTAGE), spare: spare > 0n ? spare : 0n };
  }

  /** Learns how fast it is spent, and lets go buckets that are long over. To be called now and then. */
  measure(at: EpochMs): void {
    const { now } = this.#tenancy;
    const elapsed = now - this.#measured.at;
    if (elapsed < RATE_MIN_MS) return;
    const taken = this.spent + this.held;
    const rate = Math.max(0, Number(taken - this.#measured.taken)) / elapsed;
    this.#rate += (rate - this.#rate) * (1 - Math.exp(-elapsed / RATE_MS));
    this.#measured = { at: now, taken };
    const window = this.account?.spec.window;
    if (window?.kind !== 'rolling') return;
    for (const [start, { amount, booked }] of this.#buckets) if (start + 2 * window.durationMs < at && amount === booked) this.#buckets.delete(start);
  }

  get #inTurn(): bigint {
    const { atHand } = this;
    return this.#turn === undefined || this.#turn > atHand || this.#tenancy.isSilent ? atHand : this.#turn;
  }

  /** What it should have at hand: what is spent in a while at the present rate, and something for holds to come and go. */
  get #wanted(): bigint {
    const wanted = BigInt(Math.ceil(this.#rate * HORIZON_MS)) + this.held / 2n;
    const least = this.#latestHold * FEW_HOLDS;
    return wanted > least ? wanted : least;
  }

  get #isIdle(): boolean {
    return this.#tenancy.now - this.#takenAt >= IDLE_MS;
  }

  get #toKeep(): bigint {
    const earmarked = this.account?.earmarked ?? 0n;
    switch (this.#heard?.supply) {
      case 'yield':
        return 0n;
      case 'scarce':
        return earmarked;
    }
    const wanted = this.#isIdle ? this.#reserve : this.#wanted * EXCESS;
    return wanted > earmarked ? wanted : earmarked;
  }

  get #reserve(): bigint {
    if (this.#tenancy.now - this.#takenAt >= RESERVE_MS) return 0n;
    const few = this.#latestHold * RESERVE_HOLDS;
    return few * RESERVE_DIVISOR <= this.offer ? few : 0n;
  }

  get #mode(): 'Strict' | 'Bounded' | 'Observe' {
    return this.account?.spec.mode ?? 'Strict';
  }

  /** The newest answer, unless it says that nothing is known there. */
  get #known(): SliceAnswer | undefined {
    return this.#heard?.fault === undefined ? this.#heard : undefined;
  }

  #bucket(start: EpochMs): Bucket {
    const bucket = this.#buckets.get(start) ?? { amount: 0n, booked: 0n };
    this.#buckets.set(start, bucket);
    return bucket;
  }
}

export function sliceRef({ spec, subject }: SharedAccount, period: EpochMs): PeriodRef {
  return { limit: limitIdentity(spec), subject, period };
}
