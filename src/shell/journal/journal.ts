import { closeSync, constants, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, unlinkSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import { decodeEntries, encodeEntry } from './entry.ts';
import type { JournalEntry } from './entry.ts';

/** A segment's size. It is filled with zeros first: writing inside a file's length costs one flush instead of two. */
const SEGMENT_BYTES = 8 * 1024 * 1024;

/** An entry larger than this would be a bug: it holds figures and names only. */
const MAX_ENTRY_BYTES = 64 * 1024;

/** How long an entry may wait that nobody waits for. A crash within it makes its call a lost one, which is settled at the next start. */
const LAZY_MS = 5;

const SEGMENT_NAME = /^journal-\d{16}\.log$/;

interface Segment {
  readonly path: string;
  lastSequence: number;
}

interface Waiting {
  readonly bytes: Buffer;
  readonly sequence: number;
  readonly onDurable: (error: Error | undefined) => void;
}

export interface OpenedJournal {
  readonly journal: Journal;
  /** All that the folder holds, oldest first. */
  readonly entries: readonly JournalEntry[];
  /** Something is missing in the middle; `undefined` where all is well (a torn last entry is: nobody was told that it was kept). */
  readonly damage: string | undefined;
}

/**
 * An append-only log that survives power cuts. What is appended while a write is under way goes into the next one, so
 * many callers share one flush. Writes are done by the runtime's thread pool; the event loop never waits for the disk.
 */
export class Journal {
  readonly #folder: string;
  readonly #segments: Segment[];
  #descriptor: number | undefined;
  #offset = 0;
  #nextSequence: number;
  #queue: Waiting[] = [];
  #writing = false;
  /** Who waits for all up to an entry to be written or refused. */
  #barriers: { readonly sequence: number; readonly resolve: () => void }[] = [];
  #doneSequence: number;
  #lazyIsDue = false;

  private constructor(folder: string, segments: Segment[], nextSequence: number) {
    this.#folder = folder;
    this.#segments = segments;
    this.#nextSequence = nextSequence;
    this.#doneSequence = nextSequence - 1;
  }

  /** Reads what is there, and goes on in a new segment. Throws where the folder cannot be used. */
  static open(folder: string, appliedSequence: number): OpenedJournal {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const segments: Segment[] = [];
    const entries: JournalEntry[] = [];
    let damage: string | undefined;
    const names = readdirSync(folder).filter((name) => SEGMENT_NAME.test(name)).toSorted();
    names.forEach((name, index) => {
      const path = join(folder, name);
      const read = decodeEntries(readFileSync(path));
      const expected = (entries.at(-1)?.sequence ?? 0) + 1;
      if (index > 0 && read.entries[0] !== undefined && read.entries[0].sequence !== expected) damage = `${path} begins at entry ${read.entries[0].sequence}; ${expected} was expected`;
      entries.push(...read.entries);
      const last = read.entries.at(-1);
      if (last === undefined) unlinkSync(path);
      else segments.push({ path, lastSequence: last.sequence });
    });
    const next = Math.max(entries.at(-1)?.sequence ?? 0, appliedSequence) + 1;
    const journal = new Journal(folder, segments, next);
    journal.#startSegment(next);
    return { journal, entries, damage };
  }

  get lastSequence(): number {
    return this.#nextSequence - 1;
  }

  /**
   * Returns the entry's number at once; `onDurable` is told when a power cut can no longer undo it, or why it cannot be
   * kept. What nobody waits for (`lazy`) goes with the next entry that somebody does, or after a moment.
   */
  append(payload: Buffer, onDurable: (error: Error | undefined) => void, lazy = false): number {
    if (payload.length > MAX_ENTRY_BYTES) throw new RangeError(`a journal entry of ${payload.length} bytes; at most ${MAX_ENTRY_BYTES}`);
    const sequence = this.#nextSequence++;
    this.#queue.push({ bytes: encodeEntry({ sequence, payload }), sequence, onDurable });
    if (!lazy && !this.#writing) this.#writeNext();
    else if (lazy && !this.#lazyIsDue) this.#writeSoon();
    return sequence;
  }

  /** Segments that hold nothing beyond this entry are not needed any more. */
  release(appliedSequence: number): void {
    while (this.#segments.length > 1 && (this.#segments[0]?.lastSequence ?? 0) <= appliedSequence) {
      const segment = this.#segments.shift();
      if (segment !== undefined) unlinkSync(segment.path);
    }
  }

  /** Resolves when everything appended so far is written or has failed; what is appended later does not delay it. */
  async flushed(): Promise<void> {
    if (!this.#writing) this.#writeNext();
    const sequence = this.lastSequence;
    if (this.#doneSequence < sequence) await new Promise<void>((resolve) => this.#barriers.push({ sequence, resolve }));
  }

  async close(): Promise<void> {
    await this.flushed();
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #writeSoon(): void {
    this.#lazyIsDue = true;
    setTimeout(() => {
      this.#lazyIsDue = false;
      if (!this.#writing) this.#writeNext();
    }, LAZY_MS);
  }

  #writeNext(): void {
    const batch = this.#takeBatch();
    if (batch.length === 0) return;
    this.#writing = true;
    const bytes = batch.length === 1 ? (batch[0]?.bytes ?? Buffer.alloc(0)) : Buffer.concat(batch.map((waiting) => waiting.bytes));
    try {
      if (this.#descriptor === undefined || this.#offset + bytes.length > SEGMENT_BYTES) this.#startSegment(batch[0]?.sequence ?? this.#nextSequence);
    } catch (error) {
      return this.#written(batch, asError(error), 0);
    }
    this.#writeAll(bytes, 0, (error) => this.#written(batch, error, bytes.length));
  }

  /** One write may take only a part (a full disk does so before it fails). */
  #writeAll(bytes: Buffer, from: number, done: (error: Error | undefined) => void): void {
    if (this.#descriptor === undefined) return done(new Error('the journal is closed'));
    write(this.#descriptor, bytes, from, bytes.length - from, this.#offset + from, (error, count) => {
      if (error !== null) done(error);
      else if (from + count < bytes.length) this.#writeAll(bytes, from + count, done);
      else done(undefined);
    });
  }

  #takeBatch(): Waiting[] {
    let size = 0;
    const fits = this.#queue.findIndex(({ bytes }) => (size += bytes.length) > SEGMENT_BYTES);
    return this.#queue.splice(0, fits < 0 ? this.#queue.length : fits);
  }

  #written(batch: readonly Waiting[], error: Error | undefined, length: number): void {
    const segment = this.#segments.at(-1);
    if (error === undefined) {
      this.#offset += length;
      if (segment !== undefined) segment.lastSequence = batch.at(-1)?.sequence ?? segment.lastSequence;
    }
    this.#writing = false;
    this.#doneSequence = batch.at(-1)?.sequence ?? this.#doneSequence;
    for (const { onDurable } of batch) onDurable(error);
    const passed = this.#barriers.filter(({ sequence }) => sequence <= this.#doneSequence);
    this.#barriers = this.#barriers.filter(({ sequence }) => sequence > this.#doneSequence);
    for (const { resolve } of passed) resolve();
    if (!this.#writing) this.#writeNext();
  }

  #startSegment(firstSequence: number): void {
    const path = join(this.#folder, `journal-${String(firstSequence).padStart(16, '0')}.log`);
    const filled = openSync(path, constants.O_CREAT | constants.O_RDWR, 0o600);
    try {
      writeSync(filled, Buffer.alloc(SEGMENT_BYTES), 0, SEGMENT_BYTES, 0);
      fsyncSync(filled);
    } finally {
      closeSync(filled);
    }
    syncFolder(this.#folder);
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = openSync(path, constants.O_RDWR | (constants.O_DSYNC ?? constants.O_SYNC));
    this.#offset = 0;
    this.#segments.push({ path, lastSequence: 0 });
  }
}

/** A new file's name is as durable as its folder. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
