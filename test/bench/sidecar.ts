/**
 * `node test/bench/sidecar.ts [ROUNDS [CALLS [COMMAND…]]]`: how soon a pod's sidecar is ready and what it holds in memory, in a
 * process of its own, with a real Envoy, a controller and a ledger. Each COMMAND is a way to start the program, such as
 * "node dist/main/cli.js"; they are measured in turn. Build first. Memory is of /proc/PID/smaps_rollup, times of /proc/PID/stat.
 */
import { fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { limitsOf } from '../../src/core/call/index.ts';
import { TestController } from '../../src/shell/distribution/service.test-support.ts';
import { LedgerHost, ledgerService } from '../../src/shell/ledger/index.ts';
import { MemoryStore } from '../../src/shell/stores/memory/index.ts';
import { podOf, stateFrom } from '../support/beside.ts';
import { until } from '../support/mesh.ts';
import { load } from './load.ts';
import type { LoadResult } from './load.ts';

const [rounds = '3', calls = '3000', ...commands] = process.argv.slice(2);
const COMMANDS = commands.length > 0 ? commands : [`${process.execPath} dist/main/cli.js`];
const CALLS = Number(calls);
const CONNECTIONS = 32;
const TICK_MS = 10;
const WORKLOAD = 'shop/checkout';
const UPLOAD_BYTES = 20 * 1024 * 1024;

const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

interface Memory {
  readonly residentMiB: number;
  readonly anonymousMiB: number;
}

interface Seen {
  readonly readyMs: number;
  readonly readyCpuMs: number;
  readonly memory: Readonly<Record<'ready' | 'calls' | 'streams' | 'uploads' | 'later', string>>;
  readonly total: number;
  readonly peak: string;
  readonly cpuUsPerCall: number;
  readonly callsPerSecond: number;
  readonly cpuUsPerStream: number;
  readonly chunksPerSecond: number;
  readonly failures: number;
}

function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mib = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1024;
  return { residentMiB: mib('Rss'), anonymousMiB: mib('Anonymous') };
}

const peakMiB = (pid: number): number => Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);

