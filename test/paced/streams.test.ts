/** Many paced streams at once: all of them whole, each chunk soon there, and no memory that grows. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import type { SpendReport } from '../../src/shell/spending/index.ts';
import { flagged, startAirmesh } from '../support/airmesh-process.ts';
import type { AirmeshProcess } from '../support/airmesh-process.ts';
import { INSPECTED, heapBytes } from '../support/heap.ts';
import { freePorts, until } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const STREAMS = 256;
const CHUNKS = 20;
const PACE_MS = 100;
const WAVES = 3;

/** Some milliseconds on two cores that have nothing else to do; a machine that is shared has its pauses. */
const MOST_ADDED_P99_MS = 250;
/** After a collection; what is kept of each call would be a multiple. */
const MOST_KEPT_BYTES_A_CALL = 4096;

/** A provider that says of each chunk when it was sent. */
async function startProvider(): Promise<Server> {
  const event = (fields: object): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4.1', ...fields })}\n\n`;
  let streams = 0;
  const server = createServer((asked, answer) => {
    // Callers do not all ask at the same moment.
    const phaseMs = ((streams++ % STREAMS) / STREAMS) * PACE_MS;
    asked.resume().once('end', () => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      void (async () => {
        await delay(phaseMs);
        for (let chunk = 0; chunk < CHUNKS; chunk++) {
          answer.write(event({ choices: [{ index: 0, delta: { content: `<${chunk}@${performance.now()}>` }, finish_reason: null }] }));
          await delay(PACE_MS);
        }
        answer.write(event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }));
        answer.write(event({ choices: [], usage: { prompt_tokens: 9, completion_tokens: CHUNKS, total_tokens: 9 + CHUNKS } }));
        answer.end('data: [DONE]\n\n');
      })();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

interface Streamed {
  readonly delaysMs: readonly number[];
  /** Every chunk in its order, and the end. */
  readonly whole: boolean;
}

/** One call; the delay of each chunk from the provider's write to its arrival here. */
function stream(port: number, agent: Agent): Promise<Streamed> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ model: 'gpt-4.1', stream: true, max_tokens: CHUNKS, messages: [{ role: 'user', content: 'hi' }] });
    const call = request({
      agent,
      host: '127.0.0.1',
      port,
      path: '/v1/chat/completions',
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    });
    call.once('error', reject);
    call.once('response', (answer) => {
      const delaysMs: number[] = [];
      let rest = '';
      let order = 0;
      let done = false;
      answer.on('data', (data: Buffer) => {
        const now = performance.now();
        const lines = (rest + data.toString('utf8')).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const [, chunk, sentAt] = /<(\d+)@([\d.]+)>/.exec(line) ?? [];
          if (chunk !== undefined && Number(chunk) === order++) delaysMs.push(now - Number(sentAt));
          if (line === 'data: [DONE]') done = true;
        }
      });
      answer.once('error', reject);
      answer.once('close', () => resolve({ delaysMs, whole: done && answer.complete && delaysMs.length === CHUNKS && order === CHUNKS }));
    });
    call.end(body);
  });
}

async function wave(port: number): Promise<readonly Streamed[]> {
  const agent = new Agent({ keepAlive: false, maxSockets: STREAMS });
  return Promise.all(Array.from({ length: STREAMS }, () => stream(port, agent)));
}

const p99 = (streams: readonly Streamed[]): number => {
  const sorted = Float64Array.from(streams.flatMap(({ delaysMs }) => delaysMs)).toSorted();
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
};

let folder: string;
let provider: Server;
let airmesh: AirmeshProcess;
let listen = 0;
let admin = 0;

beforeAll(async () => {
  provider = await startProvider();
  folder = mkdtempSync(join(tmpdir(), 'airmesh-streams-'));
  const resourceFile = join(folder, 'resources.yaml');
  writeFileSync(
    resourceFile,
    `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1", auth: {apiKey: {value: ${KEY}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [gpt-4.1]}, backends: [{provider: relay}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: life}
spec: {limit: {usd: "1000"}, window: {lifetime: true}}
`,
  );
  [listen = 0, admin = 0] = await freePorts(2);
  const envoy = await ensureEnvoy({ version: undefined, environment: process.env, onStep: () => undefined });
  airmesh = await startAirmesh(
    ['run', resourceFile, ...flagged({ listen, admin, state: join(folder, 'state'), envoy: envoy.path, concurrency: 1, 'log-level': 'warn' })],
    INSPECTED,
  );
});

afterAll(async () => {
  await airmesh?.stop();
  provider?.closeAllConnections();
  provider?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe(`${STREAMS} paced streams at once`, () => {
  it('are all whole, each chunk soon there, and all counted; memory stays flat', async ({ annotate }) => {
    const direct = await wave((provider.address() as AddressInfo).port);
    expect(direct.every(({ whole }) => whole)).toBe(true);
    const waves: { readonly p99Ms: number; readonly heap: number }[] = [];
    for (let count = 0; count < WAVES; count++) {
      const streams = await wave(listen);
      expect(streams.filter(({ whole }) => !whole)).toEqual([]);
      waves.push({ p99Ms: p99(streams), heap: await heapBytes(airmesh.output()) });
    }
    const report = async (): Promise<SpendReport> => (await (await fetch(`http://127.0.0.1:${admin}/spend`)).json()) as SpendReport;
    await until('nothing is held', async () => (await report()).budgets.every(({ pending }) => pending === '0'));
    expect((await report()).totals).toMatchObject({ requests: STREAMS * WAVES, estimatedRequests: 0, outputTokens: STREAMS * WAVES * CHUNKS });
    await annotate(
      `p99 of a chunk’s delay: ${p99(direct).toFixed(1)} ms without, ${waves.map(({ p99Ms }) => p99Ms.toFixed(1)).join(', ')} ms with Airmesh; heap ${waves.map(({ heap }) => `${(heap / 2 ** 20).toFixed(1)} MB`).join(', ')}`,
    );
    // The first wave warms up.
    const [first, ...warm] = waves;
    for (const { p99Ms } of warm) expect(p99Ms - p99(direct)).toBeLessThan(MOST_ADDED_P99_MS);
    expect((waves.at(-1)?.heap ?? 0) - (first?.heap ?? 0)).toBeLessThan(MOST_KEPT_BYTES_A_CALL * STREAMS * warm.length);
  });
});
