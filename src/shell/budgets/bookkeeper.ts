import type { CallRecord, KeptObject, RecordQuery, SpendQuery, SpendRow } from '../../core/call/index.ts';
import type { Journal, Keeping } from '../journal/index.ts';
import { BooksUnusable, entryText } from '../stores/sqlite/index.ts';
import type { BookEntry, BooksClient, Retention } from '../stores/sqlite/index.ts';
import { Backlog } from './backlog.ts';

/** How long entries gather before the books take them: they are safe in the journal meanwhile. */
const APPLY_EVERY_MS = 200;

/** Full books are tried again so often, though nothing new comes. */
const FULL_RETRY_MS = 2_000;

/** Entries in one step of the books. */
const APPLY_ENTRIES = 2000;

/** After so many entries the books are made durable by themselves, and the journal forgets what they hold. */
const CHECKPOINT_ENTRIES = 5_000;

export interface BookkeeperParts {
  readonly journal: Journal;
  readonly books: BooksClient;
  readonly onFailure: (what: 'journal' | 'books', error: Error) => void;
}

/** Keeps every change: in the journal at once, in the books a little later, where it can be asked for. */
export class Bookkeeper {
  readonly #journal: Journal;
  readonly #books: BooksClient;
  readonly #onFailure: BookkeeperParts['onFailure'];
  readonly #backlog = new Backlog();
  #applying: Promise<void> | undefined;
  #applyIsDue = false;
  #sinceCheckpoint = 0;
  #flushedSequence = 0;
  #failure: Error | undefined;
  #booksAreFull = false;
  #onSynced: (sequence: number) => void = () => undefined;
  #onApplied: () => void = () => undefined;

  constructor({ journal, books, onFailure }: BookkeeperParts) {
    this.#journal = journal;
    this.#books = books;
    this.#onFailure = onFailure;
    journal.onSynced = (sequence) => {
      this.#flushedSequence = sequence;
      this.#onSynced(sequence);
    };
  }

  /** Why the latest entry could not be written; `undefined` where it could. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether the books have room for no more records; those wait in the journal. */
  get booksAreFull(): boolean {
    return this.#booksAreFull;
  }

  /** Up to which entry a power cut takes nothing back. */
  get flushedSequence(): number {
    return this.#flushedSequence;
  }

  /** Told, after each flush, up to which entry a power cut can undo nothing any more. */
  set onSynced(listener: (sequence: number) => void) {
    this.#onSynced = listener;
  }

  /** Told when the books have more than before. */
  set onApplied(listener: () => void) {
    this.#onApplied = listener;
  }

  /** Returns the entry's number at once; `done` is told when it is kept, or why it cannot be. */
  append(entry: BookEntry, keeping: Keeping, done: (error: Error | undefined) => void = () => undefined): number {
    const text = entryText(entry);
    const sequence = this.#journal.append(Buffer.from(text), keeping, (error) => {
      if (error !== undefined && this.#failure === undefined) this.#onFailure('journal', error);
      // What promises nothing and could not be kept stays in memory, and reaches the books directly.
      this.#backlog.decided(sequence, error === undefined || !(entry.kind === 'hold' || entry.kind === 'cover') ? text : undefined);
      this.#applySoon();
      this.#failure = error;
      done(error);
    });
    this.#backlog.appended(sequence);
    return sequence;
  }

  /** Hands all that was appended to the operating system, now: a kill of this process cannot undo it afterwards. */
  flush(): void {
    this.#journal.flush();
  }

  /** Resolves when all that was appended so far survives a power cut, or has failed. */
  async synced(): Promise<void> {
    await this.#journal.synced();
  }

  /** As the journal's. */
  onceDurable(then: () => void): void {
    this.#journal.onceDurable(then);
  }

  /** Sums over all calls that have ended by now. */
  async spend(query: SpendQuery): Promise<SpendRow[]> {
    await this.#catchUp();
    return this.#books.spend(query);
  }

  async records(query: RecordQuery): Promise<CallRecord[]> {
    await this.#catchUp();
    return this.#books.records(query);
  }

  /** Deletes what is over. */
  async forget(retention: Retention): Promise<void> {
    while (await this.#books.forget(retention));
  }

  async object(workload: string, kind: KeptObject['kind'], id: string): Promise<KeptObject | undefined> {
    await this.#applyAll();
    return this.#books.object(workload, kind, id);
  }

  async objectIds(workload: string, kind: KeptObject['kind'], provider: string): Promise<string[]> {
    await this.#applyAll();
    return this.#books.objectIds(workload, kind, provider);
  }

  /** Records that were not delivered to the ledger service yet, those first that ended first. */
  async undelivered(count: number): Promise<CallRecord[]> {
    await this.#catchUp();
    return this.#books.undelivered(count);
  }

  async delivered(ids: readonly string[]): Promise<void> {
    await this.#books.delivered(ids);
    this.#applySoon();
  }

  async close(): Promise<void> {
    await this.#journal.synced();
    await this.#applyAll();
    this.#journal.release(await this.#books.checkpoint().catch(() => 0));
    await this.#journal.close();
    await this.#books.close();
  }

  async #catchUp(): Promise<void> {
    this.#journal.flush();
    await this.#applyAll();
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
    while (this.#applying !== undefined) await this.#applying.catch(() => undefined);
    while (!this.#backlog.isEmpty) {
      this.#applying = this.#apply();
      try {
        await this.#applying;
        this.#booksAreFull = false;
      } catch (error) {
        this.#booksAreFull = error instanceof BooksUnusable && error.fault === 'full';
        if (this.#booksAreFull) setTimeout(() => this.#applySoon(), FULL_RETRY_MS).unref();
        this.#onFailure('books', error instanceof Error ? error : new Error(String(error)));
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
    this.#onApplied();
    this.#sinceCheckpoint += texts.length;
    if (this.#sinceCheckpoint < CHECKPOINT_ENTRIES) return;
    this.#sinceCheckpoint = 0;
    this.#journal.release(await this.#books.checkpoint());
  }
}
