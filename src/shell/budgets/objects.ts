import { setImmediate } from 'node:timers/promises';
import type { KeptObject, StateBook } from '../../core/call/index.ts';
import type { DurableBudgets } from './durable.ts';

/** Objects that are known without asking the books; the one that was heard of longest ago makes room. */
const MAX_IN_MEMORY = 20_000;

/** Told of batches, which somebody has to look after. */
export interface BatchListener {
  /** Also where a batch is said to be open once more. */
  opened(batch: KeptObject): void;
  /** It was deleted at its provider before it was settled. */
  deleted(batch: KeptObject): void;
  /** Looks at it at once; resolves when that is done, whatever came of it. */
  settleNow(batch: KeptObject): Promise<void>;
}

/** Whose what is: the latest in memory, all of it in the books, and every change in the journal before anybody is told of it. */
export class ObjectBook implements StateBook {
  readonly #budgets: DurableBudgets;
  readonly #latest = new Map<string, KeptObject>();
  #listener: BatchListener | undefined;

  constructor(budgets: DurableBudgets) {
    this.#budgets = budgets;
  }

  set listener(listener: BatchListener) {
    this.#listener = listener;
  }

  async find(workload: string, kind: KeptObject['kind'], id: string): Promise<KeptObject | undefined> {
    return this.#latest.get(keyOf(workload, kind, id)) ?? this.#budgets.object(workload, kind, id);
  }

  async idsOf(workload: string, kind: KeptObject['kind'], provider: string): Promise<ReadonlySet<string>> {
    return new Set(await this.#budgets.objectIds(workload, kind, provider));
  }

  keep(object: KeptObject): void {
    const key = keyOf(object.workload, object.kind, object.id);
    const known = this.#latest.get(key);
    // Callers ask for the same things over and over.
    if (known !== undefined && JSON.stringify({ ...known, at: 0 }) === JSON.stringify({ ...object, at: 0 })) return;
    this.#latest.delete(key);
    this.#latest.set(key, object);
    const [oldest] = this.#latest.size > MAX_IN_MEMORY ? this.#latest.keys() : [];
    if (oldest !== undefined) this.#latest.delete(oldest);
    this.#budgets.keepObject({ kind: 'keep', object });
    if (object.open !== undefined) this.#listener?.opened(object);
  }

  forget(object: KeptObject): void {
    this.#latest.delete(keyOf(object.workload, object.kind, object.id));
    this.#budgets.keepObject({ kind: 'forget', object });
    if (object.open !== undefined) this.#listener?.deleted(object);
  }

  async settle(batch: KeptObject): Promise<void> {
    await this.#listener?.settleNow(batch);
  }

  async nextTurn(): Promise<void> {
    await setImmediate();
  }
}

const keyOf = (workload: string, kind: string, id: string): string => `${workload} ${kind} ${id}`;
