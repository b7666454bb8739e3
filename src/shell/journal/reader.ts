import { closeSync, openSync, readSync } from 'node:fs';
import { BLOCK_HEADER_BYTES, SEGMENT_HEADER_BYTES, decodeBlock, decodeBlockHeader } from './block.ts';
import type { Block, JournalEntry } from './block.ts';
import { JournalFailure } from './failure.ts';
import { hasHeader, listSegments } from './segments.ts';

/** Follows a journal that another thread writes. Blocks its own thread while it reads. */
export class JournalReader {
  readonly #folder: string;
  #nextSequence: number;
  #descriptor: number | undefined;
  #path = '';
  #offset = 0;
  readonly #header = Buffer.alloc(BLOCK_HEADER_BYTES);

  /** Gives what comes after an entry. */
  constructor(folder: string, afterSequence: number) {
    this.#folder = folder;
    this.#nextSequence = afterSequence + 1;
  }

  /**
   * The next entries up to one that is known to be durable, at least a block of them and then no more than about `limit`.
   * Empty when there are none. Throws JournalFailure where they cannot be read.
   */
  read(throughSequence: number, limit: number): JournalEntry[] {
    const entries: JournalEntry[] = [];
    while (this.#nextSequence <= throughSequence && entries.length < limit) {
      const block = this.#nextBlock();
      // The first block may begin with entries that were read before the reader was made.
      for (const entry of block.entries) if (entry.sequence >= this.#nextSequence) entries.push(entry);
      this.#nextSequence = block.nextSequence;
    }
    return entries;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #nextBlock(): Block {
    for (;;) {
      const block = this.#descriptor === undefined ? undefined : this.#blockAt(this.#descriptor);
      if (block === undefined) {
        this.#openNext();
        continue;
      }
      this.#offset += block.end;
      // An empty block only shows that the disk can be written again.
      if (block.nextSequence > this.#nextSequence) return block;
    }
  }

  #blockAt(descriptor: number): Block | undefined {
    if (readSync(descriptor, this.#header, 0, BLOCK_HEADER_BYTES, this.#offset) < BLOCK_HEADER_BYTES) return undefined;
    const header = decodeBlockHeader(this.#header);
    if (header === undefined || header.firstSequence + header.count < this.#nextSequence) {
      return header !== undefined && header.firstSequence < this.#nextSequence ? this.#skippable(descriptor, header.length) : undefined;
    }
    return this.#whole(descriptor, header.length);
  }

  /** A block that was read before; of a reused file's old blocks none can follow one that is whole and new. */
  #skippable(descriptor: number, length: number): Block | undefined {
    return this.#offset < this.#startedAt ? this.#whole(descriptor, length) : undefined;
  }

  #whole(descriptor: number, length: number): Block | undefined {
    const bytes = Buffer.allocUnsafe(BLOCK_HEADER_BYTES + length);
    return readSync(descriptor, bytes, 0, bytes.length, this.#offset) < bytes.length ? undefined : decodeBlock(bytes, 0);
  }
}
