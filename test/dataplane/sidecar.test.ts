/** A pod's sidecar with a real Envoy, and a controller that gives it its policies. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LedgerHost, ledgerService } from '../../src/shell/ledger/index.ts';
import { limitsOf } from '../../src/core/call/index.ts';
import type { SidecarState } from '../../src/core/control/index.ts';
import { TestController } from '../../src/shell/distribution/service.test-support.ts';
import type { HeaderMutation } from '../../src/shell/extproc/codec.ts';
import { FrameReader, decodeResponse, encodeRequest, frame } from '../../src/shell/extproc/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { MemoryStore } from '../../src/shell/stores/memory/index.ts';
import { startAirmesh } from '../support/airmesh-process.ts';
import { diskFolder, podOf, stateFrom } from '../support/beside.ts';
import type { TestPod } from '../support/beside.ts';
import { until as untilWithin } from '../support/mesh.ts';

const KEYS = ['sk-PLANTED-one-0123456789abcdef', 'sk-PLANTED-two-0123456789abcdef'] as const;
const WORKLOAD = 'shop/checkout';
const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

/** An Envoy and a SQLite start on a machine that may do much else. */
const until = (what: string, condition: () => Promise<boolean> | boolean): Promise<void> => untilWithin(what, condition, 40_000);

let simulator: Simulator;
const opened: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: KEYS });
});
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});
afterAll(() => simulator.close());

