import type { Entry, LeaseEntry, LeaseNumber } from '../../core/leases/index.ts';

/** Whose lease is which, as far as the authority knows of it. */
export class Leaseholders {
  readonly #leases = new Map<LeaseNumber, LeaseEntry>();
  readonly #byProcessor = new Map<string, Set<LeaseNumber>>();

  learn(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      if (entry.kind !== 'lease') continue;
      if (entry.state === 'gone') this.#forget(entry);
      else this.#keep(entry);
    }
  }

  processorOf(lease: LeaseNumber): string | undefined {
    return this.#leases.get(lease)?.processor;
  }

  /** Its leases that are not gone. */
  *of(processor: string): Generator<LeaseEntry> {
    for (const number of this.#byProcessor.get(processor) ?? []) {
      const lease = this.#leases.get(number);
      if (lease !== undefined) yield lease;
    }
  }

  #keep(entry: LeaseEntry): void {
    this.#leases.set(entry.lease, entry);
    const leases = this.#byProcessor.get(entry.processor) ?? new Set();
    this.#byProcessor.set(entry.processor, leases.add(entry.lease));
  }

  #forget({ lease, processor }: LeaseEntry): void {
    this.#leases.delete(lease);
    const leases = this.#byProcessor.get(processor);
    leases?.delete(lease);
    if (leases?.size === 0) this.#byProcessor.delete(processor);
  }
}
