import type { CallRecord } from '../../../core/call/index.ts';
import { keepRecords } from './records.ts';
import type { ToldRecords } from './records.ts';
import type { Session } from './session.ts';

/** Records in one transaction: as many as four processors may tell at once. */
const MAX_RECORDS = 2_000;

interface Waiting extends ToldRecords {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Adds records: all that has come while a transaction was under way goes with the next. */
export class Recorder {
  readonly #session: Session;
  #waiting: Waiting[] = [];
  #isWorking = false;

  constructor(session: Session) {
    this.#session = session;
  }

  add(processor: string, records: readonly CallRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ processor, records, resolve, reject });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    while (this.#waiting.length > 0) {
      const taken = this.#takeSome();
      await this.#keep(taken);
    }
    this.#isWorking = false;
  }

  async #keep(taken: readonly Waiting[]): Promise<void> {
    try {
      await this.#session.transaction('', (ask) => keepRecords(ask, taken));
      for (const { resolve } of taken) resolve();
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  }

  #takeSome(): Waiting[] {
    let [count, records] = [0, 0];
    while (count < this.#waiting.length && (count === 0 || records + (this.#waiting[count]?.records.length ?? 0) <= MAX_RECORDS)) {
      records += this.#waiting[count]?.records.length ?? 0;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