const resources = (models = 'gpt-4.1', budget = ''): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay, namespace: shop}
spec: {type: OpenAICompatible, baseUrl: "${simulator.url}/v1", auth: {apiKey: {secretRef: {name: relay, key: apiKey}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all, namespace: shop}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: ["${models}"]}, backends: [{provider: relay}]}]}
${budget}`;

const BUDGET = `---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: daily, namespace: shop}
spec: {limit: {usd: "0.01"}, per: [Workload], window: {calendar: Day, timeZone: UTC}, mode: Strict}
`;

const state = (key: string = KEYS[0], models?: string, budget?: string): SidecarState => stateFrom(resources(models, budget), WORKLOAD, { 'shop/relay': key });

async function controllerWith(...wishes: Parameters<typeof TestController.start>): Promise<TestController> {
  const controller = await TestController.start(...wishes);
  opened.push(() => controller.close());
  return controller;
}

async function pod(controller: TestController, ...changes: [Parameters<typeof podOf>[2]?]): Promise<TestPod> {
  const made = await podOf(controller, WORKLOAD, ...changes);
  opened.push(() => made.remove());
  return made;
}

async function call({ baseURL }: TestPod, model = 'gpt-4.1', more: object = {}): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${baseURL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer airmesh-injected' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'PROMPT hello' }], max_tokens: 20, ...more }),
  });
  return { status: answer.status, text: await answer.text() };
}

async function readiness({ admin }: TestPod): Promise<{ ready: boolean; reasons: string[]; warnings: string[] }> {
  return (await (await fetch(`${admin}/readyz`)).json()) as { ready: boolean; reasons: string[]; warnings: string[] };
}

const applied = (controller: TestController): string | undefined => controller.distributor.views()[0]?.applied;

describe('a sidecar', () => {
  it('is ready once it has policies, and governs by them', async () => {
    const given = state();
    const controller = await controllerWith({ states: [given] });
    const one = await pod(controller);
    await one.start();
    await until('ready', async () => (await readiness(one)).ready);
    expect(await call(one)).toMatchObject({ status: 200 });
    expect((await call(one, 'gpt-9')).status).toBe(404);
    await until('told', () => applied(controller) === given.version);
  });

  it('is not ready before it has policies, says why, and forwards nothing; then it is', async () => {
    const controller = await controllerWith({ states: [] });
    const one = await pod(controller);
    await one.start();
    await until('told to wait', async () => (await readiness(one)).reasons[0]?.includes('no policies are known for shop/checkout yet') === true);
    expect((await fetch(`${one.admin}/readyz`)).status).toBe(503);
    expect((await fetch(`${one.admin}/healthz`)).status).toBe(200);
    expect((await call(one)).status).toBeGreaterThanOrEqual(400);
    controller.publish(state());
    await until('ready', async () => (await readiness(one)).ready);
    expect((await call(one)).status).toBe(200);
  });

  it('says in /readyz why no controller takes it', async () => {
    const controller = await controllerWith({ states: [state()] });
    const one = await pod(controller);
    controller.cluster.deletePod(one.pod);
    await one.start();
    await until('refused', async () => (await readiness(one)).reasons[0]?.includes('there is no pod shop/checkout-1 with the UID of the token') === true);
  });

  it('uses a key that was rotated on the next call, and tells when a provider refuses it', async () => {
    const controller = await controllerWith({ states: [state('sk-PLANTED-bad-0123456789abcdef')] });
    const one = await pod(controller);
    await one.start();
    await until('ready', async () => (await readiness(one)).ready);
    expect((await call(one)).status).toBe(401);
    await until('told', () => controller.distributor.views()[0]?.keys[0]?.isRefused === true);
    for (const key of KEYS) {
      const rotated = state(key);
      controller.publish(rotated);
      await until('applied', () => applied(controller) === rotated.version);
      expect((await call(one)).status).toBe(200);
    }
    await until('told', () => controller.distributor.views()[0]?.keys[0]?.used === true);
    expect(controller.distributor.views()[0]?.keys).toEqual([{ ref: 'shop/relay', totalRejections: 0, used: true, isRefused: false }]);
  });

  it('keeps its key where a controller that never saw its Secret has none to give, also over a restart; not for another Secret', async () => {
    const marked = (source: string, { keys, ...given }: SidecarState): SidecarState => ({ ...given, keys, keySources: new Map([['shop/relay', source]]) });
    const first = marked('shop/relay/apiKey', state());
    const controller = await controllerWith({ states: [first] });
    const one = await pod(controller);
    await one.start();
    await until('applied', () => applied(controller) === first.version);
    const lost = marked('shop/relay/apiKey', { ...state(), keys: new Map() });
    controller.publish(lost);
    await until('applied', () => applied(controller) === lost.version);
    expect((await call(one)).status).toBe(200);
    await one.stop();
    await one.start();
    await until('ready', async () => (await readiness(one)).ready);
    expect((await call(one)).status).toBe(200);
    const elsewhere = marked('shop/other/apiKey', { ...state(), keys: new Map() });
    controller.publish(elsewhere);
    await until('applied', () => applied(controller) === elsewhere.version);
    expect((await call(one)).status).toBeGreaterThanOrEqual(400);
  });

  it('refuses a state that it cannot apply, with the reason, and goes on with the last good one', async () => {
    const good = state();
    const controller = await controllerWith({ states: [good] });
    const one = await pod(controller);
    await one.start();
    await until('applied', () => applied(controller) === good.version);
    const bad = state(KEYS[0], 'gpt-4.1', BUDGET);
    const [budget] = bad.snapshot.budgets;
    if (budget === undefined) throw new Error('no budget');
    const worse = {
      ...bad,
      snapshot: { ...bad.snapshot, budgets: [{ ...budget, window: { kind: 'calendar' as const, unit: 'day' as const, timeZone: 'Mars/Base' } }] },
    };
    controller.publish(worse);
    await until('refused', () => controller.distributor.views()[0]?.refused?.version === worse.version);
    expect(controller.distributor.views()[0]).toMatchObject({ applied: good.version, refused: { reason: expect.stringContaining('AIBudget shop/daily') } });
    expect((await call(one)).status).toBe(200);
    expect((await readiness(one)).warnings[0]).toMatch(/the last change was not applied: AIBudget shop\/daily/);
    const next = state();
    controller.publish(next);
    await until('applied', () => applied(controller) === next.version);
    expect(controller.distributor.views()[0]).not.toHaveProperty('refused');
  });

  it('serves after a restart while no controller is there, and keeps keys nowhere but in a file of its own', async () => {
    const first = state();
    const controller = await TestController.start({ states: [first] });
    const one = await pod(controller);
    await one.start();
    await until('applied', () => applied(controller) === first.version);
    expect((await call(one)).status).toBe(200);
    await controller.close();
    await one.stop();
    await one.start();
    expect(await readiness(one)).toMatchObject({ ready: true, warnings: expect.arrayContaining([expect.stringMatching(/no controller is connected/)]) });
    expect((await call(one)).status).toBe(200);

    const files = readdirSync(one.stateDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const holding = files.filter((entry) => readFileSync(join(entry.parentPath, entry.name)).includes('PLANTED')).map(({ name }) => name);
    expect(holding).toEqual(['policies']);
    expect(statSync(join(one.stateDir, 'policies')).mode & 0o777).toBe(0o600);
    expect((await Promise.all(['/config', '/spend'].map((path) => fetch(`${one.admin}${path}`)))).map(({ status }) => status)).toEqual([404, 404]);
    const pages = await Promise.all(['/readyz', '/config', '/metrics', '/spend'].map(async (path) => (await fetch(`${one.admin}${path}`)).text()));
    for (const shown of [one.log(), ...pages]) {
      expect(shown).not.toContain('PLANTED');
      expect(shown).not.toContain('PROMPT');
    }
  });

  it('does not keep keys on a disk, unless it is told to', async () => {
    const controller = await controllerWith({ states: [state()] });
    const stateDir = diskFolder();
    opened.push(() => rmSync(stateDir, { recursive: true }));
    const one = await pod(controller, { stateDir });
    await expect(one.start()).rejects.toThrow(/is on a disk, and keys would come to lie there/);
  });

  it('shares its budget through the ledger on the same port, and may use no other’s', async () => {
    const governed = state(KEYS[0], 'gpt-4.1', BUDGET);
    const store = new MemoryStore();
    let host: LedgerHost | undefined;
    const controller = await controllerWith({
      states: [governed],
      services: ({ permissions }) => {
        host = new LedgerHost({ store, clock, permissions, isAlone: true, tell: () => undefined });
        return [ledgerService({ host, store, permissions, tell: () => undefined })];
      },
    });
    host?.start(limitsOf([governed.snapshot]));
    opened.push(() => host?.close());
    const one = await pod(controller);
    await one.start();
    await until('ready', async () => (await readiness(one)).ready);
    await until('governed by a lease', async () => (await call(one)).status === 200);
    await until('recorded', async () => (await store.records({ sinceMs: 0, count: 10 })).length > 0);
    let refused = 0;
    for (let calls = 0; calls < 80 && refused === 0; calls += 1) if ((await call(one, 'gpt-4.1', { max_tokens: 400 })).status === 429) refused += 1;
    expect(refused).toBe(1);
    expect(host?.views()).toMatchObject([{ limit: 'shop/daily', subject: WORKLOAD }]);
  });

  it('serves the processor alone to an Envoy that is another’s, for the only workload that it has', async () => {
    const controller = await controllerWith({ states: [state()] });
    const folder = mkdtempSync(join(tmpdir(), 'airmesh-processor-'));
    opened.push(() => rmSync(folder, { recursive: true }));
    const socketPath = join(folder, 'processor.sock');
    const one = await pod(controller, { proxy: { serve: { socketPath } } });
    await one.start();
    await until('ready', async () => (await readiness(one)).ready);
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    const body = JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'hello' }], max_tokens: 20 });
    const answer = await askProcessor(socketPath, { ':method': 'POST', ':path': '/v1/chat/completions', 'content-type': 'application/json' }, body);
    expect(answer).toContain(`authorization: Bearer ${KEYS[0]}`);
    await one.stop();
    await expect(askProcessor(socketPath, {}, body)).rejects.toThrow();
  });

  it('is a program that takes from its environment what the injector sets, and ends well when it is told to', async () => {
    const controller = await controllerWith({ states: [state()] });
    const one = await pod(controller);
    const { port } = new URL(one.baseURL);
    const flags = ['--token', one.tokenPath, '--state', one.stateDir, '--listen', port, '--admin', new URL(one.admin).port, '--log-format', 'json'];
    const program = await startAirmesh(['sidecar', ...flags], {
      AIRMESH_CONTROLLERS: controller.address,
      AIRMESH_CONTROLLER_ROOTS: controller.authority.certificate,
    });
    await until('ready', async () => (await readiness(one)).ready);
    expect((await call(one)).status).toBe(200);
    const exited = new Promise((resolve) => program.child.once('exit', resolve));
    program.child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(program.output()).toContain('sidecar.stopping');
    expect(program.output()).not.toContain('PLANTED');
  });

  it.each<[string, string[], RegExp]>([
    ['no controller', [], /No controller is named/],
    ['nobody to trust', ['--controller', 'localhost:1'], /Whose certificates controllers have is not said/],
    ['an authority that is none', ['--controller', 'localhost:1', '--controller-ca', '/dev/null'], /cannot be used: they are no certificates in PEM/],
    ['an address that is none', ['--controller', 'localhost'], /is no address of a controller/],
  ])('is not started with %s, and says what to do', async (_, flags, message) => {
    await expect(
      startAirmesh(['sidecar', ...flags, '--state-on-disk', '--state', diskFolder()], { AIRMESH_CONTROLLERS: '', AIRMESH_CONTROLLER_ROOTS: '' }),
    ).rejects.toThrow(message);
  });

  it('lets calls in flight end when it is told to stop', async () => {
    const controller = await controllerWith({ states: [state()] });
    const one = await pod(controller);
    await one.start();
    await until('ready', async () => (await readiness(one)).ready);
    const slow = fetch(`${one.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-simulate': 'delay=1500ms' },
      body: JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'hello' }], max_tokens: 20 }),
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await one.stop();
    expect((await slow).status).toBe(200);
  });
});

