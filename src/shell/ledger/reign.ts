import type { Clock } from '../../core/call/index.ts';
import { Authority } from '../../core/leases/index.ts';
import type { Entry, Event, Figures, Outcome, PeriodRef, ToAuthority, ToHolder } from '../../core/leases/index.ts';
import type { AccountView, LimitError, LimitSpec } from '../../core/ledger/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { MonotonicMs, Result } from '../../core/units/index.ts';
import { admitted } from './admission.ts';
import { Leaseholders } from './leaseholders.ts';
import { newestOf } from './newest.ts';
import { onceRead } from '../wire/index.ts';
import type { Dismissal, Identity } from '../wire/index.ts';
import type { Permissions } from './ports.ts';
import { StoreUnavailable } from './store.ts';
import type { Lead, LedgerStore } from './store.ts';

/** Who leads commits at least once a second: looked at twice as often. */
const BEAT_MS: MonotonicMs = 500;
/** A look that comes later than this tells that this process did not run: what the store has said meanwhile may not be read yet. */
const LATE_LOOK_MS: MonotonicMs = 2 * BEAT_MS;
/** A store that takes longer to say whether it has stored something counts as out of reach: others take this one for gone by then. */
const COMMIT_MS: MonotonicMs = 5_000;

export interface ReignParts {
  readonly store: LedgerStore;
  readonly clock: Clock;
  readonly permissions: Permissions;
  /** To the processor, if it is there. */
  readonly deliver: (processor: string, message: ToHolder) => void;
  readonly tell: (event: Event) => void;
  /** It is over, by itself: nothing more will be said. */
  readonly onOver: (why: 'deposed' | Error) => void;
}

/** What one command has led to, until it is stored. */
interface Pending {
  readonly entries: readonly Entry[];
  readonly letters: readonly { readonly to: string; readonly message: ToHolder }[];
  readonly events: readonly Event[];
  readonly whenStored: () => void;
}

/**
 * One term of one authority. What it decides is stored before it is said: one commit at a time, and all that has come
 * meanwhile goes with the next. Over for good as soon as the store says no, or nothing.
 */
export class Reign {
  readonly term: number;
  readonly #parts: ReignParts;
  readonly #authority: Authority;
  readonly #leaseholders = new Leaseholders();
  #pending: Pending[] = [];
  #isOver = false;
  #isStoring = false;
  /** When the latest commit began. */
  #committedAt: MonotonicMs;
  #lookedAt: MonotonicMs;
  readonly #beat: NodeJS.Timeout;
  #alarm: NodeJS.Timeout | undefined;
  #alarmAt: MonotonicMs = Infinity;

  constructor(parts: ReignParts, { term, entries }: Lead) {
    this.#parts = parts;
    this.term = term;
    this.#committedAt = this.#lookedAt = parts.clock.monotonicMs();
    const at = parts.clock.epochMs();
    // Of one that went before, with a store that is lost or from a backup, there were fewer leases than milliseconds.
    this.#authority = new Authority(term, entries, at, this.#committedAt, Math.floor(at));
    this.#leaseholders.learn(entries);
    this.#beat = setInterval(() => onceRead(() => this.#lookAtStore()), BEAT_MS);
  }

  configure(limits: readonly LimitSpec[]): Result<void, readonly LimitError[]> {
    const { clock } = this.#parts;
    const outcome = this.#authority.configure(limits, clock.epochMs(), clock.monotonicMs());
    if (!outcome.ok) return outcome;
    this.#carryOut(outcome.value);
    return ok(undefined);
  }

