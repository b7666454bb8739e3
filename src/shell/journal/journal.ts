import { mkdirSync, unlinkSync } from 'node:fs';
import { MAX_PAYLOAD_BYTES, encodeEntry, encodeSkip } from './entry.ts';
import type { JournalEntry } from './entry.ts';
import { readJournal } from './recovery.ts';
import { prepareSpare, removeSpare, Segment, SEGMENT_BYTES } from './segment.ts';

/** Entries of one write; far below a segment, so that a backlog fits. */
const MAX_WRITE_BYTES = SEGMENT_BYTES / 4;

/** How long an entry may wait that nobody waits for. */
const LAZY_MS = 5;

/** How soon what was written is flushed although nobody waits for it. */
const SYNC_SOON_MS = 5;

/**
 * What an entry's `done` is told of. `written`: the operating system has it, and a kill of this process cannot undo it.
 * `durable`: the disk has it, and a power cut cannot. `lazy`: as written, but it goes with the next one, or after a moment.
 */
export type Keeping = 'written' | 'durable' | 'lazy';

type Done = (error: Error | undefined) => void;

interface Pending {
  readonly bytes: Buffer;
  readonly sequence: number;
  readonly keeping: Keeping;
  readonly done: Done;
}

export interface OpenedJournal {
  readonly journal: Journal;
  /** All that the folder holds beyond what is applied, oldest first. */
  readonly entries: readonly JournalEntry[];
  /** Entries are missing in the middle, and those behind them were left out; `undefined` where all is well (a torn end is). */
  readonly gap: string | undefined;
}

/**
 * An append-only log. Entries of one turn of the event loop go to the operating system in one write; flushes to the disk
 * are done by the runtime's thread pool, one after another, each for all that was written before it began.
 */
export class Journal {
  readonly #folder: string;
  /** Of the disk, what new segments leave to others. */
  readonly #leftBytes: () => number;
  /** Former segments, which may be released; the present one is not among them. */
  readonly #old: { readonly path: string; readonly lastSequence: number }[];
  #segment: Segment | undefined;
  /** Segments with bytes that no flush has covered, the present one last. */
  #dirty: Segment[] = [];
  /** Segments that are being flushed. */
  #flushing: readonly Segment[] = [];
  #nextSequence: number;
  #queue: Pending[] = [];
  /** Written and not flushed: written again elsewhere if the flush fails, as the file is not to be trusted then. */
  #unsynced: Pending[] = [];
  /** The first number that could not be written since the last write. */
  #skippedFrom: number | undefined;
  #writeIsDue = false;
  #lazyTimer: NodeJS.Timeout | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;
  #spare: Promise<void> | undefined;
  /** What the flush that runs is for. */
  #syncingEntries: readonly Pending[] = [];
  readonly #whenDurable: { readonly sequence: number; readonly tell: () => void }[] = [];
  #onSynced: (sequence: number) => void = () => undefined;

  private constructor(folder: string, old: { readonly path: string; readonly lastSequence: number }[], nextSequence: number, leftBytes: () => number) {
    this.#folder = folder;
    this.#leftBytes = leftBytes;
    this.#old = old;
    this.#nextSequence = nextSequence;
  }

  /** Reads what is there, and goes on in a new segment. Later ones leave `leftBytes()` of the disk free. Throws where the folder cannot be used. */
  static open(folder: string, appliedSequence: number, leftBytes = () => 0): OpenedJournal {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    removeSpare(folder);
    const { segments, entries, gap } = readJournal(folder, appliedSequence);
    const old = segments.flatMap(({ path, lastSequence }) => (lastSequence === undefined ? [] : [{ path, lastSequence }]));
    for (const { path, lastSequence } of segments) if (lastSequence === undefined) unlinkSync(path);
    // Behind what was left out too, so that no number means two entries.
    const last = Math.max(appliedSequence, entries.at(-1)?.sequence ?? 0, ...old.map(({ lastSequence }) => lastSequence));
    const journal = new Journal(folder, old, last + 1, leftBytes);
    journal.#startSegment(last + 1, 0);
    return { journal, entries, gap };
  }

  get lastSequence(): number {
    return this.#nextSequence - 1;
  }

  /** Told, after each flush, up to which entry a power cut can undo nothing any more. */
  set onSynced(listener: (sequence: number) => void) {
    this.#onSynced = listener;
  }

  /** Returns the entry's number at once; `done` is told when it is kept, or why it cannot be. */
  append(payload: Buffer, keeping: Keeping, done: Done): number {
    if (payload.length > MAX_PAYLOAD_BYTES) throw new RangeError(`a journal entry of ${payload.length} bytes; at most ${MAX_PAYLOAD_BYTES}`);
    const sequence = this.#nextSequence++;
    this.#queue.push({ bytes: encodeEntry({ sequence, payload }), sequence, keeping, done });
    if (keeping === 'lazy') this.#lazyTimer ??= setTimeout(() => this.flush(), LAZY_MS);
    else if (!this.#writeIsDue) {
      this.#writeIsDue = true;
      // Whatever else this turn of the loop brings shares the write.
      setImmediate(() => this.flush());
    }
    return sequence;
  }

