/** A whole controller with the rights that the chart grants, and sidecars that prove by their pods' tokens who they are. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { SidecarState } from '../../src/core/control/index.ts';
import type { RunningController } from '../../src/main/controller/controller.ts';
import { PolicyLink } from '../../src/shell/distribution/index.ts';
import { TokenReviews } from '../../src/shell/kube/index.ts';
import { Roots, TokenFile } from '../../src/shell/wire/index.ts';
import { connect } from '../support/apiserver/client.ts';
import type { ApiClient } from '../support/apiserver/client.ts';
import { controllerRoots, controllerToken, grant, grantSecrets, readinessOf, startControllerFor } from '../support/apiserver/controllers.ts';
import { ROOT, clusterAt, makePod, put, remove, secret, tokenFor } from '../support/apiserver/governed.ts';
import type { MadePod } from '../support/apiserver/governed.ts';
import { apply, install, makeNamespace, pathOfKind } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';

const access = inject('apiserver');
const client = connect(access);
const NS = 'sidecars';
const WITHIN = { timeout: 40_000, interval: 20 };
const KEY = 'hs_planted_0123456789abcdef0123456789abcdef';
const folder = mkdtempSync(join(tmpdir(), 'airmesh-sidecars-'));

let controller: RunningController;
/** The controller's own access. */
let own: ApiClient;
let token = '';
let log = '';
const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

const custom = (kind: string, name: string, spec: unknown): KubernetesObject => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind,
  metadata: { name, namespace: NS },
  spec,
});

beforeAll(async () => {
  await install(client);
  for (const name of [ROOT, NS]) await makeNamespace(client, name);
  expect(await grant(client)).toBeGreaterThan(4);
  await grantSecrets(client, NS, ['relay']);
  await apply(
    client,
    custom('AIProvider', 'relay', {
      type: 'OpenAICompatible',
      baseUrl: 'https://relay.example/v1',
      models: [{ name: 'house' }],
      auth: { apiKey: { secretRef: { name: 'relay' } } },
    }),
  );
  await apply(
    client,
    custom('AIProvider', 'other', {
      type: 'OpenAICompatible',
      baseUrl: 'https://other.example/v1',
      models: [{ name: 'other' }],
      auth: { apiKey: { secretRef: { name: 'other' } } },
    }),
  );
  await apply(client, custom('AIRoute', 'checkout', { workloads: ['checkout'], rules: [{ backends: [{ provider: 'relay' }] }] }));
  await apply(client, custom('AIRoute', 'search', { workloads: ['search'], rules: [{ backends: [{ provider: 'other' }] }] }));
  await put(client, secret(NS, 'relay', { apiKey: KEY }));
  await put(client, secret(NS, 'other', { apiKey: 'hs_planted_fedcba9876543210fedcba9876543210' }));
  token = await controllerToken(client);
  own = connect({ ...access, token });
  controller = await start((line) => void (log += line));
});

afterAll(async () => {
  await controller.stop();
  rmSync(folder, { recursive: true });
});

const start = (write: (line: string) => void): Promise<RunningController> =>
  startControllerFor(access, token, { kubeconfig: join(folder, 'kubeconfig'), write });

interface Sidecar {
  readonly link: PolicyLink;
  readonly states: SidecarState[];
  close(): void;
}

async function sidecar(token: string, of = controller): Promise<Sidecar> {
  const file = join(folder, crypto.randomUUID());
  writeFileSync(file, token, { mode: 0o600 });
  const tokenFile = new TokenFile(file, 50);
  const states: SidecarState[] = [];
  let applied: string | undefined;
  const link = new PolicyLink({
    addresses: [`localhost:${of.address.split(':').at(-1)}`],
    access: { roots: new Roots(await controllerRoots(client)), token: tokenFile },
    clock,
    report: () => ({ program: '0.1.0', keys: [], ownKeysFor: [], ...(applied === undefined ? {} : { applied }) }),
    onConnected: () => undefined,
    onAnswer: (answer) => {
      if (answer.kind !== 'state') return;
      states.push(answer.state);
      applied = answer.state.version;
      link.report();
    },
  });
  return {
    link,
    states,
    close: () => {
      link.close();
      tokenFile.close();
    },
  };
}

const condition = async (kind: string, name: string, type: string): Promise<string | undefined> => {
  const { body } = await client.send('GET', pathOfKind(kind, NS, name));
  return (body as KubernetesObject).status?.conditions?.find((one) => one.type === type)?.status;
};

