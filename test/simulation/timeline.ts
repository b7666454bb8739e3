/** What happens when, in virtual time: a binary heap; of things at the same time, the one that was planned first comes first. */
export class Timeline {
  /** The true time in milliseconds; no part of the system sees it. */
  now = 0;
  readonly #heap: { readonly at: number; readonly sequence: number; readonly happen: () => void }[] = [];
  #sequence = 0;

  after(ms: number, happen: () => void): void {
    this.#heap.push({ at: this.now + Math.max(0, ms), sequence: this.#sequence++, happen });
    for (let index = this.#heap.length - 1; index > 0;) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** False where nothing is left to happen. */
  step(): boolean {
    const next = this.#heap[0];
    const last = this.#heap.pop();
    if (next === undefined || last === undefined) return false;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    this.now = next.at;
    next.happen();
    return true;
  }

  #sink(): void {
    for (let index = 0; ;) {
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
    return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
  }

  #swap(left: number, right: number): void {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    if (!a || !b) return;
    this.#heap[left] = b;
    this.#heap[right] = a;
  }
}