interface Phase {
  readonly response?: { readonly headerMutation?: HeaderMutation };
}

/** What the processor would have Envoy set of a request's headers. */
async function askProcessor(socketPath: string, headers: Readonly<Record<string, string>>, body: string): Promise<readonly string[]> {
  const session = connect('http://localhost', { createConnection: () => connectSocket(socketPath) });
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({
        ':method': 'POST',
        ':path': '/envoy.service.ext_proc.v3.ExternalProcessor/Process',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', reject);
      const set: string[] = [];
      const reader = new FrameReader(1_048_576);
      stream.on('data', (chunk: Buffer) =>
        reader.push(chunk, (message) => {
          const answer = decodeResponse(message) as Partial<Record<'requestHeaders' | 'requestBody' | 'immediateResponse', Phase | null>>;
          for (const part of [answer.requestHeaders, answer.requestBody])
            for (const { header } of part?.response?.headerMutation?.setHeaders ?? []) set.push(`${header.key}: ${Buffer.from(header.rawValue).toString()}`);
          if ((answer.requestBody ?? answer.immediateResponse ?? null) !== null) resolve(set);
        }),
      );
      const headersSent = Object.entries(headers).map(([key, value]) => ({ key, rawValue: Buffer.from(value) }));
      stream.write(frame(Buffer.from(encodeRequest({ requestHeaders: { headers: { headers: headersSent } } }))));
      stream.write(frame(Buffer.from(encodeRequest({ requestBody: { body: Buffer.from(body), endOfStream: true } }))));
    });
  } finally {
    session.destroy();
  }
}
