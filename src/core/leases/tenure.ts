import type { SharedAccount } from '../ledger/index.ts';
import type { EpochMs, MonotonicMs } from '../units/index.ts';
import type { Contact } from './contact.ts';
import { MAX_SLICES } from './faults.ts';
import { keyOf } from './identity.ts';
import type { Answer, LeaseNumber, PeriodRef, Report, SliceAnswer } from './messages.ts';
import { Slice, sliceRef } from './slice.ts';
import type { Tenancy } from './slice.ts';
import { LIFETIME_MS, RENEW_MS, RETRY_MS } from './timing.ts';

/** Between two reports at least: what happens meanwhile goes with the next. */
const GAP_MS: MonotonicMs = 5;

/** The time under one lease, at the holder: its slices, what is to be said of them, and until when it holds. */
export class Tenure implements Tenancy {
  /** 0 until there is a lease. */
  number: LeaseNumber;
  stage: 'open' | 'closing' = 'open';
  readonly #contact: Contact;
  readonly #slices = new Map<string, Slice>();
  /** With counters that are not booked. */
  readonly #dirty = new Set<Slice>();
  #validUntil: MonotonicMs = -Infinity;
  #awaiting: MonotonicMs | undefined;
  #sentAt: MonotonicMs = -Infinity;
  #wakes = false;
  /** Someone waits for an answer, or for what another gives back. */
  #isHungry = false;
  #wasAnswered = false;
  #reviewedAt: MonotonicMs;
  /** Windows that were over by then, and settled, are not opened again: their counters are forgotten. */
  #forgottenUntil: EpochMs = -Infinity;
  /** Answers up to this one may be older than what is forgotten. */
  #forgottenNumber = 0;

  constructor(contact: Contact, number: LeaseNumber) {
    this.#contact = contact;
    this.number = number;
    this.#reviewedAt = contact.now;
  }

  get now(): MonotonicMs {
    return this.#contact.now;
  }

  get isOpen(): boolean {
    return this.stage === 'open' && this.now < this.#validUntil;
  }

  get isSilent(): boolean {
    return this.#contact.isSilent;
  }

  get slices(): Iterable<Slice> {
    return this.#slices.values();
  }

  wake(): void {
    this.#wakes = true;
  }

  changed(slice: Slice): void {
    this.#dirty.add(slice);
  }

  /** The slice of an account's window, made if need be. `undefined`: under this lease that window is closed for good. */
  slice(account: SharedAccount, period: EpochMs, until: EpochMs): Slice | undefined {
    const ref = sliceRef(account, period);
    const known = this.#slices.get(keyOf(ref));
    if (known === undefined && until <= this.#forgottenUntil) return undefined;
    const slice = known ?? this.#add(ref, until, account, account.spec.window.kind === 'rolling');
    slice.account = account;
    return slice;
  }

  /** For settling only. */
  unknown(ref: PeriodRef, isRolling: boolean): Slice {
    return this.#slices.get(keyOf(ref)) ?? this.#add(ref, -Infinity, undefined, isRolling);
  }

  /** It was heard of in answer to what was sent then: new holds may be made for as long. */
  confirm(sentAt: MonotonicMs): void {
    this.#validUntil = Math.max(this.#validUntil, sentAt + LIFETIME_MS);
  }

  /** What was said may be lost: it is said again. */
  reconnected(): void {
    this.#awaiting = undefined;
    this.wake();
  }

  close(): void {
    this.stage = 'closing';
    this.wake();
  }

  /** Takes over an answer to what was sent at `echo`, or to nothing. Returns the slices with news for those who wait. */
  hear({ state, slices, number }: Answer, echo: MonotonicMs | undefined): Slice[] {
    if (echo !== undefined) {
      this.#wasAnswered = true;
      if (state === 'live') this.confirm(echo);
      if (this.#awaiting !== undefined && echo >= this.#awaiting) this.#awaiting = undefined;
    }
    return slices.flatMap((answer) => this.#hearOf(answer, number, echo));
  }

  /** When the next report is to be made. */
  dueAt(): MonotonicMs {
    if (this.number === 0) return Infinity;
    if (this.#awaiting !== undefined) return this.#sentAt + RETRY_MS;
    if (this.#wakes) return this.#sentAt + GAP_MS;
    return this.#sentAt + (this.#isHungry || this.#isDone || (this.stage === 'closing' && this.#dirty.size > 0) ? RETRY_MS : RENEW_MS);
  }

  /** Says where it stands. `contended`: slices that someone waits for; `isInForce`: whether a limit's identity is one of the present limits'. */
  report(contended: readonly Slice[], isInForce: (limit: string) => boolean): Report {
    const { instance, now, at, heard } = this.#contact;
    const concerned = new Set([...contended, ...this.#dirty]);
    if (now - this.#reviewedAt >= RENEW_MS || this.stage === 'closing') {
      this.#reviewedAt = now;
      for (const slice of this.#slices.values()) concerned.add(slice);
    }
    const slices = [];
    for (const slice of concerned) {
      const isClosing = this.stage === 'closing' || slice.until <= at || slice.account === undefined || !isInForce(slice.limit);
      slice.measure(at);
      slice.giveBack(isClosing);
      if (isClosing && slice.isSettled) this.#drop(slice);
      else if (slices.length < MAX_SLICES) slices.push(slice.report(isClosing));
      else this.changed(slice);
    }
    this.#isHungry = slices.some(({ need }) => need > 0n);
    this.#awaiting = this.#sentAt = now;
    this.#wakes = concerned.size > slices.length && slices.length === MAX_SLICES;
    this.#contact.spoke();
    return { kind: 'report', lease: this.number, instance, sentAt: now, at, heard, stage: this.#isDone ? 'done' : this.stage, slices };
  }

  #hearOf(answer: SliceAnswer, number: number, echo: MonotonicMs | undefined): Slice[] {
    const slice = this.#slices.get(keyOf(answer));
    if (slice === undefined) {
      if (number > this.#forgottenNumber && answer.granted > answer.returned + answer.spent) this.#takeBack(answer, number);
      return [];
    }
    const isNews = slice.hear(answer, number);
    if (slice.isBooked) this.#dirty.delete(slice);
    if (slice.isWanted) {
      this.changed(slice);
      this.wake();
    }
    if (slice.until <= this.#contact.at && slice.isUnknown(answer, echo)) this.#drop(slice);
    if (this.stage === 'closing' && (slice.atHand > 0n || slice.isSettled)) this.wake();
    return isNews ? [slice] : [];
  }

  /** Granted for a window that is settled here, or before a restart. */
  #takeBack(answer: SliceAnswer, number: number): void {
    const slice = this.#add(answer, -Infinity, undefined, false);
    slice.adopt(answer);
    slice.hear(answer, number);
    this.changed(slice);
    this.wake();
  }

  get #isDone(): boolean {
    return this.stage === 'closing' && this.#wasAnswered && this.#slices.size === 0;
  }

  #add(ref: PeriodRef, until: EpochMs, account: SharedAccount | undefined, isRolling: boolean): Slice {
    const slice = new Slice(this, { limit: ref.limit, subject: ref.subject, period: ref.period }, until, account, isRolling);
    this.#slices.set(keyOf(ref), slice);
    return slice;
  }

  #drop(slice: Slice): void {
    this.#slices.delete(keyOf(slice));
    this.#dirty.delete(slice);
    this.#forgottenNumber = Math.max(this.#forgottenNumber, this.#contact.heard);
    if (Number.isFinite(slice.until)) this.#forgottenUntil = Math.max(this.#forgottenUntil, slice.until);
  }
}
