import { Ledger } from '../ledger/index.ts';
import type {
  AccountRef,
  AccountView,
  Alert,
  AnswerStatistic,
  Granted,
  Hold,
  LimitError,
  LimitSpec,
  Purse,
  RateView,
  Refused,
  ReservationId,
  ReserveCommand,
  Settled,
  Settlement,
  SharedAccount,
  Waiting,
} from '../ledger/index.ts';
import { err } from '../units/index.ts';
import type { EpochMs, MonotonicMs, Result } from '../units/index.ts';
import { Contact } from './contact.ts';
import { limitIdentity } from './identity.ts';
import type { Answer, Joined, LeaseNumber, PeriodRef, ToAuthority, ToHolder } from './messages.ts';
import { Slice } from './slice.ts';
import { Tenure } from './tenure.ts';
import { RETRY_MS } from './timing.ts';

/** The authority must be asked, and is out of reach. */
export interface OutOfReach {
  readonly kind: 'out_of_reach';
  readonly id: ReservationId;
}

/** What a former process spent under a lease and may not have told: from its journal, in-flight calls settled. */
export interface UnfinishedLease {
  readonly lease: LeaseNumber;
  /** `windowStart` as in the holds; for rolling windows a bucket's. */
  readonly spent: readonly (PeriodRef & { readonly windowStart: EpochMs; readonly amount: bigint; readonly isRolling: boolean })[];
}

interface SliceRef {
  /** The limit's identity, and its period, as the lease knows them. */
  readonly limit: string;
  readonly period: EpochMs;
  readonly isRolling: boolean;
}

/** A hold of a former process that is not to be ended. */
export interface UnfinishedHold {
  readonly id: ReservationId;
  readonly lease: LeaseNumber;
  readonly holds: readonly (SliceRef & { readonly hold: Hold })[];
}

/** To be in the journal, in order, before any message that `takeMessages` gives afterwards leaves. */
export interface HolderEntry {
  readonly kind: 'lease_begun' | 'lease_ended';
  readonly lease: LeaseNumber;
}

export interface HolderParts {
  /** Never used before by this processor, such as a random text made at the start. */
  readonly instance: string;
  readonly unfinished: readonly UnfinishedLease[];
  readonly at: EpochMs;
  readonly now: MonotonicMs;
}

/**
 * One process's side: a ledger that spends what the authority has granted, asks for more before it is out, and gives back
 * what it does not need. Admits without asking as long as its slices last; a call that needs more waits in the ledger's
 * line for one round trip. Commands are the ledger's, with `takeMessages` and `takeEntries` to be called after each.
 */
export class Holder {
  readonly #ledger: Ledger;
  readonly #contact: Contact;
  readonly #tenures = new Map<LeaseNumber, Tenure>();
  #current: Tenure;
  #inForce = new Set<string>();
  /** By limit id. */
  #identities: ReadonlyMap<string, string> = new Map();
  #joins = 0;
  #joinAt: MonotonicMs = -Infinity;
  #isJoining = true;
  #entries: HolderEntry[] = [];
  /** The lease has changed in the middle of a command. */
  #purseChangeIsDue = false;

