/** What dies, breaks or changes while calls run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import type { SpendReport } from '../../src/shell/spending/index.ts';
import { flagged, startAirmesh } from '../support/airmesh-process.ts';
import { freePorts, startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const OTHER_KEY = 'hs_fedcba9876543210fedcba9876543210';

const resources = (url: string, { usd = '25', model = 'gpt-4.1', keyFile = '' } = {}): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: ${keyFile === '' ? `{value: ${KEY}}` : `{file: ${keyFile}}`}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [${model}]}, backends: [{provider: relay}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: life}
spec: {limit: {usd: "${usd}"}, window: {lifetime: true}}
`;

const nano = (usd: string): bigint => {
  const [whole = '0', fraction = ''] = usd.split('.');
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
};

function ask(baseURL: string, body: object = {}, faults = '', timeoutMs = 20_000): Promise<Response> {
  return fetch(`${baseURL}/chat/completions`, {
    method: 'POST',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { 'content-type': 'application/json', 'x-simulate': faults },
    body: JSON.stringify({ model: 'gpt-4.1', max_tokens: 40, messages: [{ role: 'user', content: 'hi' }], ...body }),
  });
}

/** Envoy forgets a gRPC client that nobody has asked for in so long, by default. Source: Bootstrap.GrpcAsyncClientManagerConfig. */
const FORGETS_AFTER_S = 50;

/** Has no other calls than two that last longer than that; they wait while the other tests run. */
let quiet: { readonly provider: Simulator; readonly mesh: TestMesh; readonly answered: Promise<Response>; readonly abandoned: Promise<unknown> };

beforeAll(async () => {
  const provider = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  const mesh = await startTestMesh({ resources: resources(provider.url) });
  const abandoned = ask(mesh.baseURL, {}, 'delay=100s', (FORGETS_AFTER_S + 2) * 1_000).catch((error: unknown) => error);
  quiet = { provider, mesh, abandoned, answered: ask(mesh.baseURL, {}, `delay=${FORGETS_AFTER_S + 4}s`, 100_000) };
});
afterAll(async () => {
  await quiet.mesh.stop();
  await quiet.provider.close();
});

let simulator: Simulator;
let folder: string;

beforeEach(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY, OTHER_KEY] });
  folder = mkdtempSync(join(tmpdir(), 'airmesh-faults-'));
});

afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const theirCost = (): bigint => BigInt((simulator.books.toJSON() as { costNanoUsd: string }).costNanoUsd);

describe('a changed file', () => {
  it('takes effect without dropping a stream; a broken one changes nothing', async () => {
    const mesh = await startTestMesh({ resources: resources(simulator.url) });
    try {
      const stream = await ask(mesh.baseURL, { stream: true, max_tokens: 200 }, 'tokens=100, chunk-delay=30ms');
      mesh.write(resources(simulator.url, { model: 'deepseek-v3.2' }));
      await until('the new rule holds', async () => (await ask(mesh.baseURL)).status === 403);
      expect((await ask(mesh.baseURL, { model: 'deepseek' })).status).toBe(200);
      mesh.write(resources(simulator.url).replace('backends', 'backend'));
      await until('the broken file is reported', () => mesh.log().includes('snapshot.rejected'));
      expect(mesh.log()).toMatch(/resources\.yaml:\d+:\d+ {2}AIRoute default\/all {2}spec\.rules\[0\]\.backend/);
      expect((await ask(mesh.baseURL, { model: 'deepseek' })).status).toBe(200);
      const ready = (await (await fetch(`${mesh.admin}/readyz`)).json()) as { ready: boolean; warnings: string[] };
      expect(ready.ready).toBe(true);
      expect(ready.warnings.join()).toContain('backend');
      expect(await stream.text()).toContain('[DONE]');
    } finally {
      await mesh.stop();
    }
  });

  it('moves a provider elsewhere while a stream runs', async () => {
    const other = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
    const mesh = await startTestMesh({ resources: resources(simulator.url) });
    try {
      const stream = await ask(mesh.baseURL, { stream: true, max_tokens: 200 }, 'tokens=60, chunk-delay=30ms');
      mesh.write(resources(other.url));
      await until('calls reach the other one', async () => {
        await ask(mesh.baseURL);
        return (other.books.toJSON() as { attempts: unknown[] }).attempts.length > 0;
      });
      expect(await stream.text()).toContain('[DONE]');
    } finally {
      await mesh.stop();
      await other.close();
    }
  });

  it('of a key is used by the next call; the provider’s 401 passes, is counted, and leaves it ready', async () => {
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, 'hs_00000000000000000000000000000000wrong');
    const mesh = await startTestMesh({ resources: resources(simulator.url, { keyFile }) });
    try {
      const refused = await ask(mesh.baseURL);
      expect(refused.status).toBe(401);
      expect(await refused.text()).not.toContain('hs_0000');
      const ready = (await (await fetch(`${mesh.admin}/readyz`)).json()) as { ready: boolean; providers: { key: string }[] };
      expect(ready).toMatchObject({ ready: true, providers: [{ key: 'rejected', keyRejections: 1 }] });
      writeFileSync(keyFile, OTHER_KEY);
      await until('the new key is used', async () => (await ask(mesh.baseURL)).status === 200);
    } finally {
      await mesh.stop();
    }
  });
});

