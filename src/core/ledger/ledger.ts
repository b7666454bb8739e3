import { err, ok } from '../units/index.ts';
import type { EpochMs, MonotonicMs, Result } from '../units/index.ts';
import type { Account, Counter } from './account.ts';
import { isShort, retryAfterHolds, weigh } from './admission.ts';
import { AnswerStatistics } from './answers.ts';
import { Candidate, governs } from './candidate.ts';
import { Demand, assertQuote, holdsUpperBound } from './demand.ts';
import { assertSettlement, overdrawnBy, settleParts } from './held.ts';
import type { Held, HeldPart } from './held.ts';
import { LimitBook } from './limitbook.ts';
import type { Purse, PurseSource } from './purse.ts';
import { checkLimits } from './limits.ts';
import type {
  AccountRef,
  AccountView,
  Alert,
  AnswerStatistic,
  Checkpoint,
  Granted,
  HeldReservation,
  Hold,
  LimitError,
  LimitSpec,
  PostedWindow,
  RateView,
  Refused,
  ReservationId,
  ReserveCommand,
  Settled,
  Settlement,
  Waiting,
} from './types.ts';
import { WaitingRoom } from './waitingroom.ts';

const NOTHING_HELD: readonly Held[] = [];

/** How many who must go on waiting are passed over to find, behind them, one who can be served without harm to them. */
const LOOKAHEAD = 32;

/**
 * Budgets and rate limits of one process. Deterministic: the same commands with the same times give the same outcomes.
 * Every command takes `at` (wall clock: windows) and `now` (monotonic: waits). After any command that can free money,
 * `takeDecided` gives the waiting reservations that it decided.
 */
export class Ledger {
  readonly #book: LimitBook;
  readonly #held = new Map<ReservationId, Held>();
  readonly #room = new WaitingRoom();
  readonly #answers = new AnswerStatistics();
  #decided: (Granted | Refused)[] = [];
  #alerts: Alert[] = [];
  #at: EpochMs = 0;
  #now: MonotonicMs = 0;

  /** `purses`: where the limits are shared with other processes, what of each account may be spent here. */
  constructor(purses?: PurseSource) {
    this.#book = new LimitBook(purses);
  }

