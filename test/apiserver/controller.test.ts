/** A controller and a real API server: what is applied is published within a second, and its status tells the truth. */
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { connect } from '../support/apiserver/client.ts';
import { ROOT, govern, makePod, put, remove, secret } from '../support/apiserver/governed.ts';
import type { Governed, MadePod } from '../support/apiserver/governed.ts';
import { apply, install, makeNamespace, pathOfKind } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';

const access = inject('apiserver');
const client = connect(access);
const [NS, OTHER] = ['governed', 'governed-other'];
const WITHIN = { timeout: 40_000, interval: 20 };

const custom = (kind: string, name: string, spec: unknown, namespace = NS): KubernetesObject => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind,
  metadata: { name, namespace },
  spec,
});
const provider = custom('AIProvider', 'openai', { type: 'OpenAI', models: [{ name: 'gpt-4.1' }], auth: { apiKey: { secretRef: { name: 'openai' } } } });
const route = (name: string, spec: object = {}): KubernetesObject =>
  custom('AIRoute', name, { workloads: ['checkout'], rules: [{ backends: [{ provider: 'openai' }] }], ...spec });

interface WithStatus {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly observedGeneration: number;
    }[];
    readonly findings?: readonly { readonly path: string; readonly message: string }[];
    readonly sidecars?: { readonly summary: string };
    readonly key?: { readonly state: string };
    readonly posted?: string;
  };
}

const read = async (kind: string, name: string, namespace = NS): Promise<WithStatus> =>
  (await client.send('GET', pathOfKind(kind, namespace, name))).body as WithStatus;
const conditionsOf = async (kind: string, name: string): Promise<Record<string, string>> =>
  Object.fromEntries(((await read(kind, name)).status?.conditions ?? []).map(({ type, status, reason }) => [type, status === 'True' ? 'True' : reason]));

let governed: Governed;
let pod: MadePod;

beforeAll(async () => {
  await install(client);
  for (const name of [ROOT, NS, OTHER]) await makeNamespace(client, name);
  pod = await makePod(client, NS, 'checkout-0');
  governed = govern(access, [NS], 'controller-test');
  await vi.waitUntil(() => governed.leadership.leads, WITHIN);
});

afterAll(() => governed.close());

const state = () => governed.streams.states.get(`${NS}/checkout`);
const key = (): string | undefined => state()?.keys.get(`${NS}/openai`)?.value;

describe('what is applied', () => {
  it('is published, and its status says what is missing', async () => {
    await apply(client, provider);
    await apply(client, route('chat'));
    await expect.poll(() => state()?.snapshot.rules.map(({ id }) => id), WITHIN).toEqual([`${NS}/chat#0`]);
    await expect.poll(() => conditionsOf('AIRoute', 'chat'), WITHIN).toEqual({ Accepted: 'True', ResolvedRefs: 'True', Programmed: 'Disconnected' });
    await expect.poll(() => conditionsOf('AIProvider', 'openai'), WITHIN).toMatchObject({ Accepted: 'True', ResolvedRefs: 'RefNotFound' });
    expect((await read('AIProvider', 'openai')).status?.key).toEqual({ state: 'Missing' });
  });

  it('is programmed once the sidecar says so', async () => {
    governed.streams.say(pod, `${NS}/checkout`);
    governed.governor.heard();
    await expect.poll(() => conditionsOf('AIRoute', 'chat'), WITHIN).toMatchObject({ Programmed: 'True' });
    expect((await read('AIRoute', 'chat')).status?.sidecars?.summary).toBe('1/1');
  });

  it('says that an application sends a key of its own, and no more of it once that stops', async () => {
    const findings = async (kind: string, name: string): Promise<readonly unknown[]> => (await read(kind, name)).status?.findings ?? [];
    const said = [{ severity: 'warning', path: '', message: expect.stringContaining(`${NS}/checkout sends a key of its own to api.openai.com`) as unknown }];
    for (const [ownKeysFor, wanted] of [[['api.openai.com'], said] as const, [[], []] as const]) {
      governed.streams.say(pod, `${NS}/checkout`, { ownKeysFor });
      governed.governor.heard();
      await expect.poll(() => findings('AIRoute', 'chat'), WITHIN).toEqual(wanted);
      expect(await conditionsOf('AIRoute', 'chat')).toMatchObject({ Accepted: 'True', Programmed: 'True' });
    }
  });

  it('is told of by events', async () => {
    const events = async (): Promise<string[]> => {
      const { body } = await client.send('GET', `/apis/events.k8s.io/v1/namespaces/${NS}/events`);
      return (body as { items: { reason: string; regarding: { kind: string; name: string } }[] }).items.map(
        ({ reason, regarding }) => `${regarding.kind} ${regarding.name} ${reason}`,
      );
    };
    await expect.poll(events, WITHIN).toEqual(expect.arrayContaining(['AIRoute chat Programmed', 'AIProvider openai RefNotFound']));
  });
});

