import { connect } from 'node:net';

/** What a closed loop of calls over kept-alive connections showed. Times in microseconds. */
export interface LoadResult {
  readonly calls: number;
  readonly failures: number;
  readonly seconds: number;
  readonly chunks: number;
  readonly latencyUs: Percentiles;
  readonly firstByteUs: Percentiles;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Stop after so many calls, if that comes first. */
  readonly maxCalls?: number;
  readonly path?: string;
  /** For each call in turn. */
  readonly body: (call: number) => string;
}

/** Sends calls over raw sockets, one at a time on each connection, and times each to its last byte. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  const firstBytes: number[] = [];
  let failures = 0;
  let chunks = 0;
  let started = 0;
  const begin = performance.now();
  const deadline = begin + options.seconds * 1000;
  const wantsMore = (): boolean => performance.now() < deadline && started < (options.maxCalls ?? Number.POSITIVE_INFINITY);

  async function worker(): Promise<void> {
    while (wantsMore()) await connection();
  }

  function connection(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(options.port, '127.0.0.1');
      socket.setNoDelay(true);
      let received = '';
      let sentAt = 0;
      let firstAt = 0;
      let busy = false;
      const send = (): void => {
        if (!wantsMore()) return void socket.end();
        const body = options.body(started++);
        received = '';
        firstAt = 0;
        busy = true;
        sentAt = performance.now();
        socket.write(
          `POST ${options.path ?? '/v1/chat/completions'} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      };
      socket.on('connect', send);
      socket.on('data', (data: Buffer) => {
        if (firstAt === 0) firstAt = performance.now();
        received += data.toString('latin1');
        const answer = completeAnswer(received);
        if (answer === undefined) return;
        const now = performance.now();
        latencies.push((now - sentAt) * 1000);
        firstBytes.push((firstAt - sentAt) * 1000);
        chunks += answer.events;
        if (answer.status !== 200) failures++;
        busy = false;
        send();
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        if (busy) failures++;
        resolve();
      });
    });
  }

  await Promise.all(Array.from({ length: options.connections }, worker));
  const seconds = (performance.now() - begin) / 1000;
  return { calls: latencies.length, failures, seconds, chunks, latencyUs: percentiles(latencies), firstByteUs: percentiles(firstBytes) };
}

/** Status and number of events, once the answer is whole. */
function completeAnswer(text: string): { readonly status: number; readonly events: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return text.length >= headEnd + 4 + Number(length) ? { status, events: 0 } : undefined;
  if (!text.endsWith('0\r\n\r\n')) return undefined;
  return { status, events: text.split('data: ').length - 1 };
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).toSorted();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