  /**
   * Replaces all limits. Postings and holds stay with a limit whose id, unit and window stay, and come back with one that
   * was taken away for a while; holds under another window are settled there. Free may turn negative. On an error nothing changes.
   */
  configure(limits: readonly LimitSpec[], at: EpochMs, now: MonotonicMs): Result<void, readonly LimitError[]> {
    const checked = checkLimits(limits);
    if (!checked.ok) return checked;
    this.#tick(at, now);
    const waiting = this.#room.inOrder();
    for (const candidate of waiting) this.#room.stepOut(candidate);
    this.#book.replace(limits, at);
    for (const candidate of waiting) {
      const remaining = candidate.command.accounts.filter(({ limit }) => this.#book.has(limit));
      candidate.place(remaining.map((account) => this.#book.account(account, at)));
      this.#room.lineUp(candidate);
    }
    for (const candidate of waiting) this.#decide(candidate, false);
    this.#serve();
    return ok(undefined);
  }

  /**
   * Holds in all accounts or in none. Throws, as a bug of the caller, on an id that is held or waits already, a limit
   * that is not in force or is named twice, and negative amounts; nothing has changed then.
   */
  reserve(command: ReserveCommand): Granted | Refused | Waiting {
    const { id, accounts, at, now, quote, profile } = command;
    if (this.#held.has(id) || this.#room.has(id)) throw new RangeError(`reservation ${JSON.stringify(id)} exists already`);
    if (new Set(accounts.map(({ limit }) => limit)).size < accounts.length) throw new RangeError('a reservation names a limit twice');
    assertQuote(quote);
    const candidate = new Candidate(command, new Demand(quote, this.#answers.typicalTokens(profile)), this.#wholeOf(command.grows));
    candidate.place(accounts.map((account) => this.#book.account(account, at)));
    this.#tick(at, now);
    this.#serve();
    for (const { account } of candidate.places) account.prepare(at);
    const verdict = weigh(candidate, at, this.#answers, false);
    if (verdict.kind === 'fits') return this.#grant(candidate, verdict.cap);
    if (verdict.kind === 'refused') return verdict.refused;
    if (this.#room.isFull) return this.#tooMany(id, verdict.on);
    this.#room.enter(candidate, now);
    return { kind: 'waiting', id };
  }

  /**
   * Holds an amount in one account for no call in particular; `settle` ends it like any reservation. `undefined`, and
   * nothing has changed, where that much is not free or somebody waits for it. Throws on an id that is held or waits.
   */
  setAside(id: ReservationId, ref: AccountRef, amount: bigint, at: EpochMs, now: MonotonicMs): Hold | undefined {
    if (this.#held.has(id) || this.#room.has(id)) throw new RangeError(`reservation ${JSON.stringify(id)} exists already`);
    if (amount < 0n) throw new RangeError('a negative amount cannot be set aside');
    this.#tick(at, now);
    const account = this.#book.account(ref, at);
    account.prepare(at);
    if (account.line.length > 0 || account.free < amount) return undefined;
    const counter = account.hold(at, amount);
    this.#room.watch(account);
    const hold = holdIn(account, counter, amount);
    this.#held.set(id, { parts: [{ account, counter, hold, isBound: holdsUpperBound(account.spec) }], answer: undefined });
    return hold;
  }

  /** Ends a held reservation. `undefined`: unknown, still waiting or settled before; nothing changed. Throws on negative amounts. */
  settle(id: ReservationId, settlement: Settlement, at: EpochMs, now: MonotonicMs): Settled | undefined {
    const held = this.#held.get(id);
    if (!held) return undefined;
    assertSettlement(settlement);
    this.#tick(at, now);
    this.#held.delete(id);
    const settled = settleParts(id, held, settlement);
    if (settlement.kind === 'actual' && held.answer) this.#answers.observe(held.answer, settlement.actual.outputTokens);
    const [, ...grown] = this.#partsOf(held);
    this.#release(held);
    const overdrawn = overdrawnBy(held, grown, settled);
    for (const { account } of held.parts) this.#noteReached(account);
    this.#serve();
    return overdrawn.length === 0 ? settled : { ...settled, overdrawn };
  }

  /**
   * A call needs more than it holds: what the reservation `by` holds is for it from now on, and is released when it is
   * settled; all that it used is posted where it held first. False, and nothing has changed, where one of them is not held.
   */
  grow(id: ReservationId, by: ReservationId): boolean {
    const held = this.#held.get(id);
    if (!held || !this.#held.has(by) || id === by) return false;
    held.grownBy = [...(held.grownBy ?? []), by];
    return true;
  }

  /** A waiting reservation leaves the queue (true). A held one is not touched (false): settle it as `void`. */
  cancel(id: ReservationId, at: EpochMs, now: MonotonicMs): boolean {
    const candidate = this.#room.get(id);
    if (!candidate) return false;
    this.#tick(at, now);
    this.#room.leave(candidate);
    this.#serve();
    return true;
  }

  /** Decides those whose time is over, and rolls windows that someone waits for. Call it at `nextDeadline`. */
  advance(at: EpochMs, now: MonotonicMs): void {
    this.#tick(at, now);
    this.#serve();
    for (let due = this.#room.takeDue(now); due; due = this.#room.takeDue(now)) {
      this.#decide(due, true);
      this.#serve();
    }
  }

  /** Waiting reservations that the commands since the last call have decided, in the order of their decision. */
  takeDecided(): readonly (Granted | Refused)[] {
    const decided = this.#decided;
    if (decided.length > 0) this.#decided = [];
    return decided;
  }

  /** Thresholds that were reached since the last call. Of shared limits the authority tells. */
  takeAlerts(): readonly Alert[] {
    const alerts = this.#alerts;
    if (alerts.length > 0) this.#alerts = [];
    return alerts;
  }

  /** For shared limits: the purses of these accounts have changed, or what is known of the rest. */
  replenished(accounts: readonly AccountRef[], at: EpochMs, now: MonotonicMs): void {
    this.#tick(at, now);
    for (const account of accounts) if (this.#book.has(account.limit)) this.#room.stir(this.#book.account(account, at));
    this.#serve();
  }

  /** For shared limits: new holds come from other purses; what is held and posted stays where it is. */
  changePurses(at: EpochMs, now: MonotonicMs): void {
    this.#tick(at, now);
    for (const account of this.#book.allAccounts()) {
      account.changePurse();
      this.#room.stir(account);
    }
    this.#serve();
  }

  /** For shared limits: the purses of accounts that someone waits for. */
  *contended(): Generator<Purse> {
    for (const { purse } of this.#room.contended()) if (purse !== undefined) yield purse;
  }

  /** When `advance` has something to do, as far as is known after the latest command; `undefined` while nobody waits. */
  nextDeadline(): MonotonicMs | undefined {
    return this.#room.nextDeadline(this.#at, this.#now);
  }

  /** Every account of the present limits that has been used. */
  views(at: EpochMs): AccountView[] {
    return [...this.#book.accounts()].map((account) => viewOf(account, at));
  }

  /** One account, used or not; `undefined` where there is no such limit. */
  view(account: AccountRef, at: EpochMs): AccountView | undefined {
    const found = this.#book.peek(account);
    return found && viewOf(found, at);
  }

  /** What `x-ratelimit-*` headers say; `undefined` where there is no such limit. */
  rateView(account: AccountRef, at: EpochMs): RateView | undefined {
    const found = this.#book.peek(account);
    if (!found) return undefined;
    found.roll(at);
    // A share that nobody asked for yet may be all of it.
    if (found.isShared && found.outlook === undefined) return { limitAmount: found.spec.limit, remaining: found.spec.limit, resetAtMs: undefined };
    const remaining = found.free + (found.outlook?.offer ?? 0n) - found.line.earmarked;
    return { limitAmount: found.outlook?.limitAmount ?? found.spec.limit, remaining: remaining < 0n ? 0n : remaining, resetAtMs: found.wholeAt };
  }

  /** Restoring (after `configure`): adds to what is posted in that window. An error says what does not fit; nothing changed then. */
  restorePosted({ limit, subject, windowStart, amount }: PostedWindow, at: EpochMs): Result<void, string> {
    if (!this.#book.has(limit)) return err(`no limit ${JSON.stringify(limit)} is in force`);
    const fault = amountError(windowStart, amount);
    if (fault !== undefined) return err(fault);
    const account = this.#book.account({ limit, subject }, at);
    account.post(account.counterOf(windowStart, at), amount);
    return ok(undefined);
  }

  /**
   * Restoring (after `configure`): holds whose limit is gone are left out, the rest is held. A known id is an error.
   * `purseOf`: for shared limits, where the money of each hold is from.
   */
  restoreHold({ id, holds, answer }: HeldReservation, at: EpochMs, purseOf?: (hold: Hold) => Purse): Result<void, string> {
    if (this.#held.has(id) || this.#room.has(id)) return err(`reservation ${JSON.stringify(id)} exists already`);
    for (const { windowStart, amount } of holds) {
      const fault = amountError(windowStart, amount);
      if (fault !== undefined) return err(fault);
    }
    const parts = holds
      .filter(({ limit }) => this.#book.has(limit))
      .map((hold): HeldPart => {
        const account = this.#book.account(hold, at);
        const counter = purseOf === undefined ? account.counterOf(hold.windowStart, at) : account.counterUnder(purseOf(hold), hold.windowStart);
        account.holdIn(counter, hold.amount);
        return { account, counter, hold, isBound: holdsUpperBound(account.spec) };
      });
    this.#held.set(id, { parts, answer });
    return ok(undefined);
  }

  restoreAnswers(statistic: AnswerStatistic): void {
    this.#answers.restore(statistic);
  }

  /** What a restart must bring back, through the restoring commands. Grows with accounts in use and calls in flight, not with calls made. */
  checkpoint(): Checkpoint {
    const posted: PostedWindow[] = [];
    for (const { limit, subject, counters } of this.#book.allAccounts()) {
      for (const { span, posted: amount } of counters) if (amount > 0n) posted.push({ limit, subject, windowStart: span.start, amount });
    }
    const held = [...this.#held].map(([id, { parts, answer }]): HeldReservation => {
      const holds = parts.map(({ hold }) => hold);
      return answer ? { id, holds, answer } : { id, holds };
    });
    return { posted, held, answers: this.#answers.export() };
  }

  #tick(at: EpochMs, now: MonotonicMs): void {
    this.#at = at;
    this.#now = now;
    this.#room.roll(at);
  }

  /** Serves the lines of accounts where something came free, until nothing moves. */
  #serve(): void {
    for (let account = this.#room.takeStirred(); account; account = this.#room.takeStirred()) this.#serveLine(account);
  }

  #serveLine(account: Account): void {
    let place = account.line.head;
    for (let passedOver = 0; place && passedOver < LOOKAHEAD;) {
      const { next, candidate } = place;
      this.#decide(candidate, false);
      if (candidate.isWaiting) {
        // There is not enough here for the first in line, or for the whole line: nothing for those behind.
        if (isShort(place)) return;
        passedOver += 1;
      }
      place = next;
    }
  }

  /** Grants or refuses one who waits, or lets it wait on. */
  #decide(candidate: Candidate, isLastChance: boolean): void {
    if (!candidate.isWaiting) return;
    for (const { account } of candidate.places) account.prepare(this.#at);
    const verdict = weigh(candidate, this.#at, this.#answers, isLastChance);
    if (verdict.kind === 'waits') return;
    this.#room.leave(candidate);
    this.#decided.push(verdict.kind === 'fits' ? this.#grant(candidate, verdict.cap) : verdict.refused);
  }

  #grant({ command: { id, profile, quote }, places }: Candidate, cap: number): Granted {
    const observed: AccountRef[] = [];
    const parts = places.map(({ account, need }): HeldPart => {
      if (!governs(account) && need > account.free) observed.push({ limit: account.limit, subject: account.subject });
      const counter = account.hold(this.#at, need);
      this.#room.watch(account);
      const hold = holdIn(account, counter, need);
      return { account, counter, hold, isBound: holdsUpperBound(account.spec) };
    });
    const shrunk = cap < quote.outputCap;
    this.#held.set(id, { parts, answer: { profile, outputCap: cap, choices: quote.choices, shrunk } });
    return { kind: 'granted', id, holds: parts.map(({ hold }) => hold), outputCap: cap, shrunk, observed };
  }

  /** With what was held for it besides. */
  #partsOf(held: Held): readonly Held[] {
    return held.grownBy === undefined ? [held] : [held, ...held.grownBy.flatMap((by) => this.#held.get(by) ?? [])];
  }

  #wholeOf(id: ReservationId | undefined): readonly Held[] {
    const held = id === undefined ? undefined : this.#held.get(id);
    return held === undefined ? NOTHING_HELD : this.#partsOf(held);
  }

  /** What was held comes free for those who wait; what was held besides, too. */
  #release({ parts, grownBy = [] }: Held): void {
    for (const { account } of parts) this.#room.stir(account);
    for (const by of grownBy) {
      const more = this.#held.get(by);
      if (more === undefined || !this.#held.delete(by)) continue;
      settleParts(by, more, { kind: 'void' });
      this.#release(more);
    }
  }

  #noteReached(account: Account): void {
    const { limit, subject, posted, spec } = account;
    for (const percent of account.takeReached()) this.#alerts.push({ limit, subject, unit: spec.unit, percent, posted, limitAmount: spec.limit });
  }

  #tooMany(id: ReservationId, account: Account): Refused {
    const { limit, subject } = account;
    return { kind: 'refused', id, account: { limit, subject }, reason: 'too_many_waiting', retryAtMs: retryAfterHolds(account, this.#at) };
  }
}

function holdIn({ limit, subject }: Account, { span, purse }: Counter, amount: bigint): Hold {
  const hold = { limit, subject, windowStart: span.start, amount };
  return purse === undefined ? hold : { ...hold, lease: purse.lease };
}

function viewOf(account: Account, at: EpochMs): AccountView {
  account.roll(at);
  return account.view(at);
}

function amountError(windowStart: EpochMs, amount: bigint): string | undefined {
  if (amount < 0n) return `an amount of ${amount} cannot be restored: it is negative`;
  if (!Number.isSafeInteger(windowStart) || windowStart < 0) return `${windowStart} is not the start of a window`;
  return undefined;
}
