import type { EpochMs, MonotonicMs } from '../units/index.ts';
import type { Account } from './account.ts';
import { canBeWaitedFor } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { Deadlines } from './deadlines.ts';
import { MAX_WAITING } from './limits.ts';
import type { ReservationId } from './types.ts';

/** Who waits, in the order of coming; for which accounts; and when the passing of time may help them. */
export class WaitingRoom {
  readonly #waiting = new Map<ReservationId, Candidate>();
  readonly #deadlines = new Deadlines();
  /** Accounts that someone waits for. */
  readonly #contended = new Set<Account>();
  /** Accounts where something came free, or the line moved. */
  readonly #stirred = new Set<Account>();
  /** No contended account rolls before this. */
  #rollsAt: EpochMs = Infinity;

  get isFull(): boolean {
    return this.#waiting.size >= MAX_WAITING;
  }

  has(id: ReservationId): boolean {
    return this.#waiting.has(id);
  }

  get(id: ReservationId): Candidate | undefined {
    return this.#waiting.get(id);
  }

  inOrder(): readonly Candidate[] {
    return [...this.#waiting.values()];
  }

  /** The wait is the shortest of those that the accounts allow. */
  enter(candidate: Candidate, now: MonotonicMs): void {
    candidate.deadline =
      now +
      Math.min(candidate.command.waitMs ?? Infinity, ...candidate.places.filter(({ account }) => canBeWaitedFor(account)).map(({ account }) => account.waitMs));
    candidate.isWaiting = true;
    this.#waiting.set(candidate.command.id, candidate);
    this.#deadlines.add(candidate, this.#waiting.size);
    this.lineUp(candidate);
  }

  leave(candidate: Candidate): void {
    candidate.isWaiting = false;
    this.#waiting.delete(candidate.command.id);
    this.stepOut(candidate);
  }

  lineUp(candidate: Candidate): void {
    candidate.queue();
    for (const { account } of candidate.places) this.watch(account);
  }

  /** To be called when an account gets a hold: with it, the account may have a time at which it rolls. */
  watch(account: Account): void {
    if (account.line.length === 0) return;
    this.#contended.add(account);
    this.#rollsAt = Math.min(this.#rollsAt, account.rollsAt);
  }

  stepOut(candidate: Candidate): void {
    candidate.leave();
    for (const { account } of candidate.places) {
      if (account.line.length > 0) this.#stirred.add(account);
      else this.#contended.delete(account);
    }
  }

  stir(account: Account): void {
    if (account.line.length > 0) this.#stirred.add(account);
  }

  contended(): Iterable<Account> {
    return this.#contended;
  }

  takeStirred(): Account | undefined {
    const [account] = this.#stirred;
    if (account) this.#stirred.delete(account);
    return account;
  }

  takeDue(now: MonotonicMs): Candidate | undefined {
    return this.#deadlines.takeDue(now);
  }

  /** Windows that are over come free for those who wait. */
  roll(at: EpochMs): void {
    if (at < this.#rollsAt) return;
    this.#rollsAt = Infinity;
    for (const account of this.#contended) {
      account.roll(at);
      this.#stirred.add(account);
      this.#rollsAt = Math.min(this.#rollsAt, account.rollsAt);
    }
  }

  nextDeadline(at: EpochMs, now: MonotonicMs): MonotonicMs | undefined {
    const deadline = this.#deadlines.next();
    return deadline === undefined ? undefined : Math.min(deadline, now + Math.max(0, this.#rollsAt - at));
  }
}
