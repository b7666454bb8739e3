import { Worker } from 'node:worker_threads';
import type { WorkerOptions } from 'node:worker_threads';
import type { Opened, Reply } from './serve.ts';

/** What went wrong in the thread; `fault` is its own name for it. */
export class ThreadFault extends Error {
  readonly fault: string;

  constructor(message: string, fault: string) {
    super(message);
    this.fault = fault;
  }
}

/** Asks a thread that `serve` runs in, and gives back what it says. */
export class Thread<Command> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #ended: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.ok) waiting?.resolve(reply.value);
      else waiting?.reject(new ThreadFault(reply.error, reply.fault));
    });
    worker.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => this.#end(new Error('the thread of the database has ended')));
  }

  /** Rejects with ThreadFault where the thread cannot open what it is to serve. */
  static async open<Command>(module: URL, options: WorkerOptions): Promise<Thread<Command>> {
    const worker = new Worker(module, options);
    const opened = await new Promise<Opened>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if (opened.opened) return new Thread(worker);
    await worker.terminate();
    throw new ThreadFault(opened.error, opened.fault);
  }

  /** Rejects with ThreadFault, or another error where the thread has ended. */
  ask(command: Command): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, command });
    });
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

/** A module beside the one that asks for it, compiled or not. */
export function besides(name: string, url: string): URL {
  return new URL(`./${name}.${url.endsWith('.ts') ? 'ts' : 'js'}`, url);
}
