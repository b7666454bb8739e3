import type { BudgetGate, CallHold, CallRecord, Clock, Unavailable } from '../../core/call/index.ts';
import { Ledger } from '../../core/ledger/index.ts';
import type { AccountView, Granted, LimitError, LimitSpec, RateView, Refused, ReserveCommand, Settled, Settlement } from '../../core/ledger/index.ts';
import type { Result } from '../../core/units/index.ts';
import type { Journal } from '../journal/index.ts';
import { toText } from '../stores/sqlite/index.ts';
import type { BookEntry, BooksClient, SpendGrouping, SpendRow } from '../stores/sqlite/index.ts';

/** How long entries gather before the books take them: they are safe in the journal meanwhile. */
const APPLY_EVERY_MS = 200;

/** Entries in one step of the books. */
const APPLY_ENTRIES = 2000;

/** After so many entries the books are made durable by themselves, and the journal forgets what they hold. */
const CHECKPOINT_ENTRIES = 20_000;

export interface BudgetEvents {
  /** The journal or the books failed; calls that need a promise are refused until it is mended. */
  failed(what: 'journal' | 'books', error: Error): void;
  /** A call was found in flight after a restart, and settled. */
  recovered(record: CallRecord): void;
}

type Decision = Granted | Refused | Unavailable;

interface InLine {
  readonly decide: (decision: Granted | Refused) => void;
}

/**
 * Budgets in memory, every change of them on disk before anything depends on it: a hold is in the journal before its
 * call is forwarded; its settlement follows; the books take both afterwards.
 */
export class DurableBudgets implements BudgetGate {
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #books: BooksClient;
  readonly #clock: Clock;
  readonly #events: BudgetEvents;
  readonly #line = new Map<string, InLine>();
  #strict = new Set<string>();
  #unapplied: { readonly text: string; readonly sequence: number }[] = [];
  #applying: Promise<void> | undefined;
  #applyIsDue = false;
  #sinceCheckpoint = 0;
  #deadline: NodeJS.Timeout | undefined;
  #journalFailure: Error | undefined;
  /** Why strict budgets cannot be kept although the journal works. */
  #unaccepted: string | undefined;

  constructor(parts: {
    readonly ledger: Ledger;
    readonly journal: Journal;
    readonly books: BooksClient;
    readonly clock: Clock;
    readonly events: BudgetEvents;
    readonly unacceptedLoss: string | undefined;
  }) {
    this.#ledger = parts.ledger;
    this.#journal = parts.journal;
    this.#books = parts.books;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#unaccepted = parts.unacceptedLoss;
  }

  /** Replaces the limits; what is posted and held stays. On an error nothing changes. */
  configure(limits: readonly LimitSpec[]): Result<void, readonly LimitError[]> {
    const done = this.#ledger.configure(limits, this.#clock.epochMs(), this.#clock.monotonicMs());
    if (done.ok) this.#strict = new Set(limits.filter(({ mode, kind }) => mode === 'Strict' && kind === 'budget').map(({ id }) => id));
    this.#decideWaiting();
    return done;
  }

