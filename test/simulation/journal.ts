import type { Hold } from '../../src/core/ledger/index.ts';

export type JournalEntry =
  | { readonly kind: 'lease_begun' | 'lease_ended'; readonly lease: number }
  | { readonly kind: 'hold'; readonly id: string; readonly holds: readonly Hold[] }
  | { readonly kind: 'settle'; readonly id: string; readonly posted: readonly Hold[] };

/** A processor's disk. A kill leaves all that was written; a power cut what was flushed; a pod that is gone nothing. */
export class Journal {
  entries: JournalEntry[] = [];
  #flushed = 0;
  #waiting: (() => void)[] = [];

  get isFlushed(): boolean {
    return this.#flushed === this.entries.length && this.#waiting.length === 0;
  }

  append(entry: JournalEntry): void {
    this.entries.push(entry);
  }

  /** When all that is written by now is flushed. */
  whenFlushed(then: () => void): void {
    this.#waiting.push(then);
  }

  flush(): void {
    this.#flushed = this.entries.length;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then();
  }

  end(how: 'kill' | 'power cut' | 'disk loss'): void {
    this.#waiting = [];
    if (how === 'power cut') this.entries.length = this.#flushed;
    if (how === 'disk loss') this.entries = [];
    this.#flushed = this.entries.length;
  }
}
