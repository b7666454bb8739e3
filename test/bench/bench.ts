/**
 * `npm run bench [-- SECONDS [STREAMS]]`: plain Envoy, a processor that does nothing, and Airmesh, in turn on the same machine, in
 * the same run. Only ratios hold: the load generator and the provider's stand-in share the cores with what is measured.
 */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderEnvoy } from '../../src/core/envoyconfig/index.ts';
import type { EnvoySettings, Json } from '../../src/core/envoyconfig/index.ts';
import { askAdmin, ensureEnvoy, writeConfiguration } from '../../src/shell/envoy/index.ts';
import { flagged, startAirmesh } from '../support/airmesh-process.ts';
import { freePorts, until } from '../support/mesh.ts';
import { benchBudgets } from './budgets.ts';
import { load } from './load.ts';
import type { LoadResult } from './load.ts';

const SECONDS = Number(process.argv[2] ?? 5);
/** Translated streams over which memory is watched. */
const STREAMS = Number(process.argv[3] ?? 0);
const ROUNDS = 3;
const PROVIDER = 'default/bench';
const TICKS_PER_SECOND = 100;

const PASSED: Calls = callsAt('/v1/chat/completions', {});
const TRANSLATED: Calls = callsAt('/v1/messages', { max_tokens: 1000 });

function callsAt(path: string, more: object): Calls {
  const call = { model: 'gpt-4.1', ...more, messages: [{ role: 'user', content: 'Say something about meshes.' }] };
  return { path, json: JSON.stringify(call), stream: JSON.stringify({ stream: true, ...call }) };
}

interface Target {
  readonly name: string;
  readonly port: number;
  readonly envoyPid: number;
  readonly processorPid: number | undefined;
  readonly calls: Calls;
  stop(): Promise<void> | void;
}

/** What is asked: the provider's stand-in speaks OpenAI's language, so Anthropic's is translated. */
interface Calls {
  readonly path: string;
  readonly json: string;
  readonly stream: string;
}

/** Processor time of one call, in microseconds. */
interface Cpu {
  readonly all: number;
  readonly processor: number;
}

interface Row {
  readonly name: string;
  readonly one: LoadResult;
  readonly many: LoadResult;
  readonly json: Cpu;
  readonly stream: Cpu;
  readonly streamOne: LoadResult;
  readonly streamMany: LoadResult;
  readonly failures: number;
  readonly rss: string;
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'airmesh-bench-'));
const envoy = await ensureEnvoy({ version: '1.40.0', environment: process.env, onStep: console.error });
const children: ChildProcess[] = [];