describe('a key', () => {
  const GOOD = ['sk-planted-planted-planted-0001', 'sk-planted-planted-planted-0002'] as const;

  it('comes with its Secret, is rotated with it, and stays when the Secret goes', async () => {
    await put(client, secret(NS, 'openai', { apiKey: GOOD[0] }));
    await expect.poll(key, WITHIN).toBe(GOOD[0]);
    await put(client, secret(NS, 'openai', { apiKey: GOOD[1] }));
    await expect.poll(key, WITHIN).toBe(GOOD[1]);
    await put(client, secret(NS, 'openai', { apiKey: 'Bearer nothing' }));
    await expect.poll(async () => (await read('AIProvider', 'openai')).status?.key?.state, WITHIN).toBe('Malformed');
    expect(key()).toBe(GOOD[1]);
    await remove(client, secret(NS, 'openai', {}));
    await expect.poll(async () => (await read('AIProvider', 'openai')).status?.key?.state, WITHIN).toBe('Missing');
    expect(key()).toBe(GOOD[1]);
    const { status } = await read('AIProvider', 'openai');
    expect(status?.conditions?.find(({ type }) => type === 'ResolvedRefs')?.message).toContain('the last good key stays in use');
    expect(JSON.stringify([status, governed.events])).not.toContain('planted');
    await put(client, secret(NS, 'openai', { apiKey: GOOD[0] }));
    await expect.poll(key, WITHIN).toBe(GOOD[0]);
  });
});

describe('resources that are wrong', () => {
  const findingsOf = async (kind: string, name: string, namespace = NS): Promise<string[]> =>
    ((await read(kind, name, namespace)).status?.findings ?? []).map(({ path, message }) => `${path}: ${message}`);

  it('say where, and take nothing from others', async () => {
    const before = state()?.snapshot.rules.length;
    await apply(client, route('typo', { workloads: ['other'], rules: [{ backends: [{ provider: 'opneai' }] }] }));
    await apply(client, custom('AIBudget', 'mars', { limit: { usd: '1' }, window: { calendar: 'Day', timeZone: 'Mars/Olympus' } }));
    await apply(client, route('trespasser', { workloads: [`${OTHER}/checkout`] }));
    await expect
      .poll(() => findingsOf('AIRoute', 'typo'), WITHIN)
      .toEqual(expect.arrayContaining([expect.stringMatching(/^spec\.rules\[0\]\.backends\[0\]\.provider: .*did you mean .*openai/)]));
    await expect.poll(() => findingsOf('AIBudget', 'mars'), WITHIN).toEqual([expect.stringContaining('spec.window.timeZone')]);
    await expect
      .poll(() => findingsOf('AIRoute', 'trespasser'), WITHIN)
      .toEqual(expect.arrayContaining([expect.stringContaining('spec.workloads[0]: is a workload of another namespace')]));
    expect(await conditionsOf('AIRoute', 'typo')).toMatchObject({ Accepted: 'True', ResolvedRefs: 'RefNotFound', Programmed: 'NoSidecars' });
    expect(state()?.snapshot.rules).toHaveLength(before ?? 0);
  });

  it('are tried in their order where they select the same workload, and both say that they are programmed', async () => {
    await apply(client, route('any', { workloads: ['*'] }));
    await expect.poll(() => state()?.snapshot.rules.map(({ id }) => id), WITHIN).toEqual([`${NS}/chat#0`, `${NS}/any#0`]);
    governed.streams.say(pod, `${NS}/checkout`);
    governed.governor.heard();
    await expect
      .poll(async () => [await conditionsOf('AIRoute', 'chat'), await conditionsOf('AIRoute', 'any')], WITHIN)
      .toMatchObject([{ Programmed: 'True' }, { Programmed: 'True' }]);
  });

  it('may have names and words of any length that an API server takes', async () => {
    const long = 'x'.repeat(253);
    const words = 'é𝕏🦊'.repeat(60);
    await apply(client, route(long, { workloads: ['w'.repeat(512), words], rules: [{ match: { models: [words] }, backends: [{ provider: 'openai' }] }] }));
    await expect.poll(() => conditionsOf('AIRoute', long), WITHIN).toMatchObject({ Accepted: 'True', Programmed: 'NoSidecars' });
    await client.send('DELETE', pathOfKind('AIRoute', NS, long));
  });
});

