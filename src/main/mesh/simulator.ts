import { Worker } from 'node:worker_threads';

export interface SimulatorThread {
  /** Root of its OpenAI API. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The simulated provider in a thread of its own: its tokenizer and its text cost the processor nothing. */
export async function startSimulatorThread(): Promise<SimulatorThread> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./simulator-thread.${extension}`, import.meta.url));
  const url = await new Promise<string>((resolve, reject) => {
    worker.once('message', (message: { readonly url: string }) => resolve(message.url));
    worker.once('error', reject);
  });
  return { url: `${url}/v1`, stop: async () => void (await worker.terminate()) };
}