/** Processor time so far. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

const resources = (port: number): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: bench, namespace: shop}
spec: {type: OpenAICompatible, baseUrl: "http://127.0.0.1:${port}/v1", auth: {apiKey: {secretRef: {name: bench, key: apiKey}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all, namespace: shop}
spec: {workloads: ["*"], rules: [{match: {models: [gpt-4.1]}, backends: [{provider: bench}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: day, namespace: shop}
spec: {limit: {usd: "900000"}, per: [Workload], window: {calendar: Day, timeZone: UTC}, mode: Strict}
`;

const ask = (content: string, more: object = {}): string => JSON.stringify({ model: 'gpt-4.1', ...more, messages: [{ role: 'user', content }] });

async function measure(command: string, upstreamPort: number): Promise<Seen> {
  const state = stateFrom(resources(upstreamPort), WORKLOAD, { 'shop/bench': 'hs_0123456789abcdef0123456789abcdef' });
  const store = new MemoryStore();
  let host: LedgerHost | undefined;
  const controller = await TestController.start({
    states: [state],
    services: ({ permissions }) => {
      host = new LedgerHost({ store, clock, permissions, isAlone: true, tell: () => undefined });
      return [ledgerService({ host, store, permissions, tell: () => undefined })];
    },
  });
  host?.start(limitsOf([state.snapshot]));
  const pod = await podOf(controller, WORKLOAD);
  const port = Number(new URL(pod.baseURL).port);
  const flags = ['--token', pod.tokenPath, '--state', pod.stateDir, '--listen', String(port), '--admin', new URL(pod.admin).port, '--concurrency', '2'];
  const [program = '', ...args] = command.split(' ');
  const began = performance.now();
  const child = spawn(program, [...args, 'sidecar', ...flags, '--log-format', 'json', '--log-level', process.env['LOG_LEVEL'] ?? 'info'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, AIRMESH_CONTROLLERS: controller.address, AIRMESH_CONTROLLER_ROOTS: controller.authority.certificate },
  });
  const pid = child.pid ?? 0;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    const isReady = async (): Promise<boolean> => (await fetch(`${pod.admin}/readyz`).catch(() => undefined))?.status === 200;
    while (!(await isReady())) await delay(5);
    const readyMs = performance.now() - began;
    const envoyPid = Number(readFileSync(join(pod.stateDir, 'envoy', 'envoy.pid'), 'utf8'));
    const readyCpuMs = cpuMs(pid) + cpuMs(envoyPid);
    let total = 0;
    const memory = (): string => {
      const [own, envoy] = [memoryOf(pid), memoryOf(envoyPid)];
      total = own.residentMiB + envoy.residentMiB;
      const part = ({ residentMiB, anonymousMiB }: Memory): string => `${residentMiB.toFixed(0)} (${anonymousMiB.toFixed(0)})`;
      return `${part(own)} + ${part(envoy)}`;
    };
    const run = async (maxCalls: number, body: string, connections = CONNECTIONS): Promise<LoadResult & { readonly cpuUs: number }> => {
      const before = cpuMs(pid) + cpuMs(envoyPid);
      const result = await load({ port, connections, seconds: 300, maxCalls, body: () => body });
      return { ...result, cpuUs: ((cpuMs(pid) + cpuMs(envoyPid) - before) * 1000) / result.calls };
    };
    await until('governed by a lease', async () => (await run(1, ask('Hello'))).failures === 0);
    const ready = memory();
    await run(CALLS / 10, ask('Hello'));
    const json = await run(CALLS, ask('Say something about meshes.'));
    const afterCalls = memory();
    await run(CALLS / 10, ask('Hello', { stream: true }));
    const streams = await run(CALLS, ask('Say something about meshes.', { stream: true }));
    const afterStreams = memory();
    const callsTotal = total;
    const upload = await run(4, ask('x'.repeat(UPLOAD_BYTES)), 2);
    const afterUploads = memory();
    await delay(3000);
    const later = memory();
    return {
      readyMs,
      readyCpuMs,
      memory: { ready, calls: afterCalls, streams: afterStreams, uploads: afterUploads, later },
      total: callsTotal,
      peak: `${peakMiB(pid)} + ${peakMiB(envoyPid)}`,
      cpuUsPerCall: json.cpuUs,
      callsPerSecond: json.calls / json.seconds,
      cpuUsPerStream: streams.cpuUs,
      chunksPerSecond: streams.chunks / streams.seconds,
      failures: json.failures + streams.failures + upload.failures,
    };
  } finally {
    child.kill('SIGTERM');
    await exited;
    host?.close();
    await pod.remove();
    await controller.close();
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const upstream = fork(fileURLToPath(new URL('./upstream.ts', import.meta.url)), ['0']);
try {
  const { port } = await new Promise<{ readonly port: number }>((resolve) => upstream.once('message', (message) => resolve(message as { port: number })));
  const seen = new Map<string, Seen[]>(COMMANDS.map((command) => [command, []]));
  for (let round = 0; round < Number(rounds); round++) for (const command of COMMANDS) seen.get(command)?.push(await measure(command, port));
  console.log('Resident MiB of processor + Envoy, of it anonymous in parentheses; medians, memory of the last round\n');
  console.log(
    '| command | ready after ms | CPU ms till ready | ready | after calls | after streams | after uploads | 3 s later | together after streams | peak | CPU µs a call | calls/s | CPU µs a stream | chunks/s | failures |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|');
  for (const [command, all] of seen) {
    const of = (field: (each: Seen) => number): number => Math.round(median(all.map(field)));
    const last = all.at(-1);
    const cells = [
      command,
      of((each) => each.readyMs),
      of((each) => each.readyCpuMs),
      ...Object.values(last?.memory ?? {}),
      of((each) => each.total),
      last?.peak ?? '',
      of((each) => each.cpuUsPerCall),
      of((each) => each.callsPerSecond),
      of((each) => each.cpuUsPerStream),
      of((each) => each.chunksPerSecond),
      all.reduce((sum, each) => sum + each.failures, 0),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
} finally {
  upstream.kill('SIGKILL');
}
