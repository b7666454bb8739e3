/** What an installation may do that watches one namespace: all that its controller needs, and nothing elsewhere. By a real API server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { RunningController } from '../../src/main/controller/controller.ts';
import { connect } from '../support/apiserver/client.ts';
import { controllerToken, grant, readinessOf, startControllerFor } from '../support/apiserver/controllers.ts';
import { makePod, put, secret } from '../support/apiserver/governed.ts';
import { apply, documentsOf, install, makeNamespace, pathOfKind } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';

const access = inject('apiserver');
const client = connect(access);
const [ROOT, NS, OTHER] = ['scoped-system', 'scoped-shop', 'scoped-other'];
const FILE = 'test/golden/chart/scoped.yaml';
const ACCOUNT = { name: 'scoped-airmesh', namespace: ROOT };
const WITHIN = { timeout: 30_000, interval: 50 };
const folder = mkdtempSync(join(tmpdir(), 'airmesh-rights-'));

let controller: RunningController;
let log = '';

const custom = (kind: string, namespace: string, name: string, spec: unknown): KubernetesObject => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind,
  metadata: { name, namespace },
  spec,
});
const provider = (namespace: string): KubernetesObject =>
  custom('AIProvider', namespace, 'relay', {
    type: 'OpenAICompatible',
    baseUrl: 'https://relay.example/v1',
    models: [{ name: 'house' }],
    auth: { apiKey: { secretRef: { name: 'relay' } } },
  });
const route = (namespace: string): KubernetesObject =>
  custom('AIRoute', namespace, 'all', { workloads: ['*'], rules: [{ backends: [{ provider: 'relay' }] }] });

beforeAll(async () => {
  await install(client);
  for (const name of [ROOT, NS, OTHER]) await makeNamespace(client, name);
  expect(await grant(client, FILE)).toBeGreaterThan(8);
  for (const namespace of [NS, OTHER]) {
    await apply(client, provider(namespace));
    await apply(client, route(namespace));
    await put(client, secret(namespace, 'relay', { apiKey: 'hs_planted_0123456789abcdef0123456789abcdef' }));
    await makePod(client, namespace, 'checkout-0');
  }
  await apply(client, custom('AIBudget', ROOT, 'everybody', { limit: { usd: '1' }, window: { calendar: 'Day' } }));
  const name = 'scoped-airmesh';
  controller = await startControllerFor(access, await controllerToken(client, ACCOUNT), {
    kubeconfig: join(folder, 'kubeconfig'),
    write: (line) => void (log += line),
    scope: { rootNamespace: ROOT, namespaces: [NS], lease: name, authorities: `${name}-authorities`, views: `${name}-views`, service: name },
  });
});

afterAll(async () => {
  await controller.stop();
  rmSync(folder, { recursive: true });
});

type Status = NonNullable<KubernetesObject['status']> & { readonly key?: { readonly state: string } };
const statusOf = async (kind: string, namespace: string, name: string): Promise<Status | undefined> =>
  ((await client.send('GET', pathOfKind(kind, namespace, name))).body as { readonly status?: Status }).status;
const isAccepted = async (kind: string, namespace: string, name: string): Promise<boolean> =>
  (await statusOf(kind, namespace, name))?.conditions?.some(({ type, status }) => type === 'Accepted' && status === 'True') === true;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Asks whether the controller's account may do that; a namespace that is empty is all of them. */
async function may(verb: string, group: string, path: string, namespace = '', name = ''): Promise<boolean> {
  const [resource = '', subresource = ''] = path.split('/');
  const { body } = await client.send('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: `system:serviceaccount:${ROOT}:${ACCOUNT.name}`, resourceAttributes: { verb, group, resource, subresource, namespace, name } },
    },
  });
  return (body as { readonly status: { readonly allowed: boolean } }).status.allowed;
}

const roles = documentsOf(FILE).filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole') as unknown as readonly {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly Rule[];
}[];
const granted = roles.flatMap(({ metadata: { namespace }, rules }) =>
  rules.flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => resourceNames.flatMap((name) => verbs.map((verb) => ({ verb, group, resource, namespace, name })))),
    ),
  ),
);

describe('a controller that watches one namespace', () => {
  it('comes up, lacks nothing, and governs that one and by its own', async () => {
    await expect.poll(() => readinessOf(controller), WITHIN).toMatchObject({ ready: true, reasons: [], warnings: [] });
    await vi.waitUntil(() => log.includes('controller.leading'), WITHIN);
    await expect.poll(() => isAccepted('AIRoute', NS, 'all'), WITHIN).toBe(true);
    await expect.poll(() => isAccepted('AIBudget', ROOT, 'everybody'), WITHIN).toBe(true);
    await expect.poll(async () => (await statusOf('AIProvider', NS, 'relay'))?.key?.state, WITHIN).toBe('Untried');
    expect(log.split('\n').filter((line) => /watch\.failed|status\.failed|event\.failed|lease_failed|plan\.failed|unshared/.test(line))).toEqual([]);
  });

  it('says nothing of what is elsewhere', async () => {
    expect([await statusOf('AIRoute', OTHER, 'all'), await statusOf('AIProvider', OTHER, 'relay')]).toEqual([undefined, undefined]);
  });
});

describe('its rights', () => {
  it.each(granted)('let it $verb $group/$resource $name in $namespace', async ({ verb, group, resource, namespace, name }) => {
    expect(await may(verb, group, resource, namespace, name)).toBe(true);
  });

  it.each<[verb: string, group: string, resource: string, namespace?: string, name?: string]>([
    ...[OTHER, ''].flatMap((namespace): [string, string, string, string][] => [
      ['list', '', 'pods', namespace],
      ['list', 'airmesh.dev', 'airoutes', namespace],
      ['patch', 'airmesh.dev', 'airoutes/status', namespace],
      ['get', '', 'secrets', namespace],
      ['create', '', 'events', namespace],
      ['create', 'coordination.k8s.io', 'leases', namespace],
    ]),
    ['list', '', 'secrets', NS],
    ['get', '', 'secrets', NS, 'other'],
    ['list', '', 'secrets', ROOT],
    ['get', '', 'secrets', ROOT, 'store'],
    ['delete', '', 'secrets', ROOT, 'scoped-airmesh-authorities-control-plane'],
    ['patch', 'airmesh.dev', 'airoutes', NS],
    ['delete', 'airmesh.dev', 'airoutes', NS],
    ['create', '', 'pods', NS],
    ['delete', '', 'pods', NS],
    ['create', '', 'pods/exec', NS],
    ['create', '', 'serviceaccounts/token', ROOT],
    ['patch', '', 'namespaces'],
    ['patch', 'admissionregistration.k8s.io', 'mutatingwebhookconfigurations', '', 'another'],
    ['escalate', 'rbac.authorization.k8s.io', 'roles', ROOT],
  ])('do not let it %s %s/%s in "%s" (%s)', async (verb, group, resource, namespace, name) => {
    expect(await may(verb, group, resource, namespace, name)).toBe(false);
  });
});