  /** Writes all that was appended so far, now. */
  flush(): void {
    clearTimeout(this.#lazyTimer);
    this.#lazyTimer = undefined;
    this.#writeIsDue = false;
    while (this.#queue.length > 0) this.#writeBatch(this.#takeBatch());
    if (this.#unsynced.some(({ keeping }) => keeping === 'durable')) void this.synced();
    else if (this.#unsynced.length > 0) this.#syncTimer ??= setTimeout(() => void this.synced(), SYNC_SOON_MS);
  }

  /** Resolves when all that was appended so far is on the disk, or has failed. */
  async synced(): Promise<void> {
    if (this.#queue.length > 0) this.flush();
    while (this.#syncing !== undefined) await this.#syncing;
    if (this.#unsynced.length === 0) return;
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    this.#syncing = this.#sync();
    await this.#syncing;
  }

  /**
   * Calls back when all that was appended so far is on the disk, apart from what could not be written at all; at once where
   * it is there already. As long as flushes fail it waits.
   */
  onceDurable(tell: () => void): void {
    if (this.#firstOpen > this.lastSequence) return tell();
    this.#whenDurable.push({ sequence: this.lastSequence, tell });
    void this.synced();
  }

  /** Segments that hold nothing beyond this entry are not needed any more. */
  release(appliedSequence: number): void {
    while ((this.#old[0]?.lastSequence ?? Number.POSITIVE_INFINITY) <= appliedSequence) {
      const segment = this.#old.shift();
      if (segment !== undefined) unlinkSync(segment.path);
    }
  }

  async close(): Promise<void> {
    await this.synced();
    clearTimeout(this.#syncTimer);
    await this.#spare;
    this.#segment?.close();
    this.#segment = undefined;
    removeSpare(this.#folder);
  }

  /** The first entry that waits to be written or flushed. */
  get #firstOpen(): number {
    const [flushing, written, queued] = [this.#syncingEntries[0], this.#unsynced[0], this.#queue[0]];
    return Math.min(flushing?.sequence ?? Infinity, written?.sequence ?? Infinity, queued?.sequence ?? Infinity);
  }

  #tellDurable(): void {
    const open = this.#firstOpen;
    while ((this.#whenDurable[0]?.sequence ?? Infinity) < open) this.#whenDurable.shift()?.tell();
  }

  #takeBatch(): Pending[] {
    let size = 0;
    const fits = this.#queue.findIndex(({ bytes }) => (size += bytes.length) > MAX_WRITE_BYTES);
    return this.#queue.splice(0, fits < 0 ? this.#queue.length : fits);
  }

  #writeBatch(batch: readonly Pending[]): void {
    const first = batch[0]?.sequence ?? this.#nextSequence;
    const skip = this.#skippedFrom === undefined ? [] : [encodeSkip(this.#skippedFrom, first - 1)];
    const bytes = Buffer.concat([...skip, ...batch.map((pending) => pending.bytes)]);
    try {
      if (this.#segment?.fits(bytes.length) !== true) this.#startSegment(first, this.#leftBytes());
      const segment = this.#segment as Segment;
      segment.write(bytes);
      segment.lastSequence = batch.at(-1)?.sequence ?? segment.lastSequence;
      if (segment.used > SEGMENT_BYTES / 2) this.#spare ??= prepareSpare(this.#folder, this.#leftBytes());
      if (this.#dirty.at(-1) !== segment) this.#dirty.push(segment);
    } catch (error) {
      this.#skippedFrom ??= first;
      for (const { done } of batch) done(asError(error));
      this.#tellDurable();
      return;
    }
    this.#skippedFrom = undefined;
    for (const pending of batch) {
      this.#unsynced.push(pending);
      if (pending.keeping !== 'durable') pending.done(undefined);
    }
  }

  /** Older segments first: what is told to be durable has nothing missing before it. */
  async #sync(): Promise<void> {
    const entries = this.#unsynced;
    const segments = this.#dirty;
    this.#unsynced = [];
    this.#dirty = [];
    this.#flushing = segments;
    this.#syncingEntries = entries;
    let failure: Error | undefined;
    try {
      for (const segment of segments) await segment.sync();
    } catch (error) {
      failure = asError(error);
      this.#writeAgain(entries);
    }
    this.#flushing = [];
    this.#syncingEntries = [];
    this.#syncing = undefined;
    for (const segment of segments) this.#closeIfDone(segment);
    if (failure === undefined) this.#onSynced(entries.at(-1)?.sequence ?? 0);
    for (const { keeping, done } of entries) if (keeping === 'durable') done(failure);
    this.#tellDurable();
    if (this.#unsynced.length > 0) this.flush();
  }

  /** After a failed flush nobody knows what the file holds: its entries go to a new one, with those behind them. */
  #writeAgain(entries: readonly Pending[]): void {
    const again = [...entries, ...this.#unsynced].map((pending): Pending => ({ ...pending, keeping: 'lazy', done: () => undefined }));
    const behind = this.#unsynced.filter(({ keeping }) => keeping === 'durable');
    this.#unsynced = [];
    this.#dirty = [];
    this.#retire();
    this.#queue.unshift(...again);
    for (const { done } of behind) done(new Error('a flush before this entry failed'));
    this.#lazyTimer ??= setTimeout(() => this.flush(), LAZY_MS);
  }

  /** The present segment takes no more. */
  #retire(): void {
    const segment = this.#segment;
    this.#segment = undefined;
    if (segment === undefined) return;
    this.#old.push({ path: segment.path, lastSequence: segment.lastSequence });
    this.#closeIfDone(segment);
  }

  #closeIfDone(segment: Segment): void {
    if (segment !== this.#segment && !this.#dirty.includes(segment) && !this.#flushing.includes(segment)) segment.close();
  }

  #startSegment(firstSequence: number, leftBytes: number): void {
    this.#retire();
    this.#segment = Segment.create(this.#folder, firstSequence, leftBytes);
    this.#spare = undefined;
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
