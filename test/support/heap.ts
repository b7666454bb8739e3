import { once } from 'node:events';

/** For a process's environment: lets `heapBytes` ask it. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

/**
 * What a process's main thread holds after a full collection, in bytes, buffers included. `output` is what it has said:
 * its inspector's address is in it. Source: Chrome DevTools Protocol, HeapProfiler.collectGarbage and Runtime.getHeapUsage.
 */
export async function heapBytes(output: string): Promise<number> {
  const address = /Debugger listening on (ws:\S+)/.exec(output)?.[1];
  if (address === undefined) throw new Error('the process is not inspected');
  const socket = new WebSocket(address);
  await once(socket, 'open');
  const ask = async (id: number, method: string): Promise<unknown> => {
    socket.send(JSON.stringify({ id, method }));
    for (;;) {
      const [{ data }] = (await once(socket, 'message')) as [{ readonly data: string }];
      const answer = JSON.parse(data) as { readonly id?: number; readonly result?: unknown };
      if (answer.id === id) return answer.result;
    }
  };
  await ask(1, 'HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = (await ask(2, 'Runtime.getHeapUsage')) as HeapUsage;
  socket.close();
  return usedSize + backingStorageSize;
}
