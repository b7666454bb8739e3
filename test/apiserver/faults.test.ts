/** What an API server does to who watches it: it goes, it forgets, it comes back; and of two controllers one goes. */
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { connect } from '../support/apiserver/client.ts';
import type { ApiClient } from '../support/apiserver/client.ts';
import { gateTo } from '../support/apiserver/gate.ts';
import type { Gate } from '../support/apiserver/gate.ts';
import { ROOT, govern, makePod, put, secret } from '../support/apiserver/governed.ts';
import type { Governed } from '../support/apiserver/governed.ts';
import { apply, install, makeNamespace, pathOfKind } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';
import { startApiServer } from '../support/apiserver/server.ts';
import type { RunningApiServer } from '../support/apiserver/server.ts';

const NS = 'faults';
const WITHIN = { timeout: 40_000, interval: 50 };

let server: RunningApiServer;
let client: ApiClient;
let gate: Gate;
let governed: Governed;

const route = (name: string): KubernetesObject => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind: 'AIRoute',
  metadata: { name, namespace: NS },
  spec: { workloads: ['*'], rules: [{ backends: [{ provider: 'relay' }] }] },
});

const provider: KubernetesObject = {
  apiVersion: 'airmesh.dev/v1alpha1',
  kind: 'AIProvider',
  metadata: { name: 'relay', namespace: NS },
  spec: { type: 'OpenAICompatible', baseUrl: 'https://relay.example/v1', models: [{ name: 'house' }], auth: { apiKey: { secretRef: { name: 'relay' } } } },
};

beforeAll(async () => {
  server = await startApiServer(inject('binaries'));
  client = connect(server);
  await install(client);
  for (const name of [ROOT, NS]) await makeNamespace(client, name);
  await makePod(client, NS, 'checkout-0');
  await apply(client, provider);
  await put(client, secret(NS, 'relay', { apiKey: 'hs_0123456789abcdef0123456789abcdef' }));
  await apply(client, route('first'));
  gate = await gateTo(server.url);
  governed = govern({ ...server, url: gate.url });
  await vi.waitUntil(() => governed.plans.length > 0 && governed.leadership.leads, WITHIN);
});

afterAll(async () => {
  await governed.close();
  await gate.close();
  await server.stop();
});

const rules = (): string[] => (governed.streams.states.get(`${NS}/checkout`)?.snapshot.rules ?? []).map(({ id }) => id.replace(/^.*\/|#.*$/g, '')).toSorted();
const revision = async (): Promise<number> => {
  const answer = await fetch(`${server.store}/v3/kv/range`, { method: 'POST', body: JSON.stringify({ key: Buffer.from('x').toString('base64') }) });
  return Number(((await answer.json()) as { header: { revision: string } }).header.revision);
};

describe('an API server that cannot be reached', () => {
  it('stops nothing; what changed meanwhile is known as soon as it is back, in few requests', async () => {
    expect(rules()).toEqual(['first']);
    gate.shut();
    await vi.waitUntil(() => governed.governor.faults.length > 0, WITHIN);
    expect(governed.governor.plan).toBeDefined();
    expect(governed.streams.states.get(`${NS}/checkout`)?.keys.size).toBe(1);
    await apply(client, route('second'));
    await client.send('DELETE', pathOfKind('AIRoute', NS, 'first'));
    const published = governed.streams.totalPublished;
    gate.open();
    await expect.poll(rules, WITHIN).toEqual(['second']);
    await vi.waitUntil(() => governed.governor.faults.length === 0, WITHIN);
    // Some watches come back before others; each may bring a plan, and none brings a storm.
    expect(governed.streams.totalPublished - published).toBeLessThan(20);
    expect(gate.connections()).toBeLessThan(20);
  });

  it('is not written to by who led while it was gone for too long', async () => {
    gate.shut();
    await vi.waitUntil(() => !governed.leadership.leads, WITHIN);
    gate.open();
    await vi.waitUntil(() => governed.leadership.leads, WITHIN);
  });
});

describe('an API server that is killed', () => {
  it('is watched again when it is back', async () => {
    await server.restart();
    await apply(client, route('third'));
    await expect.poll(rules, WITHIN).toEqual(['second', 'third']);
  });
});

describe('a watch that has expired', () => {
  it('lists again, and learns of what was deleted meanwhile', async () => {
    gate.shut();
    await client.send('DELETE', pathOfKind('AIRoute', NS, 'second'));
    await apply(client, route('fourth'));
    // What a new API server's cache knows begins where it was started; etcd forgets what was before.
    const answer = await fetch(`${server.store}/v3/kv/compaction`, { method: 'POST', body: JSON.stringify({ revision: await revision(), physical: true }) });
    expect(answer.status).toBe(200);
    await server.restart();
    gate.open();
    await expect.poll(rules, WITHIN).toEqual(['fourth', 'third']);
    await vi.waitUntil(() => governed.governor.faults.length === 0, WITHIN);
    await apply(client, route('fifth'));
    await expect.poll(rules, WITHIN).toEqual(['fifth', 'fourth', 'third']);
  });
});

describe('two controllers', () => {
  it('have the same states, and the second writes when the first is gone', async () => {
    const second = govern(server);
    try {
      await vi.waitUntil(() => second.plans.length > 0, WITHIN);
      const version = (one: Governed): string | undefined => one.streams.states.get(`${NS}/checkout`)?.version;
      expect(version(second)).toBe(version(governed));
      expect([governed.leadership.leads, second.leadership.leads]).toEqual([true, false]);
      // As if it was killed: the lease is not given back.
      gate.shut();
      await vi.waitUntil(() => second.leadership.leads, WITHIN);
      expect(governed.leadership.leads).toBe(false);
      await apply(client, route('sixth'));
      const generation = async (): Promise<unknown> =>
        ((await client.send('GET', pathOfKind('AIRoute', NS, 'sixth'))).body as { status?: { observedGeneration?: number } }).status?.observedGeneration;
      await expect.poll(generation, WITHIN).toBe(1);
    } finally {
      gate.open();
      await second.close();
    }
    // It gave the lease back, so the first one need not wait for its end.
    await vi.waitUntil(() => governed.leadership.leads, WITHIN);
  });
});
