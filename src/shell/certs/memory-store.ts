import type { AuthorityStore, Kept } from './store.ts';

/** For tests, and for what need not outlive a process. */
export class MemoryAuthorityStore implements AuthorityStore {
  readonly place = 'memory';
  #kept: Kept | undefined;
  #revision = 0;

  read(): Promise<Kept | undefined> {
    return Promise.resolve(this.#kept);
  }

  replace(expected: string | undefined, text: string): Promise<boolean> {
    if (this.#kept?.revision !== expected) return Promise.resolve(false);
    this.#kept = { text, revision: String(++this.#revision) };
    return Promise.resolve(true);
  }
}