  async admit(command: ReserveCommand, describe: (granted: Granted) => CallHold): Promise<Decision> {
    const strict = command.accounts.find(({ limit }) => this.#strict.has(limit));
    if (strict !== undefined && this.#unaccepted !== undefined) return { kind: 'unavailable', reason: this.#unaccepted };
    const outcome = this.#ledger.reserve(command);
    const decision = outcome.kind === 'waiting' ? await this.#wait(command.id) : outcome;
    if (decision.kind !== 'granted') return decision;
    return this.#keep({ kind: 'hold', hold: describe(decision) }, decision);
  }

  cancel(id: string): void {
    if (this.#ledger.cancel(id, this.#clock.epochMs(), this.#clock.monotonicMs())) {
      this.#line.delete(id);
      this.#decideWaiting();
    }
  }

  settle(id: string, settlement: Settlement, record: (settled: Settled) => CallRecord): void {
    const settled = this.#ledger.settle(id, settlement, this.#clock.epochMs(), this.#clock.monotonicMs());
    if (settled === undefined) return;
    this.#append({ kind: 'settle', record: record(settled) }, () => undefined);
    this.#decideWaiting();
  }

  /** Ends what a former process left in flight: nobody knows what became of it. Each mode posts what it promises. */
  recover(holds: readonly CallHold[]): void {
    for (const hold of holds) {
      const { estimate, holds: _holds, ...call } = hold;
      const usage = { inputTokens: estimate.inputTokens, outputTokens: estimate.outputTokens };
      const figures = { nanoUsd: estimate.nanoUsd, tokens: usage.inputTokens + usage.outputTokens, outputTokens: usage.outputTokens };
      this.settle(hold.id, { kind: 'estimated', estimate: figures }, (settled) => {
        const charged = settled.posted.filter(({ limit }) => this.#strict.has(limit)).length > 0 ? hold.heldNanoUsd : estimate.nanoUsd;
        const record: CallRecord = {
          ...call,
          endedAt: this.#clock.epochMs(),
          ending: 'lost',
          status: 0,
          servedModel: undefined,
          usage,
          estimated: true,
          costNanoUsd: hold.priceSource === undefined ? undefined : estimate.nanoUsd,
          chargedNanoUsd: charged,
          posted: settled.posted,
          shrunkToTokens: undefined,
        };
        this.#events.recovered(record);
        return record;
      });
    }
  }

  views(): AccountView[] {
    return this.#ledger.views(this.#clock.epochMs());
  }

  rateView(limit: string, subject: string): RateView | undefined {
    return this.#ledger.rateView({ limit, subject }, this.#clock.epochMs());
  }

  /** Sums over all calls that have ended by now. */
  async spend(by: SpendGrouping, sinceMs: number): Promise<SpendRow[]> {
    await this.#journal.flushed();
    await this.#applyAll();
    return this.#books.spend(by, sinceMs);
  }

  async records(count: number): Promise<CallRecord[]> {
    await this.#journal.flushed();
    await this.#applyAll();
    return this.#books.records(count);
  }

  /** Deletes records older than that; totals stay. */
  async forget(beforeMs: number): Promise<void> {
    while (await this.#books.forget(beforeMs));
  }

  /** Why budgets cannot be kept; `undefined` while they can. */
  problem(): string | undefined {
    return this.#journalFailure === undefined ? this.#unaccepted : `the journal cannot be written: ${this.#journalFailure.message}`;
  }

  async close(): Promise<void> {
    clearTimeout(this.#deadline);
    await this.#journal.flushed();
    await this.#applyAll();
    this.#journal.release(await this.#books.checkpoint());
    await this.#journal.close();
    await this.#books.close();
  }

  async #wait(id: string): Promise<Granted | Refused> {
    const decided = new Promise<Granted | Refused>((resolve) => this.#line.set(id, { decide: resolve }));
    this.#scheduleDeadline();
    return decided;
  }

  /** A grant counts when the journal has it. Where it cannot, the hold is given back. */
  #keep(entry: BookEntry, granted: Granted): Promise<Decision> {
    return new Promise((resolve) => {
      this.#append(entry, (error) => {
        if (error === undefined) return resolve(granted);
        this.#ledger.settle(granted.id, { kind: 'void' }, this.#clock.epochMs(), this.#clock.monotonicMs());
        this.#decideWaiting();
        resolve({ kind: 'unavailable', reason: `the journal cannot be written (${error.message})` });
      });
    });
  }

  #append(entry: BookEntry, onDurable: (error: Error | undefined) => void): void {
    const text = toText(entry);
    const onWritten = (error: Error | undefined): void => {
      if (error !== undefined) {
        if (this.#journalFailure === undefined) this.#events.failed('journal', error);
        // A settlement that the journal could not take is kept in memory, and reaches the books directly.
        if (entry.kind === 'settle') this.#toBooks(text, sequence);
      } else {
        this.#toBooks(text, sequence);
      }
      this.#journalFailure = error;
      onDurable(error);
    };
    const sequence = this.#journal.append(Buffer.from(text), onWritten, entry.kind === 'settle');
  }

  #toBooks(text: string, sequence: number): void {
    this.#unapplied.push({ text, sequence });
    if (this.#applyIsDue) return;
    this.#applyIsDue = true;
    setTimeout(() => {
      this.#applyIsDue = false;
      void this.#applyAll();
    }, APPLY_EVERY_MS);
  }

  /** One step at a time, in order; what fails is tried again with the next. */
  async #applyAll(): Promise<void> {
    while (this.#applying !== undefined) await this.#applying;
    while (this.#unapplied.length > 0) {
      const step = this.#unapplied.slice(0, APPLY_ENTRIES);
      this.#applying = this.#apply(step);
      try {
        await this.#applying;
      } catch (error) {
        this.#events.failed('books', error instanceof Error ? error : new Error(String(error)));
        return;
      } finally {
        this.#applying = undefined;
      }
    }
  }

  async #apply(step: readonly { readonly text: string; readonly sequence: number }[]): Promise<void> {
    const last = step.at(-1)?.sequence ?? 0;
    await this.#books.apply(
      step.map(({ text }) => text),
      last,
    );
    this.#unapplied.splice(0, step.length);
    this.#sinceCheckpoint += step.length;
    if (this.#sinceCheckpoint < CHECKPOINT_ENTRIES) return;
    this.#sinceCheckpoint = 0;
    this.#journal.release(await this.#books.checkpoint());
  }

  #decideWaiting(): void {
    for (const decided of this.#ledger.takeDecided()) {
      this.#line.get(decided.id)?.decide(decided);
      this.#line.delete(decided.id);
    }
    this.#scheduleDeadline();
  }

  #scheduleDeadline(): void {
    clearTimeout(this.#deadline);
    const next = this.#ledger.nextDeadline();
    if (next === undefined) return;
    this.#deadline = setTimeout(
      () => {
        this.#ledger.advance(this.#clock.epochMs(), this.#clock.monotonicMs());
        this.#decideWaiting();
      },
      Math.max(0, next - this.#clock.monotonicMs()) + 1,
    );
  }
}
