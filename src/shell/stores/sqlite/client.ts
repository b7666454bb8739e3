import type { CallRecord, KeptObject, RecordQuery, SpendQuery, SpendRow } from '../../../core/call/index.ts';
import type { BooksState, Retention } from './books.ts';
import { besides, Thread, ThreadFault } from './thread.ts';
import type { BooksCommand, BooksFault, BooksPlace } from './worker.ts';

/** The books could not be opened, read or written. Only what is damaged may be put aside. */
export class BooksUnusable extends Error {
  readonly fault: BooksFault;

  constructor(message: string, fault: BooksFault) {
    super(message);
    this.fault = fault;
  }
}

/** The thread's heap: it holds one step of entries at a time. Without a bound its young generation alone grows to 50 MB. */
const MEMORY = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 };

/** The books, asked from another thread. */
export class BooksClient {
  readonly #thread: Thread<BooksCommand>;

  private constructor(thread: Thread<BooksCommand>) {
    this.#thread = thread;
  }

  /** `delivers`: records go on to a ledger service. Rejects with BooksUnusable. */
  static async open(path: string, delivers = false): Promise<BooksClient> {
    const workerData = { path, delivers } satisfies BooksPlace;
    const thread = await Thread.open<BooksCommand>(besides('worker', import.meta.url), { workerData, resourceLimits: MEMORY }).catch(asUnusable);
    return new BooksClient(thread);
  }

  state(): Promise<BooksState> {
    return this.#ask({ kind: 'state' }) as Promise<BooksState>;
  }

  async apply(entries: readonly string[], appliedSequence: number): Promise<void> {
    await this.#ask({ kind: 'apply', entries, appliedSequence });
  }

  spend(query: SpendQuery): Promise<SpendRow[]> {
    return this.#ask({ kind: 'spend', query }) as Promise<SpendRow[]>;
  }

  records(query: RecordQuery): Promise<CallRecord[]> {
    return this.#ask({ kind: 'records', query }) as Promise<CallRecord[]>;
  }

  checkpoint(): Promise<number> {
    return this.#ask({ kind: 'checkpoint' }) as Promise<number>;
  }

  forget(retention: Retention): Promise<boolean> {
    return this.#ask({ kind: 'forget', retention }) as Promise<boolean>;
  }

  object(workload: string, kind: KeptObject['kind'], id: string): Promise<KeptObject | undefined> {
    return this.#ask({ kind: 'object', workload, of: kind, id }) as Promise<KeptObject | undefined>;
  }

  objectIds(workload: string, kind: KeptObject['kind'], provider: string): Promise<string[]> {
    return this.#ask({ kind: 'objectIds', workload, of: kind, provider }) as Promise<string[]>;
  }

  undelivered(count: number): Promise<CallRecord[]> {
    return this.#ask({ kind: 'undelivered', count }) as Promise<CallRecord[]>;
  }

  async delivered(ids: readonly string[]): Promise<void> {
    await this.#ask({ kind: 'delivered', ids });
  }

  async limit(maxBytes: number): Promise<void> {
    await this.#ask({ kind: 'limit', maxBytes });
  }

  async close(): Promise<void> {
    await this.#ask({ kind: 'close' });
    await this.#thread.terminate();
  }

  #ask(command: BooksCommand): Promise<unknown> {
    return this.#thread.ask(command).catch(asUnusable);
  }
}

function asUnusable(error: unknown): never {
  throw error instanceof ThreadFault ? new BooksUnusable(error.message, error.fault as BooksFault) : error;
}
