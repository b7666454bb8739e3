/**
 * Callers without sidecars, in a cluster: they show their projected token as API key, and are governed as who they are.
 * One story: each test begins where the one before ended.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apply, attempt, get, kubectl, until } from './commands.ts';
import { CLIENT_IMAGE, IMAGE } from './images.ts';
import { KEYS, POD, SECURE, SYSTEM, clear, ensureStorage, install, saidIn } from './story.ts';
import type { Said } from './story.ts';

const [OPEN, OTHER, CLOSED] = ['team-a', 'team-b', 'team-c'] as const;
const NAMESPACES = [OPEN, OTHER, CLOSED];
/** Each team's provider takes its own key and no other. */
const keyOf: Readonly<Record<string, string>> = { [OPEN]: KEYS.first, [OTHER]: KEYS.second, [CLOSED]: KEYS.second };
const CALLS = 3;

const removeTeams = (): Promise<string> => kubectl('delete', 'namespace', ...NAMESPACES, '--ignore-not-found', '--timeout=120s');

beforeAll(async () => {
  await clear();
  await removeTeams();
  await ensureStorage();
});

afterAll(async () => {
  if (process.env['AIRMESH_TEST_KEEP'] !== undefined) return;
  await removeTeams();
  await clear();
});

const custom = (namespace: string, kind: string, name: string, spec: object): object => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind,
  metadata: { name, namespace },
  spec,
});

/** A team: its provider, what it allows, and who calls. */
function team(namespace: string): readonly object[] {
  const metadata = (name: string): object => ({ name, namespace });
  const rbac = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: metadata('openai'), stringData: { apiKey: keyOf[namespace] } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata: metadata('airmesh-keys'),
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['openai'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: metadata('airmesh-keys'),
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'airmesh-keys' },
      subjects: [{ kind: 'ServiceAccount', name: 'airmesh', namespace: SYSTEM }],
    },
    custom(namespace, 'AIProvider', 'openai', {
      type: 'OpenAI',
      baseUrl: `http://provider.${namespace}.svc.cluster.local:4010/v1`,
      auth: { apiKey: { secretRef: { name: 'openai', key: 'apiKey' } } },
    }),
    custom(namespace, 'AIRoute', 'all', { workloads: ['*'], rules: [{ name: 'chat', match: { models: ['gpt-4.1'] }, backends: [{ provider: 'openai' }] }] }),
    custom(namespace, 'AIBudget', 'each', { per: ['Workload'], limit: { requests: CALLS }, window: { lifetime: true }, mode: 'Strict' }),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata('provider'),
      spec: {
        selector: { matchLabels: { app: 'provider' } },
        template: {
          metadata: { labels: { app: 'provider' } },
          spec: {
            ...POD,
            containers: [
              {
                name: 'provider',
                image: IMAGE,
                args: ['simulate', '--listen', '0.0.0.0:4010', '--key', keyOf[namespace]],
                readinessProbe: { httpGet: { path: '/simulator/books', port: 4010 }, periodSeconds: 1 },
                securityContext: SECURE,
              },
            ],
          },
        },
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: metadata('provider'), spec: { selector: { app: 'provider' }, ports: [{ port: 4010 }] } },
    ...['checkout', 'search'].map((name) => caller(namespace, name)),
  ];
}

/** OpenAI's client, told where the gateway is; its tokens are for the gateway, and for a controller. */
function caller(namespace: string, name: string): object {
  const token = (path: string, audience: string): object => ({ serviceAccountToken: { path, audience, expirationSeconds: 3600 } });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          ...POD,
          volumes: [{ name: 'tokens', projected: { sources: [token('gateway', 'airmesh-gateway'), token('other', 'https://elsewhere.example')] } }],
          containers: [
            {
              name: 'app',
              image: CLIENT_IMAGE,
              args: ['wait'],
              env: [{ name: 'OPENAI_BASE_URL', value: `http://airmesh-gateway.${SYSTEM}.svc.cluster.local/v1` }],
              securityContext: SECURE,
              volumeMounts: [{ name: 'tokens', mountPath: '/tokens', readOnly: true }],
            },
          ],
        },
      },
    },
  };
}

/** One call by OpenAI's client, with a token of the pod's as its key, or with a word. */
async function call(namespace: string, name: string, token: 'gateway' | 'other' | 'none' = 'gateway'): Promise<Said> {
  const key = token === 'none' ? `'sk-0123456789abcdefghij'` : `(await import('node:fs')).readFileSync('/tokens/${token}', 'utf8').trim()`;
  const program = `process.env.OPENAI_API_KEY = ${key}; await import('/client/call.mjs');`;
  const inPod = ['exec', '-n', namespace, `deployment/${name}`, '-c', 'app', '--', 'node', '--input-type=module', '-e', program];
  const { out, err } = await attempt('kubectl', inPod);
  const said = saidIn(out);
  if (said === undefined) throw new Error(`the client said nothing: ${out}${err}`);
  return said;
}

