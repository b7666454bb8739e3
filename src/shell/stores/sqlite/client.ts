import { Worker } from 'node:worker_threads';
import type { CallRecord, KeptObject } from '../../../core/call/index.ts';
import type { BooksState, SpendGrouping, SpendRow } from './books.ts';
import type { BooksCommand, BooksFault, BooksOpened, BooksPlace, BooksReply } from './worker.ts';

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
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: BooksReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.ok) waiting?.resolve(reply.value);
      else waiting?.reject(new BooksUnusable(reply.error, reply.fault));
    });
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => this.#fail(new Error('the thread of the books has ended')));
  }

  /** `delivers`: records go on to a ledger service. Rejects with BooksUnusable. */
  static async open(path: string, delivers = false): Promise<BooksClient> {
    const worker = new Worker(new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url), {
      workerData: { path, delivers } satisfies BooksPlace,
      resourceLimits: MEMORY,
    });
    const opened = await new Promise<BooksOpened>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if (opened.opened) return new BooksClient(worker);
    await worker.terminate();
    throw new BooksUnusable(opened.error, opened.fault);
  }

  state(): Promise<BooksState> {
    return this.#ask({ kind: 'state' }) as Promise<BooksState>;
  }

  async apply(entries: readonly string[], appliedSequence: number): Promise<void> {
    await this.#ask({ kind: 'apply', entries, appliedSequence });
  }

  spend(by: SpendGrouping, sinceMs: number): Promise<SpendRow[]> {
    return this.#ask({ kind: 'spend', by, sinceMs }) as Promise<SpendRow[]>;
  }

  records(count: number): Promise<CallRecord[]> {
    return this.#ask({ kind: 'records', count }) as Promise<CallRecord[]>;
  }

  checkpoint(): Promise<number> {
    return this.#ask({ kind: 'checkpoint' }) as Promise<number>;
  }

  forget(beforeMs: number, nowMs: number): Promise<boolean> {
    return this.#ask({ kind: 'forget', beforeMs, nowMs }) as Promise<boolean>;
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

  async delivered(records: readonly Pick<CallRecord, 'id' | 'endedAt'>[]): Promise<void> {
    await this.#ask({ kind: 'delivered', records: records.map(({ id, endedAt }) => ({ id, endedAt })) });
  }

  async close(): Promise<void> {
    await this.#ask({ kind: 'close' });
    await this.#worker.terminate();
  }

  #ask(command: BooksCommand): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, command });
    });
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
