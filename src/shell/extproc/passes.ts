import { randomUUID } from 'node:crypto';
import type { Pass } from './session.ts';

/** Of calls that go on through an Envoy which asks as well: each has a word of its own for as long as it lasts. */
export class Passes {
  readonly #words = new Set<string>();

  issue(): Pass {
    const word = randomUUID();
    this.#words.add(word);
    return { word, end: () => void this.#words.delete(word) };
  }

  has(word: string): boolean {
    return this.#words.has(word);
  }
}