/** What the page that people open says of a route and of its provider. */
async function row({ admin }: RunningController, name: string): Promise<string> {
  const page = await (await fetch(`http://127.0.0.1:${admin.port}/`)).text();
  expect(page).not.toContain('planted');
  return (
    /<table>(?![^]*<table>)[^]*/
      .exec(page)?.[0]
      .split('<tr>')
      .find((line) => line.includes(`<bdi>${NS}/${name}<`)) ?? ''
  );
}

describe('with the chart’s rights', () => {
  it('a controller comes up, and lacks nothing', async () => {
    await expect.poll(() => readinessOf(controller), WITHIN).toMatchObject({ ready: true, reasons: [] });
    await expect.poll(() => condition('AIRoute', 'checkout', 'Accepted'), WITHIN).toBe('True');
    await vi.waitUntil(() => log.includes('controller.leading'), WITHIN);
    const troubles = log.split('\n').filter((line) => /watch\.failed|status\.failed|event\.failed|lease_failed|plan\.failed/.test(line));
    expect(troubles).toEqual([]);
  });

  it('reads no Secret that it was not granted, and says so', async () => {
    expect((await own.send('GET', `/api/v1/namespaces/${NS}/secrets/relay`)).status).toBe(200);
    for (const path of [`/api/v1/namespaces/${NS}/secrets/other`, `/api/v1/namespaces/${NS}/secrets`, '/api/v1/secrets', `/api/v1/namespaces/${ROOT}/secrets`])
      expect((await own.send('GET', path)).status, path).toBe(403);
    await expect.poll(() => condition('AIProvider', 'other', 'ResolvedRefs'), WITHIN).toBe('False');
    const { body } = await client.send('GET', pathOfKind('AIProvider', NS, 'other'));
    expect(JSON.stringify(body)).toContain('the controller may not read Secret other');
  });

  it('changes nothing that a person wrote', async () => {
    const path = pathOfKind('AIRoute', NS, 'checkout');
    const patch = { body: { spec: { workloads: ['mine'] } }, type: 'application/merge-patch+json' } as const;
    expect((await own.send('PATCH', path, patch)).status).toBe(403);
    expect((await own.send('DELETE', path)).status).toBe(403);
    expect((await own.send('DELETE', `/api/v1/namespaces/${NS}/pods/x`)).status).toBe(403);
  });
});

