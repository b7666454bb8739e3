import type { BudgetGate, CallHold, CallRecord, Clock, KeptObject, RecordQuery, SpendQuery, SpendRow, Unavailable } from '../../core/call/index.ts';
import { countsSince } from '../../core/ledger/index.ts';
import type { Ledger } from '../../core/ledger/index.ts';
import type {
  AccountRef,
  AccountView,
  Alert,
  Granted,
  Hold,
  LimitError,
  LimitSpec,
  RateView,
  Refused,
  ReserveCommand,
  Settled,
  Settlement,
  Waiting,
} from '../../core/ledger/index.ts';
import type { Holder, OutOfReach } from '../../core/leases/index.ts';
import type { Result } from '../../core/units/index.ts';
import type { Keeping } from '../journal/index.ts';
import type { Cover, ObjectKey } from '../stores/sqlite/index.ts';
import { onceRead } from '../wire/index.ts';
import type { Bookkeeper } from './bookkeeper.ts';
import { Covers } from './covers.ts';
import { lostCoverRecord, lostRecord, lostSettlement } from './lost.ts';
import { Tenancy } from './tenancy.ts';
import type { LeasedFrom } from './tenancy.ts';

export interface BudgetEvents {
  /** The journal or the books failed; calls that need a promise are refused until it is mended. */
  failed(what: 'journal' | 'books', error: Error): void;
  /** What is posted in an account has reached a threshold of its limit. Of shared limits the ledger service tells. */
  reached?(alert: Alert): void;
  /** Limits in mode Observe that would have refused a call that was admitted, or made it wait. */
  wouldHaveRefused?(hold: CallHold, accounts: readonly AccountRef[]): void;
  /** A call used more than bounded budgets held for it, and more than was free there; `amount` is in the limit's unit. */
  overdrawn?(record: CallRecord, beyond: readonly Hold[]): void;
  /** A call was found in flight after a restart, and settled. */
  recovered(record: CallRecord): void;
}

type Decision = Granted | Refused | Unavailable;

/** How far a clock may go back and find what it knew then. */
const LATE_MS = 3_600_000;

const NOTHING_USED = { nanoUsd: 0n, tokens: 0, outputTokens: 0 };

const OUT_OF_REACH = 'the ledger service is out of reach';

/** Of records: why they take room, and what ends that. */
const UNTOLD = 'that no controller has been told yet; calls go on as soon as one answers';
const FULL = `the state folder is full of records ${UNTOLD}`;

interface InLine {
  readonly decide: (decision: Granted | Refused) => void;
}

/** What is asked for besides, for a call that is under way. */
interface Extension {
  readonly call: string;
  readonly told: (decision: Granted | Refused | Unavailable) => void;
}

/** What decides: a ledger with all of each limit, or a holder with what leases give of them. */
export type Accounts = { readonly kind: 'whole'; readonly ledger: Ledger } | { readonly kind: 'leased'; readonly holder: Holder; readonly from: LeasedFrom };

/**
 * Budgets in memory, every change of them kept before anything depends on it: a hold is in the journal before its call is
 * forwarded, and on the disk or within a durable cover where its budget is strict; its settlement follows; the books take
 * both afterwards.
 */
export class DurableBudgets implements BudgetGate {
  readonly #ledger: Ledger | Holder;
  readonly #tenancy: Tenancy | undefined;
  readonly #bookkeeper: Bookkeeper;
  readonly #clock: Clock;
  readonly #events: BudgetEvents;
  readonly #line = new Map<string, InLine>();
  /** By the id of what is asked for; one for a call at most, whose id leads to it. */
  readonly #extensions = new Map<string, Extension>();
  readonly #extending = new Map<string, string>();
  readonly #batchHolds = new Map<string, CallHold>();
  #strict = new Set<string>();
  #limits: readonly LimitSpec[] = [];
  #usd = new Set<string>();
  #deadline: NodeJS.Timeout | undefined;
  #reading: NodeJS.Immediate | undefined;
  #deadlineAt = Infinity;
  /** Why strict budgets cannot be kept although the journal works. */
  #unaccepted: string | undefined;
  /** `undefined` where no power cut can be told from a restart: then each hold of a strict budget waits for the disk. */
  readonly #covers: Covers | undefined;

