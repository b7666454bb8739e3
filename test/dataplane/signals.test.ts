/** Signals, at any time of a process's life: nothing is left behind, and what is in flight may end. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/main/exit-codes.ts';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { PROGRAM } from '../support/airmesh-process.ts';
import { freePorts, until } from '../support/mesh.ts';

const RESOURCES = `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: simulated}
spec: {type: Simulated}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [gpt-4.1]}, backends: [{provider: simulated}]}]}
`;

const KUBECONFIG = `
apiVersion: v1
kind: Config
clusters: [{name: nowhere, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: nobody, user: {token: none}}]
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
current-context: nowhere
`;

let folder: string;
let resourceFile: string;
/** Of a cluster that nobody needs before a call comes. */
let kubeconfig: string;
let envoy: string;
let temporary: string;
let state: string;
let ports: readonly number[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-signals-'));
  resourceFile = join(folder, 'resources.yaml');
  writeFileSync(resourceFile, RESOURCES);
  kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, KUBECONFIG);
  envoy = (await ensureEnvoy({ version: undefined, environment: process.env, onStep: () => undefined })).path;
});

beforeEach(async () => {
  temporary = mkdtempSync(join(folder, 't-'));
  state = join(mkdtempSync(join(folder, 's-')), 'state');
  ports = await freePorts(2);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** As a terminal does, in a process group of its own. */
function start({ binary = envoy, command = 'run' } = {}): Started {
  const [listen, admin] = ports;
  const args = [command, resourceFile, '--listen', String(listen), '--admin', String(admin), '--state', state, '--envoy', binary];
  if (command === 'run') args.push('--concurrency', '1');
  const child = spawn(process.execPath, [...PROGRAM, ...args], {
    env: { ...process.env, TMPDIR: temporary, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => void (output += data.toString('utf8')));
  return { child, output: () => output, ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))) };
}

const pidFile = (): string => join(state, 'envoy', 'envoy.pid');

function isRunning(pid: number): boolean {
  try {
    // A zombie, which nobody has asked for its end yet, runs no more.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function expectNothingLeft(envoyPid: number | undefined): void {
  expect(readdirSync(temporary)).toEqual([]);
  expect(existsSync(join(state, 'lock'))).toBe(false);
  expect(existsSync(pidFile())).toBe(false);
  if (envoyPid !== undefined) expect(isRunning(envoyPid)).toBe(false);
}

const pidOf = (): number | undefined => (existsSync(pidFile()) ? Number(readFileSync(pidFile(), 'utf8')) || undefined : undefined);

const MOMENTS: readonly (readonly [string, (started: Started) => boolean])[] = [
  ['when it has a folder for its sockets', () => readdirSync(temporary).length > 0],
  ['when it has its state', () => existsSync(join(state, 'lock'))],
  ['when it writes what Envoy reads', () => existsSync(join(state, 'envoy'))],
  ['when Envoy runs', () => pidOf() !== undefined],
];

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  it.each(signal === 'SIGINT' ? MOMENTS : MOMENTS.slice(-1))('%s: leaves no socket folder, no lock and no Envoy', async (name, reached) => {
    const started = start();
    await until(name, () => reached(started));
    started.child.kill(signal);
    const pid = pidOf();
    expect(await started.ended).toBe(EXIT.interrupted);
    expect(started.output()).toContain('Stopped before it was ready.');
    expectNothingLeft(pid);
  });
});

it('SIGTERM when a gateway’s Envoy runs leaves nothing either', async () => {
  const started = start({ command: 'gateway' });
  await until('Envoy runs', () => pidOf() !== undefined);
  started.child.kill('SIGTERM');
  const pid = pidOf();
  expect(await started.ended, started.output()).toBe(EXIT.interrupted);
  expect(started.output()).toContain('Stopped before it was ready.');
  expectNothingLeft(pid);
});

it('SIGTERM ends the simulated provider at once, by itself: the first process of a container is not ended by what it does not hear', async () => {
  const child = spawn(process.execPath, [...PROGRAM, 'simulate', '--listen', `127.0.0.1:${ports[0]}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', (...how) => resolve(how)));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGTERM');
  expect(await ended).toEqual([EXIT.ok, null]);
});

describe('an Envoy that never gets ready', () => {
  it('is stopped with the start', async () => {
    const slow = join(folder, 'slow-envoy');
    writeFileSync(slow, `#!/bin/sh\nif [ "$1" = --version ]; then exec "${envoy}" --version; fi\nexec sleep 60\n`);
    chmodSync(slow, 0o755);
    const started = start({ binary: slow });
    await until('it runs', () => pidOf() !== undefined);
    const pid = pidOf();
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(EXIT.interrupted);
    expectNothingLeft(pid);
  });
});

describe('Ctrl-C', () => {
  it('lets a stream end, though the terminal signals every process; then nothing is left', async () => {
    const started = start();
    await until('it is ready', () => started.output().includes('Airmesh is ready'));
    const stream = await fetch(`http://127.0.0.1:${ports[0]}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-simulate': 'tokens=40, chunk-delay=20ms' },
      body: JSON.stringify({ model: 'gpt-4.1', stream: true, max_tokens: 40, messages: [{ role: 'user', content: 'hi' }] }),
    });
    const pid = pidOf();
    process.kill(-(started.child.pid ?? 0), 'SIGINT');
    expect(await stream.text()).toContain('[DONE]');
    expect(await started.ended).toBe(EXIT.ok);
    expectNothingLeft(pid);
  });

  it('twice ends it at once', async () => {
    const started = start();
    await until('it is ready', () => started.output().includes('Airmesh is ready'));
    const stream = await fetch(`http://127.0.0.1:${ports[0]}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-simulate': 'tokens=400, chunk-delay=50ms' },
      body: JSON.stringify({ model: 'gpt-4.1', stream: true, max_tokens: 400, messages: [{ role: 'user', content: 'hi' }] }),
    });
    const text = stream.text().catch(() => 'broken');
    const pid = pidOf() ?? 0;
    started.child.kill('SIGINT');
    await until('it drains', () => started.output().includes('Stopping'));
    started.child.kill('SIGINT');
    expect(await started.ended).toBe(EXIT.interrupted);
    expect(await text).not.toContain('[DONE]');
    await until('Envoy is gone', () => !isRunning(pid));
  });
});