  /** `whenStored` is called once what it led to is stored; never where this ends before. */
  hear(identity: Identity, message: ToAuthority, whenStored: () => void): Result<void, Dismissal> {
    const { clock, permissions } = this.#parts;
    const heard = admitted(identity, message, permissions, this.#leaseholders, this.#authority);
    if (!heard.ok) return heard;
    const outcome = this.#authority.receive(identity.processor, heard.value, clock.epochMs(), clock.monotonicMs());
    if (!outcome.ok) return err({ code: 'invalid', message: outcome.error });
    this.#carryOut(outcome.value, identity.processor, whenStored);
    return ok(undefined);
  }

  /** Of every account's window that is known; what is not stored yet included. */
  figures(): (PeriodRef & Figures)[] {
    return [...this.#authority.figures()];
  }

  views(): AccountView[] {
    return [...this.#authority.views(this.#parts.clock.epochMs())];
  }

  /** What is not stored by now is never said. */
  end(): void {
    this.#isOver = true;
    this.#pending = [];
    clearInterval(this.#beat);
    clearTimeout(this.#alarm);
  }

  #carryOut({ entries, messages, events }: Outcome, sender?: string, whenStored: () => void = () => undefined): void {
    // Before they are addressed: what a lease is gone with is said to who gave it up.
    const letters = messages.flatMap((message) => {
      const to = (message.kind === 'answer' ? this.#leaseholders.processorOf(message.lease) : undefined) ?? sender;
      return to === undefined ? [] : [{ to, message }];
    });
    this.#leaseholders.learn(entries);
    this.#pending.push({ entries, letters, events, whenStored });
    void this.#storeAll();
    this.#setAlarm();
  }

  async #storeAll(): Promise<void> {
    if (this.#isStoring) return;
    this.#isStoring = true;
    while (this.#pending.length > 0) {
      const stored = this.#pending;
      this.#pending = [];
      if (!(await this.#commit(stored))) return;
      for (const { letters, events, whenStored } of stored) {
        for (const { to, message } of letters) this.#parts.deliver(to, message);
        for (const event of events) this.#parts.tell(event);
        whenStored();
      }
    }
    this.#isStoring = false;
  }

  /** False where this is over. */
  async #commit(pending: readonly Pending[]): Promise<boolean> {
    this.#committedAt = this.#parts.clock.monotonicMs();
    try {
      const [first] = pending;
      // One command names nothing twice.
      const entries = pending.length === 1 && first !== undefined ? first.entries : newestOf(pending.flatMap((each) => each.entries));
      const verdict = await this.#parts.store.commit(this.term, entries);
      if (verdict === 'deposed') this.#fall('deposed');
    } catch (error) {
      this.#fall(error instanceof Error ? error : new Error(String(error)));
    }
    return !this.#isOver;
  }

  #lookAtStore(): void {
    if (this.#isOver) return;
    const now = this.#parts.clock.monotonicMs();
    const isLate = now - this.#lookedAt > LATE_LOOK_MS;
    this.#lookedAt = now;
    const elapsed = now - this.#committedAt;
    if (this.#isStoring) {
      if (!isLate && elapsed >= COMMIT_MS) this.#fall(new StoreUnavailable(`the store has not answered for ${COMMIT_MS / 1_000} s`, 'unreachable'));
    } else if (elapsed >= BEAT_MS) {
      this.#pending.push({ entries: [], letters: [], events: [], whenStored: () => undefined });
      void this.#storeAll();
    }
  }

  #fall(why: 'deposed' | Error): void {
    if (this.#isOver) return;
    this.end();
    this.#parts.onOver(why);
  }

  #setAlarm(): void {
    const due = this.#authority.nextDeadline();
    if (due >= this.#alarmAt || this.#isOver) return;
    this.#alarmAt = due;
    clearTimeout(this.#alarm);
    this.#alarm = setTimeout(() => onceRead(() => this.#ring()), Math.max(0, Math.ceil(due - this.#parts.clock.monotonicMs())));
  }

  #ring(): void {
    if (this.#isOver) return;
    const { clock } = this.#parts;
    this.#alarmAt = Infinity;
    // Timers may be early.
    if (this.#authority.nextDeadline() <= clock.monotonicMs()) this.#carryOut(this.#authority.advance(clock.epochMs(), clock.monotonicMs()));
    else this.#setAlarm();
  }
}
