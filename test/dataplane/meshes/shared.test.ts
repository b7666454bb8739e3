/** A pod with both Envoys, the mesh's and ours: one processor decides for both, by one budget that a controller leases. */
import { afterEach, expect, it } from 'vitest';
import { limitsOf } from '../../../src/core/call/index.ts';
import { TestController } from '../../../src/shell/distribution/service.test-support.ts';
import { LedgerHost, ledgerService } from '../../../src/shell/ledger/index.ts';
import { MemoryStore } from '../../../src/shell/stores/memory/index.ts';
import { ensureEnvoy } from '../../../src/shell/envoy/index.ts';
import { podOf, stateFrom } from '../../support/beside.ts';
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

it.each(['1.36.4', '1.40.0'])('the mesh’s being %s', async (version) => {
  const world = await MeshWorld.start({ mesh: 'istio', version, more: BUDGET, processor: 'elsewhere' });
  opened.push(() => world.stop());
  const given = stateFrom(resources(inSecrets, BUDGET), WORKLOAD, { 'shop/openai': KEYS.openai, 'shop/anthropic': KEYS.anthropic });
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

  // Before there is a processor, nothing is forwarded.
  expect((await world.call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'))).status).toBe(503);
  await pod.start();
  await until('ready', async () => (await fetch(`${pod.admin}/readyz`)).ok, 40_000);

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
  const ours = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat('gpt-4.1')),
  });
  expect(ours.status).toBe(429);
  expect(await ours.text()).toContain('insufficient_quota');

  // It ends in good order: what the mesh's Envoy asked is answered, and all of it is in the books once.
  await pod.stop();
  const settled = pod
    .log()
    .split('\n')
    .filter((line) => line.includes('"event":"call.settled"'));
  expect(settled).toHaveLength(CALLS);
  expect((await world.call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'))).status).toBe(503);
});
