/**
 * An API server that is gone for long: calls go on, streams stay, a sidecar starts again, and afterwards all is told. `AIRMESH_OUTAGE_S=600`
 * lets it last ten minutes; without it, it lasts as long as it takes a Lease to be lost.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import type { RunningController } from '../../src/main/controller/controller.ts';
import { startSidecar } from '../../src/main/sidecar/sidecar.ts';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { createLogger } from '../../src/shell/telemetry/index.ts';
import { connect } from '../support/apiserver/client.ts';
import type { ApiClient } from '../support/apiserver/client.ts';
import { controllerRoots, controllerToken, grant, grantSecrets, readinessOf, startControllerFor } from '../support/apiserver/controllers.ts';
import { ROOT, makePod, put, secret, tokenFor } from '../support/apiserver/governed.ts';
import { apply, install, makeNamespace, pathOfKind } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';
import { startApiServer } from '../support/apiserver/server.ts';
import type { RunningApiServer } from '../support/apiserver/server.ts';
import { freePorts } from '../support/mesh.ts';

const NS = 'outage';
const KEY = 'hs_planted_0123456789abcdef0123456789abcdef';
const OUTAGE_MS = Number(process.env['AIRMESH_OUTAGE_S'] ?? 14) * 1_000;
/** Between calls; a strict slice that is not used for ten seconds goes back. */
const CALL_MS = 250;
const WITHIN = { timeout: 60_000, interval: 50 };
const TEST_MS = OUTAGE_MS + 180_000;

const folder = mkdtempSync(join(tmpdir(), 'airmesh-outage-'));
const stateDir = mkdtempSync(join('/dev/shm', 'airmesh-outage-'));
let server: RunningApiServer;
let client: ApiClient;
let simulator: Simulator;
let controller: RunningController;
let sidecar: { stop(): Promise<void> };
let startBeside: () => Promise<{ stop(): Promise<void> }>;
let logs = { controller: '', sidecar: '' };
let ports: number[];

const custom = (kind: string, name: string, spec: unknown): KubernetesObject => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind,
  metadata: { name, namespace: NS },
  spec,
});
const route = (name: string): KubernetesObject =>
  custom('AIRoute', 'chat', { workloads: ['checkout'], rules: [{ name, match: { models: ['gpt-4.1'] }, backends: [{ provider: 'relay' }] }] });

beforeAll(async () => {
  server = await startApiServer(inject('binaries'));
  client = connect(server);
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  await install(client);
  for (const name of [ROOT, NS]) await makeNamespace(client, name);
  await grant(client);
  await grantSecrets(client, NS, ['relay']);
  await put(client, secret(NS, 'relay', { apiKey: KEY }));
  await apply(
    client,
    custom('AIProvider', 'relay', { type: 'OpenAICompatible', baseUrl: `${simulator.url}/v1`, auth: { apiKey: { secretRef: { name: 'relay' } } } }),
  );
  await apply(client, route('first'));
  await apply(client, custom('AIBudget', 'dollars', { limit: { usd: '10' }, window: { lifetime: true }, mode: 'Strict' }));
  const pod = await makePod(client, NS, 'checkout-0');
  controller = await startControllerFor(server, await controllerToken(client), {
    kubeconfig: join(folder, 'kubeconfig'),
    write: (line) => void (logs.controller += line),
  });
  const tokenPath = join(folder, 'token');
  writeFileSync(tokenPath, await tokenFor(client, pod, 'airmesh', 3600), { mode: 0o600 });
  const roots = await controllerRoots(client);
  const envoy = await ensureEnvoy({ environment: process.env, onStep: () => undefined });
  ports = await freePorts(2);
  const [listen = 0, admin = 0] = ports;
  startBeside = () =>
    startSidecar({
      controllers: [`localhost:${controller.address.split(':').at(-1)}`],
      controllerRoots: roots,
      tokenPath,
      stateDir,
      allowDisk: false,
      admin: { host: '127.0.0.1', port: admin },
      proxy: { envoy: { path: envoy.path, concurrency: 1 }, listen: { host: '127.0.0.1', port: listen } },
      environment: process.env,
      logger: createLogger({
        level: 'info',
        format: 'json',
        colour: false,
        destination: { write: (line) => void (logs.sidecar += line), flush: () => undefined },
      }),
    });
  sidecar = await startBeside();
  await vi.waitUntil(isReady, WITHIN);
}, TEST_MS);

afterAll(async () => {
  await sidecar.stop();
  await controller.stop();
  await simulator.close();
  await server.stop();
  for (const each of [folder, stateDir]) rmSync(each, { recursive: true, force: true });
});