  constructor(parts: {
    readonly accounts: Accounts;
    readonly bookkeeper: Bookkeeper;
    readonly clock: Clock;
    readonly events: BudgetEvents;
    readonly unacceptedLoss: string | undefined;
    readonly useCovers: boolean;
  }) {
    const { accounts, bookkeeper, clock } = parts;
    this.#ledger = accounts.kind === 'whole' ? accounts.ledger : accounts.holder;
    this.#bookkeeper = bookkeeper;
    this.#clock = clock;
    this.#events = parts.events;
    this.#unaccepted = parts.unacceptedLoss;
    this.#covers = parts.useCovers ? this.#makeCovers() : undefined;
    bookkeeper.onSynced = (sequence) => this.#covers?.synced(sequence);
    if (accounts.kind === 'leased') this.#tenancy = new Tenancy({ ...accounts, bookkeeper, clock, onNews: (isScarce) => this.#onNews(isScarce) });
  }

  /** What others wait for is not set aside here. */
  #onNews(isScarce: boolean): void {
    if (isScarce) this.#covers?.releaseAll();
    this.#afterCommand();
  }

  #makeCovers(): Covers {
    return new Covers({
      ledger: this.#ledger,
      clock: this.#clock,
      isStrict: (limit) => this.#strict.has(limit),
      keep: (cover, done) => void this.#bookkeeper.append({ kind: 'cover', cover }, 'durable', done),
      forget: (id) => void this.#bookkeeper.append({ kind: 'uncover', id }, 'lazy'),
    });
  }

  /** Replaces the limits; what is posted and held stays. On an error nothing changes. */
  configure(limits: readonly LimitSpec[]): Result<void, readonly LimitError[]> {
    this.#covers?.releaseAll();
    const done = this.#ledger.configure(limits, this.#clock.epochMs(), this.#clock.monotonicMs());
    if (done.ok) {
      this.#strict = new Set(limits.filter(({ mode, kind }) => mode === 'Strict' && kind === 'budget').map(({ id }) => id));
      this.#limits = limits;
      this.#usd = new Set(limits.filter(({ unit }) => unit === 'usd').map(({ id }) => id));
      this.#tenancy?.configured(limits);
    }
    this.#afterCommand();
    return done;
  }

  async admit(command: ReserveCommand, describe: (granted: Granted) => CallHold): Promise<Decision> {
    const strict = command.accounts.find(({ limit }) => this.#strict.has(limit));
    if (strict !== undefined && this.#unaccepted !== undefined) return { kind: 'unavailable', reason: this.#unaccepted };
    if (this.#isFull && command.accounts.length > 0) return { kind: 'unavailable', reason: FULL };
    const outcome = this.#reserve(command);
    if (outcome.kind !== 'waiting') this.#afterCommand();
    const decision = outcome.kind === 'waiting' ? await this.#wait(command) : outcome;
    if (decision.kind === 'out_of_reach') return { kind: 'unavailable', reason: OUT_OF_REACH };
    if (decision.kind === 'refused') return this.#tellRefused(decision);
    const hold = describe(decision);
    if (decision.observed.length > 0) this.#events.wouldHaveRefused?.(hold, decision.observed);
    return this.#keep(hold, decision);
  }

  /** What is set aside for covers is there for calls first: nobody is refused, capped or kept waiting for it. */
  #reserve(command: ReserveCommand): Granted | Refused | Waiting | OutOfReach {
    const outcome = this.#ledger.reserve(command);
    if (outcome.kind === 'waiting' || (outcome.kind === 'granted' && !outcome.shrunk)) return outcome;
    if (this.#covers?.release(command.accounts) !== true) return outcome;
    if (outcome.kind === 'granted') this.#ledger.settle(command.id, { kind: 'void' }, command.at, command.now);
    this.#afterCommand();
    return this.#ledger.reserve(command);
  }

  extend(id: string, more: ReserveCommand, told: Extension['told']): void {
    const outcome = this.#ledger.reserve(more);
    if (outcome.kind === 'out_of_reach') return told({ kind: 'unavailable', reason: OUT_OF_REACH });
    this.#extensions.set(more.id, { call: id, told });
    this.#extending.set(id, more.id);
    if (outcome.kind !== 'waiting') this.#extended(outcome);
    this.#afterCommand();
  }

  /** What is granted for a call that is settled by now is nobody's. */
  #extended(decision: Granted | Refused): boolean {
    const extension = this.#extensions.get(decision.id);
    if (extension === undefined) return false;
    this.#extensions.delete(decision.id);
    this.#extending.delete(extension.call);
    if (decision.kind === 'granted' && !this.#ledger.grow(extension.call, decision.id)) {
      this.#ledger.settle(decision.id, { kind: 'void' }, this.#clock.epochMs(), this.#clock.monotonicMs());
      return true;
    }
    extension.told(decision);
    return true;
  }

  #dropExtension(call: string): void {
    const id = this.#extending.get(call);
    if (id === undefined) return;
    this.#extending.delete(call);
    this.#extensions.delete(id);
    this.#ledger.cancel(id, this.#clock.epochMs(), this.#clock.monotonicMs());
  }

  cancel(id: string): void {
    if (this.#ledger.cancel(id, this.#clock.epochMs(), this.#clock.monotonicMs())) {
      this.#line.delete(id);
      this.#afterCommand();
    }
  }

  settle(id: string, settlement: Settlement, record: (settled: Settled) => CallRecord): void {
    this.#dropExtension(id);
    const settled = this.#ledger.settle(id, settlement, this.#clock.epochMs(), this.#clock.monotonicMs());
    if (settled === undefined) return;
    this.#batchHolds.delete(id);
    const kept = record(settled);
    this.#bookkeeper.append({ kind: 'settle', record: kept }, 'lazy');
    if (settled.overdrawn !== undefined) this.#events.overdrawn?.(kept, settled.overdrawn);
    this.#afterCommand();
  }

  /** Ends what a former process left in flight: nobody knows what became of it. Each mode posts what it promises. */
  recover(holds: readonly CallHold[]): void {
    for (const hold of holds) {
      this.settle(hold.id, lostSettlement(hold), ({ posted }) => {
        const record = lostRecord(hold, posted, (limit) => this.#strict.has(limit), this.#clock.epochMs());
        this.#events.recovered(record);
        return record;
      });
    }
  }

  /**
   * Ends the covers of a former process. After a mere restart all that leaned on them is in the journal, and they are
   * void; after a power cut they are charged, since what the disk forgot was worth no more than they are.
   */
  recoverCovers(covers: readonly Cover[], wasPowerCut: boolean): void {
    for (const cover of covers) {
      const settlement: Settlement = wasPowerCut ? { kind: 'estimated', estimate: NOTHING_USED } : { kind: 'void' };
      const settled = this.#ledger.settle(cover.id, settlement, this.#clock.epochMs(), this.#clock.monotonicMs());
      if (!wasPowerCut || settled === undefined) {
        this.#bookkeeper.append({ kind: 'uncover', id: cover.id }, 'lazy');
        continue;
      }
      const isUsd = settled.posted.some(({ limit }) => this.#usd.has(limit));
      const record = lostCoverRecord(cover, settled.posted, isUsd, this.#clock.epochMs());
      this.#events.recovered(record);
      this.#bookkeeper.append({ kind: 'settle', record }, 'lazy');
    }
  }

  /** Where each account stands. What is set aside for covers counts as free, as any call can have it. */
  views(): AccountView[] {
    return this.#ledger.views(this.#clock.epochMs()).map((view) => {
      const cover = this.#covers?.setAside(view) ?? 0n;
      return cover === 0n ? view : { ...view, pending: view.pending - cover, free: view.free + cover };
    });
  }

  /** How durable all is now: up to which journal entry a power cut takes nothing back, and what covers stand for the rest. */
  durability(): { readonly flushedSequence: number; readonly covered: bigint } {
    return { flushedSequence: this.#bookkeeper.flushedSequence, covered: this.#covers?.total ?? 0n };
  }

  rateView(limit: string, subject: string): RateView | undefined {
    return this.#ledger.rateView({ limit, subject }, this.#clock.epochMs());
  }

  /** Sums over all calls that have ended by now. */
  spend(query: SpendQuery): Promise<SpendRow[]> {
    return this.#bookkeeper.spend(query);
  }

  records(query: RecordQuery): Promise<CallRecord[]> {
    return this.#bookkeeper.records(query);
  }

  /** Deletes records older than that, and what was posted in windows that are over; of sums what nobody asks for here. */
  forget(beforeMs: number): Promise<void> {
    const nowMs = this.#clock.epochMs();
    const windows = this.#limits.map(({ id, window }) => ({ limit: id, countsSinceMs: countsSince(window, nowMs - LATE_MS) }));
    return this.#bookkeeper.forget({ beforeMs, nowMs, windows });
  }

  /** A kill of this process cannot undo it when this returns. */
  keepObject(entry: { readonly kind: 'keep'; readonly object: KeptObject } | { readonly kind: 'forget'; readonly object: ObjectKey }): void {
    this.#bookkeeper.append(entry, 'lazy');
    this.#bookkeeper.flush();
  }

  object(workload: string, kind: KeptObject['kind'], id: string): Promise<KeptObject | undefined> {
    return this.#bookkeeper.object(workload, kind, id);
  }

  objectIds(workload: string, kind: KeptObject['kind'], provider: string): Promise<string[]> {
    return this.#bookkeeper.objectIds(workload, kind, provider);
  }

  /** A batch's hold, which outlives the call that made it; `undefined` once it is settled. */
  batchHold(id: string): CallHold | undefined {
    return this.#batchHolds.get(id);
  }

  /** Holds of a former process that are not lost, as their batches go on. */
  restoreBatchHolds(holds: readonly CallHold[]): void {
    for (const hold of holds) this.#batchHolds.set(hold.id, hold);
  }

  /** Why budgets cannot be kept; `undefined` while they can. */
  problem(): string | undefined {
    const { failure } = this.#bookkeeper;
    if (failure !== undefined) return `the journal cannot be written: ${failure.message}${this.#adviceOn(failure)}`;
    if (this.#isFull) return FULL;
    return this.#unaccepted ?? (this.#tenancy?.holder.isSilent === true ? OUT_OF_REACH : undefined);
  }

  async close(): Promise<void> {
    clearTimeout(this.#deadline);
    clearImmediate(this.#reading);
    this.#deadlineAt = -Infinity;
    this.#covers?.releaseAll();
    await this.#tenancy?.leave();
    await this.#bookkeeper.close();
  }

  async #wait({ id, accounts }: ReserveCommand): Promise<Granted | Refused> {
    const decided = new Promise<Granted | Refused>((resolve) => this.#line.set(id, { decide: resolve }));
    this.#covers?.release(accounts);
    this.#afterCommand();
    return decided;
  }

  /** A grant counts when the journal has it. Where it cannot, the hold is given back. */
  #keep(hold: CallHold, granted: Granted): Promise<Decision> {
    if (hold.operation === 'batches') this.#batchHolds.set(hold.id, hold);
    return new Promise((resolve) => {
      const sequence = this.#bookkeeper.append({ kind: 'hold', hold }, this.#keepingOf(granted, hold), (error) => {
        if (error === undefined) return resolve(granted);
        this.#ledger.settle(granted.id, { kind: 'void' }, this.#clock.epochMs(), this.#clock.monotonicMs());
        this.#batchHolds.delete(granted.id);
        this.#afterCommand();
        resolve({ kind: 'unavailable', reason: `the journal cannot be written (${error.message})${this.#adviceOn(error)}` });
      });
      this.#covers?.written(granted, sequence);
    });
  }

  /** Whether what was told makes room again: beside a ledger service, nothing else does. */
  get #isFull(): boolean {
    return this.#tenancy !== undefined && this.#bookkeeper.booksAreFull;
  }

  #adviceOn(error: Error): string {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') return '';
    return this.#tenancy === undefined ? '; make room on the disk of the state folder' : `; its disk is full, mostly of records ${UNTOLD}`;
  }

  /** Only a strict budget promises anything after a power cut. */
  #keepingOf(granted: Granted, hold: CallHold): Keeping {
    if (this.#covers === undefined) return granted.holds.some(({ limit }) => this.#strict.has(limit)) ? 'durable' : 'written';
    return this.#covers.covers(granted, hold) ? 'written' : 'durable';
  }

  /** While the ledger service does not answer, nobody knows whether a budget is exhausted. */
  #tellRefused(refused: Refused): Decision {
    const isGuess = this.#tenancy?.holder.isUnanswered === true && refused.reason !== 'too_small_for_call' && refused.reason !== 'too_many_waiting';
    return isGuess ? { kind: 'unavailable', reason: OUT_OF_REACH } : refused;
  }

  /** What every command of the ledger may lead to: entries and messages of leases, decisions, another deadline. */
  #afterCommand(): void {
    this.#tenancy?.carryOut();
    for (const alert of this.#ledger.takeAlerts()) this.#events.reached?.(alert);
    for (const decided of this.#ledger.takeDecided()) {
      if (this.#extended(decided)) continue;
      this.#line.get(decided.id)?.decide(decided);
      this.#line.delete(decided.id);
    }
    this.#scheduleDeadline();
  }

  /** A timer that is early does no harm, so it is left alone. */
  #scheduleDeadline(): void {
    const next = this.#ledger.nextDeadline();
    if (next === undefined || next >= this.#deadlineAt) return;
    clearTimeout(this.#deadline);
    this.#deadlineAt = next;
    this.#deadline = setTimeout(
      () => {
        // An answer that is here already decides better than the end of waiting for it.
        this.#reading = onceRead(() => {
          this.#deadlineAt = Infinity;
          this.#ledger.advance(this.#clock.epochMs(), this.#clock.monotonicMs());
          this.#afterCommand();
        });
      },
      Math.max(0, next - this.#clock.monotonicMs()) + 1,
    );
  }
}
