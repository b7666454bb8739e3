import type { BudgetGate, CallHold, CallRecord, Clock, KeptObject, Unavailable } from '../../core/call/index.ts';
import { Ledger } from '../../core/ledger/index.ts';
import type { AccountView, Granted, LimitError, LimitSpec, RateView, Refused, ReserveCommand, Settled, Settlement, Waiting } from '../../core/ledger/index.ts';
import type { Result } from '../../core/units/index.ts';
import type { Journal, Keeping } from '../journal/index.ts';
import { entryText } from '../stores/sqlite/index.ts';
import type { BookEntry, BooksClient, Cover, ObjectKey, SpendGrouping, SpendRow } from '../stores/sqlite/index.ts';
import { Backlog } from './backlog.ts';
import { Covers } from './covers.ts';

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

const NOTHING_USED = { nanoUsd: 0n, tokens: 0, outputTokens: 0 };

interface InLine {
  readonly decide: (decision: Granted | Refused) => void;
}

/**
 * Budgets in memory, every change of them kept before anything depends on it: a hold is in the journal before its call is
 * forwarded, and on the disk or within a durable cover where its budget is strict; its settlement follows; the books take
 * both afterwards.
 */
export class DurableBudgets implements BudgetGate {
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #books: BooksClient;
  readonly #clock: Clock;
  readonly #events: BudgetEvents;
  readonly #line = new Map<string, InLine>();
  readonly #backlog = new Backlog();
  readonly #batchHolds = new Map<string, CallHold>();
  #strict = new Set<string>();
  #usd = new Set<string>();
  #applying: Promise<void> | undefined;
  #applyIsDue = false;
  #sinceCheckpoint = 0;
  #flushedSequence = 0;
  #deadline: NodeJS.Timeout | undefined;
  #journalFailure: Error | undefined;
  /** Why strict budgets cannot be kept although the journal works. */
  #unaccepted: string | undefined;
  /** `undefined` where no power cut can be told from a restart: then each hold of a strict budget waits for the disk. */
  readonly #covers: Covers | undefined;