function child(file: string, args: readonly string[]): Promise<{ readonly process: ChildProcess; readonly message: { readonly port?: number } }> {
  const process = fork(here(file), args);
  children.push(process);
  return new Promise((resolve, reject) => {
    process.once('message', (message) => resolve({ process, message: message as { port?: number } }));
    process.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
}

function settings(name: string, port: number, upstreamPort: number): EnvoySettings {
  const place = join(folder, name);
  return {
    nodeId: name,
    processorSocket: join(folder, `${name}.sock`),
    adminSocket: join(folder, `${name}-admin.sock`),
    folder: place,
    listeners: [{ workload: 'default/default', host: '127.0.0.1', port }],
    upstreams: [
      {
        id: PROVIDER,
        host: '127.0.0.1',
        port: upstreamPort,
        tls: false,
        timeouts: { connectMs: 1000, requestMs: 0, idleMs: 60_000 },
        retries: { attempts: 0, baseIntervalMs: 100, maxIntervalMs: 1000 },
        circuitBreaker: { maxConnections: 10_000, maxPendingRequests: 10_000, maxRequests: 10_000 },
        outlierDetection: { consecutive5xx: 1000, intervalMs: 10_000, baseEjectionTimeMs: 1000 },
      },
    ],
    headersRead: ['content-encoding', 'content-type'],
    maxRequestBytes: 32 * 1024 * 1024,
    maxHeapBytes: 1024 * 1024 * 1024,
    messageTimeoutMs: 30_000,
    gracefulGrpcClose: true,
    trustedCaFile: '/etc/ssl/certs/ca-certificates.crt',
  };
}

/** The same listener without any filter but the router, and one route. */
function plain(files: ReadonlyMap<string, Json>): Map<string, Json> {
  const copy = structuredClone(Object.fromEntries(files)) as Record<string, unknown>;
  const listener = (copy['lds.json'] as { resources: { filter_chains: { filters: { typed_config: Record<string, unknown> }[] }[] }[] }).resources[0];
  const manager = listener?.filter_chains[0]?.filters[0]?.typed_config;
  if (manager !== undefined) manager['http_filters'] = (manager['http_filters'] as unknown[]).slice(-1);
  const routes = copy['rds-default_default.json'] as { resources: { virtual_hosts: { routes: { match: object }[] }[] }[] };
  const host = routes.resources[0]?.virtual_hosts[0];
  if (host !== undefined) host.routes = host.routes.slice(0, 1).map((route) => ({ ...route, match: { prefix: '/' } }));
  return new Map(Object.entries(copy) as [string, Json][]);
}

async function runEnvoy(name: string, files: ReadonlyMap<string, Json>): Promise<ChildProcess> {
  writeConfiguration(join(folder, name), files);
  const process = spawn(envoy.path, ['-c', join(folder, name, 'bootstrap.json'), '--disable-hot-restart', '--concurrency', '1', '--log-level', 'error'], {
    stdio: 'inherit',
  });
  children.push(process);
  const admin = join(folder, `${name}-admin.sock`);
  await until(`${name} is ready`, async () => (await askAdmin(admin, 'GET', '/ready').catch(() => '')).startsWith('LIVE'));
  return process;
}

async function plainEnvoy(upstreamPort: number): Promise<Target> {
  const [port = 0] = await freePorts(1);
  const process = await runEnvoy('plain', plain(renderEnvoy(settings('plain', port, upstreamPort))));
  return { name: 'Envoy alone', port, envoyPid: process.pid ?? 0, processorPid: undefined, calls: PASSED, stop: () => void process.kill('SIGKILL') };
}

async function nothing(upstreamPort: number): Promise<Target> {
  const [port = 0] = await freePorts(1);
  const place = settings('nothing', port, upstreamPort);
  const { process: processor } = await child('./nothing.ts', [place.processorSocket, PROVIDER]);
  const process = await runEnvoy('nothing', renderEnvoy(place));
  const stop = (): void => {
    process.kill('SIGKILL');
    processor.removeAllListeners('exit');
    processor.kill('SIGKILL');
  };
  return { name: 'do-nothing processor', port, envoyPid: process.pid ?? 0, processorPid: processor.pid, calls: PASSED, stop };
}

async function airmesh(upstreamPort: number): Promise<Target> {
  const [port = 0, admin = 0] = await freePorts(2);
  const file = join(folder, 'bench.yaml');
  writeFileSync(
    file,
    `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: bench}
spec: {type: OpenAICompatible, baseUrl: "http://127.0.0.1:${upstreamPort}/v1", auth: {apiKey: {value: hs_0123456789abcdef0123456789abcdef}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{match: {models: [gpt-4.1]}, backends: [{provider: bench}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: day}
spec: {limit: {usd: "900000"}, window: {calendar: Day}}
`,
  );
  const state = join(folder, 'state');
  const args = ['run', file, ...flagged({ listen: port, admin, state, envoy: envoy.path, concurrency: 1, 'log-level': 'warn' })];
  const running = await startAirmesh(args, {}, 'built');
  children.push(running.child);
  const envoyPid = Number(readFileSync(join(state, 'envoy', 'envoy.pid'), 'utf8'));
  return { name: 'Airmesh', port, envoyPid, processorPid: running.child.pid, calls: PASSED, stop: () => running.stop() };
}

/** Processor time of a process so far, in microseconds: fields 14 and 15 of /proc/PID/stat. */
function cpuUs(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND;
}

function rssMiB(pid: number | undefined): number {
  return pid === undefined ? 0 : Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}

async function measure(target: Target): Promise<Row> {
  const ask = (body: string, connections: number, seconds: number): Promise<LoadResult> =>
    load({ port: target.port, path: target.calls.path, connections, seconds, body: () => body });
  const { json, stream } = target.calls;
  await ask(json, 8, 1);
  await ask(stream, 8, 1);
  const one = await ask(json, 1, SECONDS);
  const [many, jsonCpu] = await withCpu(target, () => ask(json, 32, SECONDS));
  const streamOne = await ask(stream, 1, SECONDS);
  const [streamMany, streamCpu] = await withCpu(target, () => ask(stream, 32, SECONDS));
  const failures = one.failures + many.failures + streamOne.failures + streamMany.failures;
  const rss = target.processorPid === undefined ? `${rssMiB(target.envoyPid)}` : `${rssMiB(target.envoyPid)} + ${rssMiB(target.processorPid)}`;
  return { name: target.name, one, many, json: jsonCpu, stream: streamCpu, streamOne, streamMany, failures, rss };
}

async function withCpu({ envoyPid, processorPid }: Target, run: () => Promise<LoadResult>): Promise<[LoadResult, Cpu]> {
  const before = [cpuUs(envoyPid), cpuUs(processorPid)] as const;
  const result = await run();
  const [envoyUs, processorUs] = [cpuUs(envoyPid) - before[0], cpuUs(processorPid) - before[1]];
  return [result, { all: (envoyUs + processorUs) / result.calls, processor: processorUs / result.calls }];
}

/** What the processor holds before and after so many translated streams. */
async function memoryOver(target: Target, streams: number): Promise<string> {
  const body = target.calls.stream;
  const run = (maxCalls: number): Promise<LoadResult> =>
    load({ port: target.port, path: target.calls.path, connections: 32, seconds: 300, maxCalls, body: () => body });
  await run(streams / 10);
  const before = rssMiB(target.processorPid);
  const { failures } = await run(streams);
  return `${before} MiB before, ${rssMiB(target.processorPid)} after, ${failures} failures`;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

try {
  const { message } = await child('./upstream.ts', ['0']);
  const own = await airmesh(message.port ?? 0);
  const translated: Target = { ...own, name: 'Airmesh, translated', calls: TRANSLATED, stop: () => undefined };
  const targets = [await plainEnvoy(message.port ?? 0), await nothing(message.port ?? 0), own, translated];
  const rows = new Map<string, Row[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of targets) rows.get(target.name)?.push(await measure(target));
  }
  const figure = (name: string, of: (row: Row) => number): number => median((rows.get(name) ?? []).map(of));
  console.log(`Envoy ${envoy.version}, one worker, ${ROUNDS} rounds of ${SECONDS} s, medians\n`);
  console.log(
    '| target | added p50, 1 connection | req/s, 32 connections | CPU µs a call (of it the processor) | added time to first token | chunks/s, 32 connections | CPU µs a stream (of it the processor) | failures | RSS MiB |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  const base = (of: (row: Row) => number): number => figure('Envoy alone', of);
  for (const { name } of targets) {
    const added = (of: (row: Row) => number): string =>
      name === 'Envoy alone' ? `0 (${Math.round(base(of))} µs)` : `+${Math.round(figure(name, of) - base(of))} µs`;
    const cpu = (of: (row: Row) => Cpu): string =>
      `${Math.round(figure(name, (row) => of(row).all))} (${Math.round(figure(name, (row) => of(row).processor))})`;
    const cells = [
      name,
      added((row) => row.one.latencyUs.p50),
      Math.round(figure(name, (row) => row.many.calls / row.many.seconds)),
      cpu((row) => row.json),
      added((row) => row.streamOne.firstByteUs.p50),
      Math.round(figure(name, (row) => row.streamMany.chunks / row.streamMany.seconds)),
      cpu((row) => row.stream),
      (rows.get(name) ?? []).reduce((sum, row) => sum + row.failures, 0),
      rows.get(name)?.at(-1)?.rss ?? '',
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  const ratio = (of: (row: Row) => number): number => (figure('Airmesh', of) - base(of)) / (figure('do-nothing processor', of) - base(of));
  const rate = (name: string): number => figure(name, (row) => row.many.calls / row.many.seconds);
  console.log(
    `\nAirmesh over doing nothing: added p50 ${ratio((row) => row.one.latencyUs.p50).toFixed(2)} ×, calls a second ${((100 * rate('Airmesh')) / rate('do-nothing processor')).toFixed(0)} %`,
  );
  const times = (of: (row: Row) => number): string => (figure('Airmesh, translated', of) / figure('Airmesh', of)).toFixed(2);
  const later = figure('Airmesh, translated', (row) => row.streamOne.firstByteUs.p50) - figure('Airmesh', (row) => row.streamOne.firstByteUs.p50);
  console.log(
    `Translated over passed: CPU ${times((row) => row.json.all)} × a call, ${times((row) => row.stream.all)} × a stream; first token ${Math.round(later)} µs later`,
  );
  if (STREAMS > 0) console.log(`Memory over ${STREAMS} translated streams: ${await memoryOver(translated, STREAMS)}`);
  for (const target of targets) await target.stop();
} finally {
  for (const process of children) {
    process.removeAllListeners('exit');
    process.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
}

await benchBudgets();
