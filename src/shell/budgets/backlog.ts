interface Kept {
  readonly sequence: number;
  readonly text: string;
}

/** The next entries for the books, and up to where the journal is theirs once they have them. */
export interface Step {
  readonly texts: readonly string[];
  readonly appliedSequence: number;
}

/**
 * Journal entries on their way to the books. A flush ends later than a write, so they are kept in another order than they
 * were appended; "applied up to here" may be said only where nothing before it is still to come, since a restart reads
 * the journal from there.
 */
export class Backlog {
  /** Appended, and not known to be kept yet. In the order of their numbers. */
  readonly #open = new Set<number>();
  #kept: Kept[] = [];
  #last = 0;

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  appended(sequence: number): void {
    this.#open.add(sequence);
    this.#last = sequence;
  }

  /** `text` where the books shall have it. */
  decided(sequence: number, text: string | undefined): void {
    this.#open.delete(sequence);
    if (text !== undefined) this.#kept.push({ sequence, text });
  }

  next(count: number): Step {
    const [open] = this.#open;
    const lowest = this.#kept.slice(count).reduce((least, { sequence }) => Math.min(least, sequence), open ?? Number.POSITIVE_INFINITY);
    return { texts: this.#kept.slice(0, count).map(({ text }) => text), appliedSequence: Math.min(this.#last, lowest - 1) };
  }

  drop(count: number): void {
    this.#kept.splice(0, count);
  }
}