describe('a status', () => {
  it('is not written again where nothing has changed, and not by who does not lead', async () => {
    const second = govern(access, [NS], 'controller-test');
    try {
      await vi.waitUntil(() => second.plans.length > 0, WITHIN);
      const versions = async (): Promise<string[]> => [
        (await read('AIRoute', 'chat')).metadata.resourceVersion,
        (await read('AIProvider', 'openai')).metadata.resourceVersion,
      ];
      const before = await versions();
      // The second one knows no sidecars, and would say so.
      for (let look = 0; look < 20; look++) {
        second.governor.heard();
        governed.governor.heard();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(second.leadership.leads).toBe(false);
      expect(await versions()).toEqual(before);
      expect([...second.streams.states].map(([id, { version }]) => [id, version])).toEqual(
        [...governed.streams.states].map(([id, { version }]) => [id, version]),
      );
    } finally {
      await second.close();
    }
  });

  it('leaves conditions of others as they are', async () => {
    const other = { type: 'Reviewed', status: 'True', reason: 'Reviewed', message: '', lastTransitionTime: '2026-11-28T00:00:00Z' };
    await client.send('PATCH', `${pathOfKind('AIRoute', NS, 'chat')}/status?fieldManager=reviewer`, {
      body: { apiVersion: 'airmesh.dev/v1alpha1', kind: 'AIRoute', metadata: { name: 'chat' }, status: { conditions: [other] } },
      type: 'application/apply-patch+yaml',
    });
    await apply(client, route('chat', { rules: [{ name: 'renamed', backends: [{ provider: 'openai' }] }] }));
    await expect.poll(async () => (await read('AIRoute', 'chat')).status?.observedGeneration, WITHIN).toBe(2);
    expect(await conditionsOf('AIRoute', 'chat')).toMatchObject({ Reviewed: 'True', Accepted: 'True' });
  });

  it('tells where a budget stands, by who knows', async () => {
    await apply(client, custom('AIBudget', 'daily', { limit: { usd: '25' }, window: { calendar: 'Day' } }));
    await expect.poll(() => conditionsOf('AIBudget', 'daily'), WITHIN).toMatchObject({ Accepted: 'True' });
    expect((await read('AIBudget', 'daily')).status?.posted).toBeUndefined();
    governed.accounts = [
      {
        limit: `${NS}/daily`,
        subject: '',
        unit: 'usd',
        mode: 'Strict',
        limitAmount: 25_000_000_000n,
        posted: 20_500_000_000n,
        pending: 0n,
        free: 4_500_000_000n,
        windowStart: Date.now(),
        windowEnd: undefined,
      },
    ];
    await expect.poll(async () => (await read('AIBudget', 'daily')).status, WITHIN).toMatchObject({ posted: '20.5', free: '4.5' });
  });
});
