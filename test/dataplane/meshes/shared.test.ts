/** A pod with both Envoys, the mesh's and ours: one processor decides for both, by one budget that a controller leases. */
import { afterEach, expect, it } from 'vitest';
import { limitsOf } from '../../../src/core/call/index.ts';
import { TestController } from '../../../src/shell/distribution/service.test-support.ts';
import { LedgerHost, ledgerService } from '../../../src/shell/ledger/index.ts';
import { MemoryStore } from '../../../src/shell/stores/memory/index.ts';
import { ensureEnvoy } from '../../../src/shell/envoy/index.ts';
import { podOf, stateFrom } from '../../support/beside.ts';
import type { TestPod } from '../../support/beside.ts';
import { freePorts, until } from '../../support/mesh.ts';
import { KEYS, MeshWorld, OPENAI, chat, inSecrets, resources } from '../../support/meshes/world.ts';

const WORKLOAD = 'shop/checkout';
const CALLS = 6;
/** Counts calls, so that it is exactly known who made the last. */
const BUDGET = `---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: calls, namespace: shop}
spec: {limit: {requests: ${CALLS}}, per: [Workload], window: {lifetime: true}, mode: Strict}
`;
const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };
const opened: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

interface Beside {
  readonly world: MeshWorld;
  readonly pod: TestPod;
  /** Of our own Envoy. */
  readonly port: number;
}

/** What is not started yet, so that it is seen without. */
async function beside(version: string, more: (port: number) => string, keys: Readonly<Record<string, string>> = {}): Promise<Beside> {
  const world = await MeshWorld.start({ mesh: 'istio', version, more, processor: 'elsewhere' });
  opened.push(() => world.stop());
  const given = stateFrom(resources(inSecrets, more(world.port)), WORKLOAD, { 'shop/openai': KEYS.openai, 'shop/anthropic': KEYS.anthropic, ...keys });
  const store = new MemoryStore();
  const controller = await TestController.start({
    states: [given],
    services: ({ permissions }) => {
      const host = new LedgerHost({ store, isAlone: true, clock, permissions, tell: () => undefined });
      const started = host.start(limitsOf([given.snapshot]));
      if (!started.ok) throw new Error(JSON.stringify(started.error));
      opened.push(() => host.close());
      return [ledgerService({ host, store, permissions, tell: () => undefined })];
    },
  });
  opened.push(() => controller.close());
  const { path } = await ensureEnvoy({ environment: process.env, onStep: () => undefined });
  const [port = 0] = await freePorts(1);
  const pod = await podOf(controller, WORKLOAD, {
    proxy: { envoy: { path, concurrency: 1 }, listen: { host: '127.0.0.1', port }, serve: { socketPath: world.socket, isForAll: true } },
  });
  opened.push(() => pod.remove());
  return { world, pod, port };
}

const started = async (pod: TestPod): Promise<void> => {
  await pod.start();
  await until('ready', async () => (await fetch(`${pod.admin}/readyz`)).ok, 40_000);
};

const settledBy = (pod: TestPod): readonly string[] =>
  pod
    .log()
    .split('\n')
    .filter((line) => line.includes('"event":"call.settled"'));

/** A call by our own Envoy. */
const ask = (port: number, body: object): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

it.each(['1.36.4', '1.40.0'])('the mesh’s being %s', async (version) => {
  const { world, pod, port } = await beside(version, () => BUDGET);

  // Before there is a processor, nothing is forwarded.
  expect((await world.call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'))).status).toBe(503);
  await started(pod);

  const byOurs = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/models`);
    return answer.status;
  };
  expect(await byOurs()).toBe(200);
  // Whoever asks, calls are of the one workload, and of its one budget.
  const statuses: number[] = [];
  for (let call = 0; call < CALLS + 2; call++) {
    const answer = await world.call(OPENAI, '/v1/chat/completions', chat('gpt-4.1', call % 2 === 0 ? { stream: true } : {}));
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([...Array.from({ length: CALLS }, () => 200), 429, 429]);
  const ours = await ask(port, chat('gpt-4.1'));
  expect(ours.status).toBe(429);
  expect(await ours.text()).toContain('insufficient_quota');

  // It ends in good order: what the mesh's Envoy asked is answered, and all of it is in the books once.
  await pod.stop();
  expect(settledBy(pod)).toHaveLength(CALLS);
  expect((await world.call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'))).status).toBe(503);
});

/** A provider in plain HTTP, to which the mesh’s Envoy takes in what ours sends: where it says that it is, that one listens. */
const plain = (port: number): string => `---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: plain, namespace: shop}
spec: {type: DeepSeek, baseUrl: "http://localhost:${port}", auth: {apiKey: ${inSecrets('openai')}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: plain, namespace: shop}
spec:
  workloads: [checkout]
  rules: [{name: plain, match: {models: [deepseek-v3.2]}, backends: [{provider: plain}]}]
${BUDGET}`;

it.each(['1.36.4', '1.40.0'])('what ours sends through the mesh’s of %s is governed once', async (version) => {
  const { world, pod, port } = await beside(version, plain, { 'shop/plain': KEYS.openai });
  await started(pod);
  const model = 'deepseek-v3.2';
  const bodies = [chat(model), chat(model, { stream: true }), chat(model, { user: 'lorem '.repeat(200_000) })];
  for (const body of bodies) {
    const answer = await ask(port, body);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringMatching(/"usage"|\[DONE\]/)]);
  }
  expect(world.plainSaw).toHaveLength(bodies.length);
  // The same host is governed for whoever calls it by the mesh’s Envoy, whatever they say of themselves.
  for (const headers of [{}, { 'x-airmesh-pass': 'forged' }]) {
    const answer = await world.call(`localhost:${world.port}`, '/v1/chat/completions', chat(model), headers);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers['x-airmesh-request-id']).toBeDefined();
  }
  expect(world.plainSaw).toHaveLength(bodies.length + 2);
  expect(world.plainSaw.flatMap(Object.keys).filter((name) => name.startsWith('x-airmesh'))).toEqual([]);
  await pod.stop();
  expect(settledBy(pod)).toHaveLength(bodies.length + 2);
});