  constructor(parts: {
    readonly ledger: Ledger;
    readonly journal: Journal;
    readonly books: BooksClient;
    readonly clock: Clock;
    readonly events: BudgetEvents;
    readonly unacceptedLoss: string | undefined;
    readonly useCovers: boolean;
  }) {
    this.#ledger = parts.ledger;
    this.#journal = parts.journal;
    this.#books = parts.books;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#unaccepted = parts.unacceptedLoss;
    this.#covers = parts.useCovers ? this.#makeCovers() : undefined;
    this.#journal.onSynced = (sequence) => {
      this.#flushedSequence = sequence;
      this.#covers?.synced(sequence);
    };
  }

  #makeCovers(): Covers {
    return new Covers({
      ledger: this.#ledger,
      clock: this.#clock,
      isStrict: (limit) => this.#strict.has(limit),
      keep: (cover, done) => void this.#append({ kind: 'cover', cover }, 'durable', done),
      forget: (id) => void this.#append({ kind: 'uncover', id }, 'lazy', () => undefined),
    });
  }

  /** Replaces the limits; what is posted and held stays. On an error nothing changes. */
  configure(limits: readonly LimitSpec[]): Result<void, readonly LimitError[]> {
    this.#covers?.releaseAll();
    const done = this.#ledger.configure(limits, this.#clock.epochMs(), this.#clock.monotonicMs());
    if (done.ok) {
      this.#strict = new Set(limits.filter(({ mode, kind }) => mode === 'Strict' && kind === 'budget').map(({ id }) => id));
      this.#usd = new Set(limits.filter(({ unit }) => unit === 'usd').map(({ id }) => id));
    }
    this.#decideWaiting();
    return done;
  }

  async admit(command: ReserveCommand, describe: (granted: Granted) => CallHold): Promise<Decision> {
    const strict = command.accounts.find(({ limit }) => this.#strict.has(limit));
    if (strict !== undefined && this.#unaccepted !== undefined) return { kind: 'unavailable', reason: this.#unaccepted };
    const outcome = this.#reserve(command);
    const decision = outcome.kind === 'waiting' ? await this.#wait(command) : outcome;
    if (decision.kind !== 'granted') return decision;
    return this.#keep(describe(decision), decision);
  }

  /** What is set aside for covers is there for calls first: nobody is refused, capped or kept waiting for it. */
  #reserve(command: ReserveCommand): Granted | Refused | Waiting {
    const outcome = this.#ledger.reserve(command);
    if (outcome.kind === 'waiting' || (outcome.kind === 'granted' && !outcome.shrunk)) return outcome;
    if (this.#covers?.release(command.accounts) !== true) return outcome;
    if (outcome.kind === 'granted') this.#ledger.settle(command.id, { kind: 'void' }, command.at, command.now);
    this.#decideWaiting();
    return this.#ledger.reserve(command);
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
    this.#batchHolds.delete(id);
    this.#append({ kind: 'settle', record: record(settled) }, 'lazy', () => undefined);
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

  /**
   * Ends the covers of a former process. After a mere restart all that leaned on them is in the journal, and they are
   * void; after a power cut they are charged, since what the disk forgot was worth no more than they are.
   */
  recoverCovers(covers: readonly Cover[], wasPowerCut: boolean): void {
    for (const { id, at, hold, of } of covers) {
      const settled = this.#ledger.settle(
        id,
        wasPowerCut ? { kind: 'estimated', estimate: NOTHING_USED } : { kind: 'void' },
        this.#clock.epochMs(),
        this.#clock.monotonicMs(),
      );
      if (!wasPowerCut || settled === undefined) {
        this.#append({ kind: 'uncover', id }, 'lazy', () => undefined);
        continue;
      }
      const isUsd = settled.posted.some(({ limit }) => this.#usd.has(limit));
      const record: CallRecord = {
        ...of,
        id,
        at,
        stream: false,
        priceSource: undefined,
        heldNanoUsd: isUsd ? hold.amount : 0n,
        endedAt: this.#clock.epochMs(),
        ending: 'lost',
        status: 0,
        servedModel: undefined,
        usage: { inputTokens: 0, outputTokens: 0 },
        estimated: true,
        costNanoUsd: undefined,
        chargedNanoUsd: isUsd ? hold.amount : 0n,
        posted: settled.posted,
        shrunkToTokens: undefined,
      };
      this.#events.recovered(record);
      this.#append({ kind: 'settle', record }, 'lazy', () => undefined);
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
    return { flushedSequence: this.#flushedSequence, covered: this.#covers?.total ?? 0n };
  }

  rateView(limit: string, subject: string): RateView | undefined {
    return this.#ledger.rateView({ limit, subject }, this.#clock.epochMs());
  }

  /** Sums over all calls that have ended by now. */
  async spend(by: SpendGrouping, sinceMs: number): Promise<SpendRow[]> {
    this.#journal.flush();
    await this.#applyAll();
    return this.#books.spend(by, sinceMs);
  }

  async records(count: number): Promise<CallRecord[]> {
    this.#journal.flush();
    await this.#applyAll();
    return this.#books.records(count);
  }

  /** Deletes records older than that; totals stay. */
  async forget(beforeMs: number): Promise<void> {
    while (await this.#books.forget(beforeMs, this.#clock.epochMs()));
  }

  /** A kill of this process cannot undo it when this returns. */
  keepObject(entry: { readonly kind: 'keep'; readonly object: KeptObject } | { readonly kind: 'forget'; readonly object: ObjectKey }): void {
    this.#append(entry, 'lazy', () => undefined);
    this.#journal.flush();
  }

  async object(workload: string, kind: KeptObject['kind'], id: string): Promise<KeptObject | undefined> {
    await this.#applyAll();
    return this.#books.object(workload, kind, id);
  }

  async objectIds(workload: string, kind: KeptObject['kind'], provider: string): Promise<string[]> {
    await this.#applyAll();
    return this.#books.objectIds(workload, kind, provider);
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
    return this.#journalFailure === undefined ? this.#unaccepted : `the journal cannot be written: ${this.#journalFailure.message}`;
  }

  async close(): Promise<void> {
    clearTimeout(this.#deadline);
    this.#covers?.releaseAll();
    await this.#journal.synced();
    await this.#applyAll();
    this.#journal.release(await this.#books.checkpoint());
    await this.#journal.close();
    await this.#books.close();
  }

  async #wait({ id, accounts }: ReserveCommand): Promise<Granted | Refused> {
    const decided = new Promise<Granted | Refused>((resolve) => this.#line.set(id, { decide: resolve }));
    this.#covers?.release(accounts);
    this.#decideWaiting();
    return decided;
  }

  /** Resolves when the former process's ends, too, survive a power cut. */
  async synced(): Promise<void> {
    await this.#journal.synced();
  }

  /** A grant counts when the journal has it. Where it cannot, the hold is given back. */
  #keep(hold: CallHold, granted: Granted): Promise<Decision> {
    if (hold.operation === 'batches') this.#batchHolds.set(hold.id, hold);
    return new Promise((resolve) => {
      const sequence = this.#append({ kind: 'hold', hold }, this.#keepingOf(granted, hold), (error) => {
        if (error === undefined) return resolve(granted);
        this.#ledger.settle(granted.id, { kind: 'void' }, this.#clock.epochMs(), this.#clock.monotonicMs());
        this.#batchHolds.delete(granted.id);
        this.#decideWaiting();
        resolve({ kind: 'unavailable', reason: `the journal cannot be written (${error.message})` });
      });
      this.#covers?.written(granted, sequence);
    });
  }

  /** Only a strict budget promises anything after a power cut. */
  #keepingOf(granted: Granted, hold: CallHold): Keeping {
    if (this.#covers === undefined) return granted.holds.some(({ limit }) => this.#strict.has(limit)) ? 'durable' : 'written';
    return this.#covers.covers(granted, hold) ? 'written' : 'durable';
  }

  #append(entry: BookEntry, keeping: Keeping, done: (error: Error | undefined) => void): number {
    const text = entryText(entry);
    const sequence = this.#journal.append(Buffer.from(text), keeping, (error) => {
      if (error !== undefined && this.#journalFailure === undefined) this.#events.failed('journal', error);
      // What promises nothing and could not be kept stays in memory, and reaches the books directly.
      this.#backlog.decided(sequence, error === undefined || !(entry.kind === 'hold' || entry.kind === 'cover') ? text : undefined);
      this.#applySoon();
      this.#journalFailure = error;
      done(error);
    });
    this.#backlog.appended(sequence);
    return sequence;
  }

  #applySoon(): void {
    if (this.#applyIsDue || this.#backlog.isEmpty) return;
    this.#applyIsDue = true;
    setTimeout(() => {
      this.#applyIsDue = false;
      void this.#applyAll();
    }, APPLY_EVERY_MS);
  }

  /** One step at a time, in order; what fails is tried again with the next. */
  async #applyAll(): Promise<void> {
    while (this.#applying !== undefined) await this.#applying;
    while (!this.#backlog.isEmpty) {
      this.#applying = this.#apply();
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

  async #apply(): Promise<void> {
    const { texts, appliedSequence } = this.#backlog.next(APPLY_ENTRIES);
    await this.#books.apply(texts, appliedSequence);
    this.#backlog.drop(texts.length);
    this.#sinceCheckpoint += texts.length;
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