const isReady = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${ports[1]}/readyz`).catch(() => undefined))?.status === 200;

async function call(): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${ports[0]}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'PROMPT hello' }], max_tokens: 20 }),
  });
  await answer.text();
  return answer.status;
}

/** Calls until the time has come; what was answered, by status. */
async function callFor(ms: number): Promise<Record<number, number>> {
  const answered: Record<number, number> = {};
  for (const until = performance.now() + ms; performance.now() < until; await new Promise((resolve) => setTimeout(resolve, CALL_MS))) {
    const status = await call();
    answered[status] = (answered[status] ?? 0) + 1;
  }
  return answered;
}

interface WithStatus {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly posted?: string;
    readonly sidecars?: { readonly summary: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}
const statusOf = async (kind: string, name: string): Promise<NonNullable<WithStatus['status']>> =>
  ((await client.send('GET', pathOfKind(kind, NS, name))).body as WithStatus).status ?? {};
const isProgrammed = async (generation: number): Promise<boolean> => {
  const { observedGeneration, conditions = [], sidecars } = await statusOf('AIRoute', 'chat');
  return observedGeneration === generation && sidecars?.summary === '1/1' && conditions.some(({ type, status }) => type === 'Programmed' && status === 'True');
};
const events = (log: string, event: string): number => log.split(`"event":"${event}"`).length - 1;

it(
  'is missed by nobody who calls, and told everything when it is back',
  async () => {
    await expect.poll(() => isProgrammed(1), WITHIN).toBe(true);
    await vi.waitUntil(() => logs.controller.includes('controller.leading'), WITHIN);
    expect(await callFor(2_000)).toEqual({ 200: expect.any(Number) });
    await server.halt();
    const halted = performance.now();
    logs = { controller: '', sidecar: '' };

    // Streams stay, and what is leased is renewed.
    expect(Object.keys(await callFor(OUTAGE_MS / 2))).toEqual(['200']);
    expect([events(logs.controller, 'sidecar.left'), events(logs.sidecar, 'controller.connected'), events(logs.sidecar, 'ledger.connected')]).toEqual([
      0, 0, 0,
    ]);

    // Its container ends, and comes back by what it kept; the controller knows its pod and its token from before.
    await sidecar.stop();
    sidecar = await startBeside();
    await expect.poll(isReady, WITHIN).toBe(true);
    expect(events(logs.sidecar, 'state.restored')).toBe(1);
    await expect.poll(() => [events(logs.sidecar, 'controller.connected'), events(logs.sidecar, 'ledger.connected')], WITHIN).toEqual([1, 1]);
    await expect.poll(call, WITHIN).toBe(200);
    expect(Object.keys(await callFor(OUTAGE_MS - (performance.now() - halted)))).toEqual(['200']);

    // Nobody writes without a Lease; the controller says what it lacks, and serves on.
    await vi.waitUntil(() => logs.controller.includes('controller.following'), WITHIN);
    expect(await readinessOf(controller)).toMatchObject({ ready: true, warnings: expect.arrayContaining([expect.stringContaining('cannot be watched')]) });

    const outageMs = performance.now() - halted;
    await server.restart();
    const back = performance.now();
    await apply(client, route('second'));
    await expect.poll(() => isProgrammed(2), WITHIN).toBe(true);
    const programmedMs = performance.now() - back;
    expect(logs.controller).toContain('controller.leading');
    await expect.poll(async () => (await readinessOf(controller)).warnings, WITHIN).toEqual([]);

    // What was spent meanwhile is in the status, to the nano-dollar.
    const { models } = (await (await fetch(`${simulator.url}/simulator/books`)).json()) as {
      readonly models: Readonly<Record<string, { readonly costNanoUsd: string; readonly requests: number }>>;
    };
    const billed = BigInt(models['gpt-4.1']?.costNanoUsd ?? 0);
    expect(billed).toBeGreaterThan(0n);
    const posted = async (): Promise<bigint> => BigInt(Math.round(Number((await statusOf('AIBudget', 'dollars')).posted) * 1e9));
    await expect.poll(posted, WITHIN).toBe(billed);
    const figures = {
      outage_s: Math.round(outageMs / 1_000),
      calls: models['gpt-4.1']?.requests,
      programmed_after_ms: Math.round(programmedMs),
      posted_after_ms: Math.round(performance.now() - back),
    };
    process.stderr.write(`outage figures: ${JSON.stringify(figures)}\n`);
    expect(logs.controller + logs.sidecar).not.toContain('planted');
  },
  TEST_MS,
);
