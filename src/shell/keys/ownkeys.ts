/** An application that has sent none for so long has stopped, or calls so seldom that it says so again when it calls. */
const LATELY_MS = 10 * 60_000;

/** Where an application lately sent keys of its own. The keys themselves are not known here, nor anywhere in this process. */
export class OwnKeys {
  /** By host of the provider, in milliseconds of the clock. */
  readonly #seen = new Map<string, number>();
  readonly #now: () => number;

  /** `now`: milliseconds, which never jump. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** As many as there are providers. */
  saw(host: string): void {
    this.#seen.set(host, this.#now());
  }

  /** Sorted. */
  hosts(): readonly string[] {
    const since = this.#now() - LATELY_MS;
    for (const [host, at] of this.#seen) if (at <= since) this.#seen.delete(host);
    return [...this.#seen.keys()].toSorted();
  }
}
