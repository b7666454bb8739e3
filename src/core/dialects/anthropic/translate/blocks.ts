import type { Wire } from './write-content.ts';

/** Characters of deltas that wait for the blocks before theirs; an answer of real models is a tenth of it. */
const MAX_HELD_CHARS = 16 * 1024 * 1024;

/** What a block is: the same kind goes on with it, another begins one of its own. Tool calls are told apart by their number. */
export type BlockKind = 'text' | 'thinking' | 'sealed' | `call ${number}`;

/** Takes an event of a stream. */
export type Emit = (event: Wire) => void;

interface Block {
  readonly kind: BlockKind;
  readonly begin: Wire;
  /** Deltas that wait, and their size. */
  readonly held: Wire[];
  heldChars: number;
  /** Nothing more belongs to it. */
  isSealed: boolean;
  readonly input: ObjectProgress;
}

/**
 * Puts blocks one after another. The first is on the wire; those behind it wait until it is done, which a tool call is once
 * its input is a whole object, and text once anything else began. So calls that follow each other are passed on as they
 * come, and only such as interleave are held back.
 */
export class BlockSequence {
  readonly #emit: Emit;
  readonly #blocks: Block[] = [];
  #index = 0;
  #heldChars = 0;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** More is held back than there is room for. */
  get overflows(): boolean {
    return this.#heldChars > MAX_HELD_CHARS;
  }

  /** Begins a block. */
  begin(kind: BlockKind, begin: Wire): void {
    this.#blocks.push({ kind, begin, held: [], heldChars: 0, isSealed: kind === 'sealed', input: new ObjectProgress() });
    if (this.#blocks.length === 1) this.#emit({ type: 'content_block_start', index: this.#index, content_block: begin });
    else this.#advance();
  }

  /** Whether a block of this kind takes more: a call by its number, text and thinking as the last. */
  isOpen(kind: BlockKind): boolean {
    return this.#find(kind) !== undefined;
  }

  /** Adds to a block, unless that has ended. `text`: what of a tool's input it holds. */
  add(kind: BlockKind, delta: Wire, text: string): void {
    const block = this.#find(kind);
    if (block === undefined) return;
    block.input.push(text);
    if (block === this.#blocks[0]) this.#emitDelta(delta);
    else {
      block.held.push(delta);
      block.heldChars += text.length;
      this.#heldChars += text.length;
    }
    this.#advance();
  }

  /** Ends the thinking that is open, so that more of it begins anew. */
  seal(kind: BlockKind): void {
    const block = this.#find(kind);
    if (block !== undefined) block.isSealed = true;
  }

  /** Ends all blocks. */
  finish(): void {
    while (this.#blocks.length > 0) this.#next();
  }

  #find(kind: BlockKind): Block | undefined {
    const last = this.#blocks.at(-1);
    if (!kind.startsWith('call')) return last?.kind === kind && !last.isSealed ? last : undefined;
    return this.#blocks.find((block) => block.kind === kind);
  }

  #advance(): void {
    while (this.#blocks.length > 1 && isDone(this.#blocks[0])) this.#next();
  }

  /** Ends the first block, and puts the one behind it on the wire. */
  #next(): void {
    this.#blocks.shift();
    this.#emit({ type: 'content_block_stop', index: this.#index++ });
    const next = this.#blocks[0];
    if (next === undefined) return;
    this.#emit({ type: 'content_block_start', index: this.#index, content_block: next.begin });
    for (const delta of next.held) this.#emitDelta(delta);
    this.#heldChars -= next.heldChars;
  }

  #emitDelta(delta: Wire): void {
    this.#emit({ type: 'content_block_delta', index: this.#index, delta });
  }
}

function isDone(block: Block | undefined): boolean {
  return block !== undefined && (!block.kind.startsWith('call') || block.input.isWhole);
}

const BACKSLASH = '\\';

/** Follows a JSON object as it is written, to tell when it is whole. What is no JSON is told so at some time or other, and harms nothing. */
class ObjectProgress {
  isWhole = false;
  #depth = 0;
  #inString = false;
  #escaped = false;

  push(text: string): void {
    for (const letter of text) {
      if (this.#escaped) this.#escaped = false;
      else if (letter === BACKSLASH) this.#escaped = this.#inString;
      else if (letter === '"') this.#inString = !this.#inString;
      else if (!this.#inString) this.#bracket(letter);
    }
  }

  #bracket(letter: string): void {
    if (letter === '{' || letter === '[') this.#depth++;
    else if (letter === '}' || letter === ']') this.isWhole ||= --this.#depth <= 0;
  }
}