  constructor({ instance, unfinished, at, now }: HolderParts) {
    this.#contact = new Contact(instance, at, now);
    this.#current = new Tenure(this.#contact, 0);
    this.#ledger = new Ledger((account, period, until) => this.#purse(account, period, until));
    for (const { lease, spent } of unfinished) {
      const tenure = new Tenure(this.#contact, lease);
      for (const { windowStart, amount, isRolling, ...ref } of spent) {
        const slice = tenure.unknown(ref, isRolling);
        slice.recover(windowStart, amount);
        tenure.changed(slice);
      }
      tenure.close();
      this.#tenures.set(lease, tenure);
    }
  }

  configure(limits: readonly LimitSpec[], at: EpochMs, now: MonotonicMs): Result<void, readonly LimitError[]> {
    this.#tick(at, now);
    const done = this.#ledger.configure(limits, at, now);
    if (!done.ok) return done;
    this.#inForce = new Set(limits.map(limitIdentity));
    const identities = new Map(limits.map((limit) => [limit.id, limitIdentity(limit)]));
    const isRedefined = [...identities].some(([id, identity]) => (this.#identities.get(id) ?? identity) !== identity);
    this.#identities = identities;
    this.#current.wake();
    // Under one lease an id means one limit, so that a journal need not say more than the id.
    if (isRedefined) this.#renewal();
    return done;
  }

  /** Restoring (after `configure`): what a call of a former process holds under an unfinished lease, where that call goes on. */
  restoreHold({ id, lease, holds }: UnfinishedHold, at: EpochMs, now: MonotonicMs): Result<void, string> {
    this.#tick(at, now);
    const tenure = this.#tenures.get(lease);
    if (tenure === undefined) return err(`lease ${lease} is not an unfinished one`);
    const refs = new Map(holds.map(({ hold, ...ref }) => [hold, ref]));
    return this.#ledger.restoreHold({ id, holds: [...refs.keys()] }, at, (hold) => {
      const { isRolling, ...ref } = refs.get(hold) as SliceRef;
      return tenure.unknown({ ...ref, subject: hold.subject }, isRolling);
    });
  }

  /** As the ledger's. What would have to wait for an authority that is out of reach is not kept waiting. */
  reserve(command: ReserveCommand): Granted | Refused | Waiting | OutOfReach {
    const { id, at, now } = command;
    this.#tick(at, now);
    const outcome = this.#ledger.reserve(command);
    if (outcome.kind !== 'waiting') return outcome;
    this.#current.wake();
    if (!this.#current.isSilent) return outcome;
    this.#ledger.cancel(id, at, now);
    return { kind: 'out_of_reach', id };
  }

  settle(id: ReservationId, settlement: Settlement, at: EpochMs, now: MonotonicMs): Settled | undefined {
    this.#tick(at, now);
    return this.#ledger.settle(id, settlement, at, now);
  }

  /** As the ledger's. */
  grow(id: ReservationId, by: ReservationId): boolean {
    return this.#ledger.grow(id, by);
  }

  cancel(id: ReservationId, at: EpochMs, now: MonotonicMs): boolean {
    this.#tick(at, now);
    return this.#ledger.cancel(id, at, now);
  }

  setAside(id: ReservationId, account: AccountRef, amount: bigint, at: EpochMs, now: MonotonicMs): Hold | undefined {
    this.#tick(at, now);
    return this.#ledger.setAside(id, account, amount, at, now);
  }

  /** To be called at `nextDeadline`, once all that has come by then was heard: silence is judged here, and nowhere else. */
  advance(at: EpochMs, now: MonotonicMs): void {
    this.#tick(at, now);
    this.#contact.judge();
    if (this.#current.isSilent) this.#replenish([...this.#contended()]);
    this.#ledger.advance(at, now);
  }

  receive(message: ToHolder, at: EpochMs, now: MonotonicMs): void {
    this.#tick(at, now);
    if (message.kind === 'joined') this.#begin(message);
    else this.#hear(message);
  }

  /** No new holds are made any more, and what is not held goes back, so that nothing of it counts as lost. */
  leave(at: EpochMs, now: MonotonicMs): void {
    this.#tick(at, now);
    this.#end();
    this.#isJoining = false;
    this.#ledger.changePurses(at, now);
  }

  /** After `leave`: whether the authority has booked all that there was. */
  get hasLeft(): boolean {
    return !this.#isJoining && this.#current.number === 0 && this.#tenures.size === 0;
  }

  /** The connection is back, or leads to another authority: what was said may be lost. */
  connected(at: EpochMs, now: MonotonicMs): void {
    this.#tick(at, now);
    this.#joinAt = -Infinity;
    for (const tenure of this.#all()) tenure.reconnected();
  }

  /** What is to be said now, once the journal holds all that has happened. */
  takeMessages(): ToAuthority[] {
    const { now } = this.#contact;
    const messages: ToAuthority[] = [];
    if (this.#isJoining && now >= this.#joinAt + RETRY_MS) {
      this.#joinAt = now;
      this.#contact.spoke();
      messages.push({ kind: 'join', nonce: this.#nonce, sentAt: now });
    }
    for (const tenure of this.#all()) {
      if (tenure.dueAt() > now) continue;
      messages.push(tenure.report(tenure === this.#current ? [...this.#contended()] : [], (limit) => this.#inForce.has(limit)));
    }
    return messages;
  }

  takeEntries(): readonly HolderEntry[] {
    const entries = this.#entries;
    if (entries.length > 0) this.#entries = [];
    return entries;
  }

  takeDecided(): readonly (Granted | Refused)[] {
    return this.#ledger.takeDecided();
  }

  /** None: of shared limits the authority tells. */
  takeAlerts(): readonly Alert[] {
    return this.#ledger.takeAlerts();
  }

  /** When `advance` and `takeMessages` have something to do. */
  nextDeadline(): MonotonicMs {
    let next = Math.min(this.#ledger.nextDeadline() ?? Infinity, this.#isJoining ? this.#joinAt + RETRY_MS : Infinity);
    for (const tenure of this.#all()) next = Math.min(next, tenure.dueAt());
    return Math.min(next, this.#contact.silentAt);
  }

  /** What is here of each account. */
  views(at: EpochMs): AccountView[] {
    return this.#ledger.views(at);
  }

  view(account: AccountRef, at: EpochMs): AccountView | undefined {
    return this.#ledger.view(account, at);
  }

  rateView(account: AccountRef, at: EpochMs): RateView | undefined {
    return this.#ledger.rateView(account, at);
  }

  restoreAnswers(statistic: AnswerStatistic): void {
    this.#ledger.restoreAnswers(statistic);
  }

  /** The present one; 0 while there is none. */
  get lease(): LeaseNumber {
    return this.#current.number;
  }

  /** Whether a message and its repetition were not answered: what is not known here then is not known. */
  get isUnanswered(): boolean {
    return this.#contact.isUnanswered;
  }

  /** Whether the authority does not answer. */
  get isSilent(): boolean {
    return this.#current.isSilent;
  }

  /** Of all leases that are not done, for looking into. */
  *slices(): Generator<Slice> {
    for (const tenure of this.#all()) yield* tenure.slices;
  }

  #tick(at: EpochMs, now: MonotonicMs): void {
    this.#contact.tick(at, now, () => this.nextDeadline());
    if (!this.#purseChangeIsDue) return;
    this.#purseChangeIsDue = false;
    this.#ledger.changePurses(at, now);
  }

  get #nonce(): string {
    return `${this.#contact.instance}/${this.#joins}`;
  }

  *#all(): Generator<Tenure> {
    yield this.#current;
    yield* this.#tenures.values();
  }

  *#contended(): Generator<Slice> {
    for (const purse of this.#ledger.contended()) if (purse instanceof Slice) yield purse;
  }

  #purse(account: SharedAccount, period: EpochMs, until: EpochMs): Purse {
    const slice = this.#current.slice(account, period, until);
    if (slice !== undefined) return slice;
    // The clock went back by hours: what was forgotten can only be opened under another lease.
    this.#end();
    this.#purseChangeIsDue = true;
    return this.#current.slice(account, period, until) as Slice;
  }

  /** Another lease: what is held goes on under the old one, new holds come with the new one. */
  #end(): void {
    if (this.#current.number !== 0) {
      this.#current.close();
      this.#tenures.set(this.#current.number, this.#current);
    }
    this.#current = new Tenure(this.#contact, 0);
    this.#joins += 1;
    this.#isJoining = true;
    this.#joinAt = -Infinity;
  }

  #begin({ nonce, lease, echo }: Joined): void {
    if (!this.#isJoining || nonce !== this.#nonce) return;
    this.#contact.answered(echo);
    // Of this lease there are none yet. Those of others say nothing about it: their authority may have had another store, and counted otherwise.
    this.#contact.heard = 0;
    this.#isJoining = false;
    this.#current.number = lease;
    this.#current.confirm(echo);
    this.#current.wake();
    this.#entries.push({ kind: 'lease_begun', lease });
    this.#replenish([...this.#contended()]);
  }

  #hear(answer: Answer): void {
    // A former process under this lease had another clock.
    const echo = answer.echo?.instance === this.#contact.instance ? answer.echo.sentAt : undefined;
    if (echo !== undefined) this.#contact.answered(echo);
    this.#contact.heard = Math.max(this.#contact.heard, answer.number);
    const tenure = answer.lease === this.#current.number ? this.#current : this.#tenures.get(answer.lease);
    if (tenure === undefined || answer.lease === 0) return;
    const news = tenure.hear(answer, echo);
    if (answer.state === 'gone') this.#finish(tenure);
    else if (answer.state === 'ended' && tenure === this.#current) this.#renewal();
    else if (tenure === this.#current) this.#replenish(news);
  }

  /** The authority has ended the lease: another one is asked for, and the ledger's accounts get purses under it. */
  #renewal(): void {
    this.#end();
    this.#ledger.changePurses(this.#contact.at, this.#contact.now);
  }

  #finish(tenure: Tenure): void {
    if (tenure === this.#current) this.#renewal();
    this.#tenures.delete(tenure.number);
    this.#entries.push({ kind: 'lease_ended', lease: tenure.number });
  }

  #replenish(slices: readonly Slice[]): void {
    const accounts = slices.flatMap(({ account }) => (account === undefined ? [] : [{ limit: account.spec.id, subject: account.subject }]));
    if (accounts.length > 0) this.#ledger.replenished(accounts, this.#contact.at, this.#contact.now);
    for (const slice of slices) slice.endTurn();
  }
}
