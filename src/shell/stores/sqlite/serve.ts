import { parentPort, workerData } from 'node:worker_threads';

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly fault: string; readonly error: string };

/** The first message: whether the file could be opened. */
export type Opened = { readonly opened: true } | { readonly opened: false; readonly fault: string; readonly error: string };

/** In a worker thread: opens what `open` opens from the worker's data, and carries out one command after another until one is `close`. */
export function serve<Data, Command extends { readonly kind: string }>(
  open: (data: Data) => (command: Command) => unknown,
  faultOf: (error: unknown) => string,
): void {
  const port = parentPort;
  if (port === null) throw new Error('this module runs in a worker thread');
  const failure = (error: unknown) => ({ fault: faultOf(error), error: error instanceof Error ? error.message : String(error) });
  try {
    const run = open(workerData as Data);
    port.on('message', ({ id, command }: { id: number; command: Command }) => {
      try {
        port.postMessage({ id, ok: true, value: run(command) } satisfies Reply);
      } catch (error) {
        port.postMessage({ id, ok: false, ...failure(error) } satisfies Reply);
      }
      if (command.kind === 'close') port.close();
    });
    port.postMessage({ opened: true } satisfies Opened);
  } catch (error) {
    port.postMessage({ opened: false, ...failure(error) } satisfies Opened);
  }
}