/** Calls that a team's provider answered. */
async function answered(namespace: string): Promise<number> {
  const program = `const books = await (await fetch('http://provider.${namespace}.svc.cluster.local:4010/simulator/books')).json(); console.log(books.attempts.length);`;
  return Number(await kubectl('exec', '-n', OPEN, 'deployment/checkout', '-c', 'app', '--', 'node', '--input-type=module', '-e', program));
}

it('gateways are installed by Helm, and ready before anybody calls', async () => {
  await install('gateway.enabled=true', 'gateway.replicas=2');
  const { items } = await get<{ readonly items: readonly { readonly spec: { readonly volumes: readonly { readonly secret?: object }[] } }[] }>(
    'pods',
    '-n',
    SYSTEM,
    '-l',
    'app.kubernetes.io/component=gateway',
  );
  expect(items.length).toBe(2);
  // No Secret is mounted there: keys come with the policies of those who call.
  expect(items.flatMap(({ spec }) => spec.volumes).filter(({ secret }) => secret !== undefined)).toEqual([]);
});

it('a pod without a sidecar calls by its token, and is answered with its team’s key', async () => {
  for (const namespace of NAMESPACES) {
    await kubectl('create', 'namespace', namespace);
    await apply(...team(namespace));
  }
  await kubectl('label', 'namespace', OPEN, OTHER, 'airmesh.dev/gateway=enabled');
  for (const namespace of NAMESPACES)
    for (const name of ['provider', 'checkout', 'search']) await kubectl('rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=120s');
  const said = await until(
    () => call(OPEN, 'checkout'),
    ({ ok }) => ok,
    60_000,
  );
  expect(said).toMatchObject({ ok: true, text: expect.stringMatching(/\w/), airmesh: { provider: `${OPEN}/openai`, model: 'gpt-4.1' } });
  // The other team's provider would take no key but its own.
  const other = await call(OTHER, 'checkout');
  expect(other).toMatchObject({ ok: true, airmesh: { provider: `${OTHER}/openai` } });
  expect([await answered(OTHER), await answered(CLOSED)]).toEqual([1, 0]);
});

it('a token of another audience, and a key that is none, are refused', async () => {
  expect(await call(OPEN, 'checkout', 'other')).toMatchObject({ ok: false, status: 401, code: 'unauthenticated' });
  expect(await call(OPEN, 'checkout', 'none')).toMatchObject({ ok: false, status: 401, code: 'unauthenticated' });
});

it('a team that has not allowed it is refused, and told how', async () => {
  const said = await call(CLOSED, 'checkout');
  expect(said).toMatchObject({ ok: false, status: 403, message: expect.stringContaining('airmesh.dev/gateway: enabled') });
  expect(await answered(CLOSED)).toBe(0);
});

it('each workload has its own account, which both gateways share with the controller', async () => {
  await until(
    () => call(OPEN, 'checkout'),
    ({ ok, code }) => !ok && code === 'budget_exhausted',
  );
  expect(await answered(OPEN)).toBe(CALLS);
  // Its neighbour has its own.
  expect(await call(OPEN, 'search')).toMatchObject({ ok: true });
  const spent = await until(
    async () => {
      const raw = await kubectl('get', '--raw', `/api/v1/namespaces/${SYSTEM}/services/airmesh-admin:admin/proxy/records`);
      const { records } = JSON.parse(raw) as { readonly records: readonly { readonly namespace: string; readonly workload: string }[] };
      return Object.fromEntries([...Map.groupBy(records, ({ namespace, workload }) => `${namespace}/${workload}`)].map(([who, own]) => [who, own.length]));
    },
    (found) => found[`${OPEN}/checkout`] === CALLS && found[`${OPEN}/search`] === 1,
  );
  expect(spent).toEqual({ [`${OPEN}/checkout`]: CALLS, [`${OPEN}/search`]: 1, [`${OTHER}/checkout`]: 1 });
});

it('a team that allows it no more is refused at once', async () => {
  await kubectl('label', 'namespace', OTHER, 'airmesh.dev/gateway-');
  const said = await until(
    () => call(OTHER, 'search'),
    ({ ok, status }) => !ok && status === 403,
  );
  expect(said.message).toContain(OTHER);
});

it('no log of a gateway’s or a controller’s holds a key or a token', async () => {
  const logs = await kubectl(
    'logs',
    '-n',
    SYSTEM,
    '--all-containers',
    '--prefix',
    '--tail=-1',
    '-l',
    'app.kubernetes.io/name=airmesh',
    '--max-log-requests=10',
  );
  expect(logs).toContain('call.settled');
  for (const key of Object.values(KEYS)) expect(logs).not.toContain(key);
  expect(logs).not.toContain('eyJ');
});