describe('kill -9', () => {
  it('of Envoy: it is back, and what was in flight is settled', async () => {
    const mesh = await startTestMesh({ resources: resources(simulator.url) });
    try {
      const stream = ask(mesh.baseURL, { stream: true, max_tokens: 400 }, 'tokens=300, chunk-delay=20ms').then((answer) => answer.text());
      stream.catch(() => undefined);
      await until('a hold is there', async () => (await mesh.spend()).budgets.some(({ pending }) => pending !== '0'));
      const pid = Number(readFileSync(join(mesh.stateDir, 'envoy', 'envoy.pid'), 'utf8'));
      process.kill(pid, 'SIGKILL');
      await expect(stream).rejects.toThrow();
      await until('calls are served again', async () => (await ask(mesh.baseURL).catch(() => undefined))?.status === 200);
      await until('nothing is held', async () => (await mesh.spend()).budgets.every(({ pending }) => pending === '0'));
    } finally {
      await mesh.stop();
    }
  });

  it('of Airmesh under load: nothing posted is lost, the limit holds, no hold stays', async () => {
    const usd = '0.05';
    const resourceFile = join(folder, 'resources.yaml');
    writeFileSync(resourceFile, resources(simulator.url, { usd }));
    const [listen, admin] = await freePorts(2);
    const envoy = await ensureEnvoy({ version: '1.40.0', environment: process.env, onStep: () => undefined });
    const args = ['run', resourceFile, ...flagged({ listen, admin, state: join(folder, 'state'), envoy: envoy.path, concurrency: 1 })];
    const baseURL = `http://127.0.0.1:${listen}/v1`;
    const spend = async (): Promise<SpendReport> => (await (await fetch(`http://127.0.0.1:${admin}/spend`)).json()) as SpendReport;
    let postedBefore = 0n;
    for (let round = 0; round < 3; round++) {
      const airmesh = await startAirmesh(args);
      await until('nothing is held after the start', async () => (await spend()).budgets.every(({ pending }) => pending === '0'));
      const posted = nano((await spend()).budgets[0]?.posted ?? '0');
      expect(posted >= postedBefore).toBe(true);
      const over = new AbortController();
      const caller = async (): Promise<void> => {
        while (!over.signal.aborted)
          await ask(baseURL, {}, 'delay=30ms').then(
            (answer) => answer.text(),
            () => undefined,
          );
      };
      const callers = Array.from({ length: 16 }, caller);
      const target = theirCost() + 2_000_000n;
      await until('calls were served', () => theirCost() > target || round > 0);
      await airmesh.kill();
      over.abort();
      postedBefore = posted;
      await Promise.all(callers);
    }
    const last = await startAirmesh(args);
    try {
      await until('nothing is held', async () => (await spend()).budgets.every(({ pending }) => pending === '0'));
      const report = await spend();
      const posted = nano(report.budgets[0]?.posted ?? '0');
      expect(posted >= theirCost()).toBe(true);
      expect(theirCost() <= nano(usd)).toBe(true);
      expect(posted <= nano(usd)).toBe(true);
      expect(report.totals.requests).toBeGreaterThan(0);
    } finally {
      await last.stop();
    }
  });
});

describe('the only calls, for longer than Envoy keeps a client that nobody asks for', () => {
  it('are answered, or given up, and Envoy goes on', async () => {
    const { mesh, answered, abandoned } = quiet;
    await expect(abandoned).resolves.toBeInstanceOf(Error);
    expect((await answered).status).toBe(200);
    await until('both are settled', async () => (await mesh.spend()).budgets.every(({ pending }) => pending === '0'));
    expect((await ask(mesh.baseURL)).status).toBe(200);
    expect(mesh.log()).not.toContain('envoy.died');
  });
});
