import type { MonotonicMs } from '../units/index.ts';
import type { Candidate } from './candidate.ts';

/** Decided candidates stay in the heap until they come up, or until they outnumber those who wait by this. */
const SLACK = 64;

/** Who waits, by deadline: a binary heap; of equal deadlines, the first come is first. */
export class Deadlines {
  #heap: { readonly candidate: Candidate; readonly sequence: number }[] = [];
  #sequence = 0;

  add(candidate: Candidate, waitingCount: number): void {
    if (this.#heap.length > 2 * waitingCount + SLACK) this.#compact();
    this.#heap.push({ candidate, sequence: this.#sequence++ });
    this.#siftUp(this.#heap.length - 1);
  }

  /** The earliest deadline of those who still wait. */
  next(): MonotonicMs | undefined {
    while (this.#heap[0] && !this.#heap[0].candidate.isWaiting) this.#pop();
    return this.#heap[0]?.candidate.deadline;
  }

  takeDue(now: MonotonicMs): Candidate | undefined {
    const next = this.next();
    return next !== undefined && next <= now ? this.#pop() : undefined;
  }

  #compact(): void {
    const waiting = this.#heap.filter(({ candidate }) => candidate.isWaiting);
    this.#heap = waiting;
    for (let index = waiting.length >> 1; index >= 0; index -= 1) this.#siftDown(index);
  }

  #pop(): Candidate | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (last && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#siftDown(0);
    }
    return top?.candidate;
  }

  #siftUp(start: number): void {
    for (let index = start; index > 0;) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #siftDown(start: number): void {
    for (let index = start; ;) {
      let first = index;
      for (const child of [2 * index + 1, 2 * index + 2]) if (child < this.#heap.length && this.#isBefore(child, first)) first = child;
      if (first === index) return;
      this.#swap(index, first);
      index = first;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    if (!a || !b) return false;
    return a.candidate.deadline - b.candidate.deadline < 0 || (a.candidate.deadline === b.candidate.deadline && a.sequence < b.sequence);
  }

  #swap(left: number, right: number): void {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    if (!a || !b) return;
    this.#heap[left] = b;
    this.#heap[right] = a;
  }
}