describe('a sidecar', () => {
  let pod: MadePod;

  it('that proves its pod gets its workload’s state and no other key, and the status says so', async () => {
    pod = await makePod(client, NS, 'checkout-0');
    const connected = await sidecar(await tokenFor(client, pod));
    try {
      await vi.waitUntil(() => connected.states.length > 0, WITHIN);
      const state = connected.states.at(-1);
      expect([...(state?.keys ?? [])].map(([ref, { value }]) => [ref, value])).toEqual([[`${NS}/relay`, KEY]]);
      const relay = state?.interception?.hosts.find(({ host }) => host === 'relay.example');
      expect(relay?.leaf?.certificate).toContain('BEGIN CERTIFICATE');
      expect(state?.interception?.roots).toContain('BEGIN CERTIFICATE');
      expect(state?.snapshot.workload).toMatchObject({ namespace: NS, name: 'checkout', serviceAccount: 'default' });
      await expect.poll(() => condition('AIRoute', 'checkout', 'Programmed'), WITHIN).toBe('True');
      await apply(client, custom('AIRoute', 'checkout', { workloads: ['checkout'], rules: [{ name: 'renamed', backends: [{ provider: 'relay' }] }] }));
      await vi.waitUntil(() => connected.states.at(-1)?.snapshot.rules[0]?.id === `${NS}/checkout#renamed`, WITHIN);
      await expect.poll(() => condition('AIRoute', 'checkout', 'Programmed'), WITHIN).toBe('True');
    } finally {
      connected.close();
    }
    await expect.poll(() => condition('AIRoute', 'checkout', 'Programmed'), WITHIN).toBe('True');
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    ['of another audience', () => tokenFor(client, pod, 'https://kubernetes.default.svc'), /does not take the token/],
    ['that is none', async () => 'a.b.c', /does not take the token/],
    ['of nobody’s pod', async () => controllerToken(client), /does not take the token|no pod/],
    [
      'of a pod that is gone',
      async () => {
        const gone = await makePod(client, NS, 'checkout-9');
        const token = await tokenFor(client, gone);
        await remove(client, { apiVersion: 'v1', kind: 'Pod', metadata: { name: gone.name, namespace: NS } });
        return token;
      },
      /does not take the token|is gone/,
    ],
  ])('with a token %s gets nothing', async (_name, token, why) => {
    const refused = await sidecar(await token());
    try {
      await expect.poll(() => refused.link.state.lastError?.message, WITHIN).toMatch(why);
      expect(refused.states).toEqual([]);
    } finally {
      refused.close();
    }
  });

  it.each([
    ['that is watched', '0.1.0'],
    ['that nobody watches, as it has not the label', false],
  ] as const)('of a pod %s loses its stream when the pod is deleted, though its token has not ended, and is not taken again', async (_what, program) => {
    const going = await makePod(client, NS, 'checkout-7', 'Running', program);
    const token = await tokenFor(client, going);
    const connected = await sidecar(token);
    try {
      await vi.waitUntil(() => connected.states.length > 0, WITHIN);
      const began = performance.now();
      await remove(client, { apiVersion: 'v1', kind: 'Pod', metadata: { name: going.name, namespace: NS } });
      await expect.poll(() => connected.link.state.lastError?.message, { timeout: 20_000, interval: 10 }).toMatch(/the pod sidecars\/checkout-7 is gone/);
      if (program !== false) expect(performance.now() - began).toBeLessThan(2_000);
      await expect.poll(() => connected.link.state.lastError?.message, WITHIN).toMatch(/does not take the token|its pod .* is gone/);
      expect(connected.link.state.connected).toBeUndefined();
    } finally {
      connected.close();
    }
  });

  it('whose pod the informer does not know is looked up, and one that took its name is not taken for it', async () => {
    const cluster = clusterAt(access);
    const met: string[] = [];
    const reviews = new TokenReviews({ api: cluster.api, pod: () => undefined, onPod: ({ uid }) => void met.push(uid), clock });
    try {
      const token = await tokenFor(client, pod);
      expect(await reviews.review(token)).toMatchObject({ ok: true, value: { uid: pod.uid, workload: `${NS}/checkout` } });
      expect(met).toEqual([pod.uid]);
      // What was said of the token is kept for seconds; its pod is looked for each time.
      await remove(client, { apiVersion: 'v1', kind: 'Pod', metadata: { name: pod.name, namespace: NS } });
      const next = await makePod(client, NS, 'checkout-0');
      expect(next.uid).not.toBe(pod.uid);
      expect(await reviews.review(token)).toMatchObject({ ok: false, error: expect.stringContaining('is gone') });
    } finally {
      cluster.api.close();
    }
  });
});

describe('of two controllers', () => {
  it('the one that writes statuses knows what sidecars say to the other', async () => {
    const lines: string[] = [];
    const other = await start((line) => void lines.push(line));
    const search = await makePod(client, NS, 'search-0');
    const connected = await sidecar(await tokenFor(client, search), other);
    try {
      await vi.waitUntil(() => connected.states.length > 0, WITHIN);
      expect(lines.join('')).not.toContain('controller.leading');
      await expect.poll(() => condition('AIRoute', 'search', 'Programmed'), WITHIN).toBe('True');
      expect(lines.filter((line) => /failed|unshared/.test(line) && !line.includes('secrets'))).toEqual([]);
      for (const each of [controller, other]) {
        await expect.poll(() => row(each, 'search'), WITHIN).toContain('>1/1<');
        expect(await row(each, 'other')).toContain('may not read Secret other');
      }
      const { body } = await client.send('GET', `/api/v1/namespaces/${ROOT}/configmaps/airmesh-views`);
      expect(Object.keys((body as { readonly binaryData?: object }).binaryData ?? {})).toHaveLength(1);
      expect(JSON.stringify(body)).not.toContain('planted');
    } finally {
      connected.close();
      await other.stop();
    }
    const shares = async (): Promise<unknown> =>
      ((await client.send('GET', `/api/v1/namespaces/${ROOT}/configmaps/airmesh-views`)).body as { readonly binaryData?: object }).binaryData ?? {};
    expect(await shares()).toEqual({});
  });
});

describe('the log', () => {
  it('holds no key and no token', () => {
    expect(log).toContain('sidecar.joined');
    expect(log).not.toContain('planted');
    expect(log).not.toMatch(/eyJ[A-Za-z0-9_-]{20}/);
  });
});
