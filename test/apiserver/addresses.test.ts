/** Where egress is enforced, sidecars are told where the cluster's own model servers are, as that changes, with the rights that the chart grants for it. */
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { draftOf, observe } from '../../src/core/control/index.ts';
import type { InterceptionSettings } from '../../src/core/control/index.ts';
import { InterceptionIssuer } from '../../src/main/controller/interceptions.ts';
import { AUTHORITIES, Authority, MemoryAuthorityStore } from '../../src/shell/certs/index.ts';
import { checkKey } from '../../src/shell/keys/index.ts';
import { Services } from '../../src/shell/kube/index.ts';
import type { Cluster } from '../../src/shell/kube/index.ts';
import { createLogger } from '../../src/shell/telemetry/index.ts';
import { readCertificates } from '../../src/shell/trust/index.ts';
import { connect } from '../support/apiserver/client.ts';
import { clusterAt, put, remove } from '../support/apiserver/governed.ts';
import { makeNamespace } from '../support/apiserver/resources.ts';

const access = inject('apiserver');
const client = connect(access);
const [MODELS, CLOSED] = ['addresses-models', 'addresses-closed'];
const WITHIN = { timeout: 10_000, interval: 20 };
const SETTINGS: InterceptionSettings = { egress: 'Enforced', passedHosts: [], refusedHosts: [], clusterDomain: 'cluster.local' };

const service = (name: string, spec: object, namespace = MODELS) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { ports: [{ port: 8000 }], ...spec },
});
const slice = (name: string, of: string, addresses: readonly string[]) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: MODELS, labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  ports: [{ port: 8000 }],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: false } })),
});

/** As `interception.egress: Enforced` has the chart grant them, in one namespace. */
async function grant(): Promise<string> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'watcher', namespace: MODELS } };
  await put(client, account);
  await put(client, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'watcher', namespace: MODELS },
    rules: [
      { apiGroups: [''], resources: ['services'], verbs: ['list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    ],
  });
  await put(client, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'watcher', namespace: MODELS },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'watcher' },
    subjects: [{ kind: 'ServiceAccount', name: 'watcher', namespace: MODELS }],
  });
  const { body } = await client.send('POST', `/api/v1/namespaces/${MODELS}/serviceaccounts/watcher/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  });
  return (body as { readonly status: { readonly token: string } }).status.token;
}

let cluster: Cluster;
let issuer: InterceptionIssuer;
let log = '';
const renewals = vi.fn();
const hosts = [`vllm.${MODELS}.svc`, `ollama.${MODELS}.svc.cluster.local`, `hidden.${CLOSED}.svc`];

beforeAll(async () => {
  for (const name of [MODELS, CLOSED]) await makeNamespace(client, name);
  cluster = clusterAt({ ...access, token: await grant() });
  await put(client, service('vllm', {}));
  await put(client, slice('vllm-1', 'vllm', ['10.1.0.2', '10.1.0.1']));
  await put(client, service('ollama', { clusterIP: 'None' }));
  await put(client, slice('other-1', 'other', ['10.1.0.9']));
  await put(client, service('hidden', {}, CLOSED));
  const opened = await Authority.open({ store: new MemoryAuthorityStore(), terms: AUTHORITIES.interception(), now: Date.now });
  if (!opened.ok) throw new Error(opened.error.reason);
  issuer = new InterceptionIssuer({
    authority: opened.value,
    settings: SETTINGS,
    services: new Services(cluster, renewals, Math.random),
    onDue: renewals,
    logger: createLogger({ level: 'debug', format: 'json', colour: false, destination: { write: (line) => void (log += line), flush: () => undefined } }),
  });
});

afterAll(() => {
  issuer.close();
  cluster.api.close();
});

const custom = (kind: 'AIProvider' | 'AIRoute', name: string, spec: object) =>
  observe(kind, { apiVersion: 'airmesh.dev/v1alpha1', kind, metadata: { name, namespace: 'shop', uid: name, generation: 1 }, spec });

/** What the sidecars of a workload that may use these hosts are told of the addresses of each. */
async function told(used: readonly string[] = hosts): Promise<Readonly<Record<string, readonly string[] | undefined>>> {
  const draft = draftOf(
    {
      resources: [
        ...used.map((host, index) =>
          custom('AIProvider', `p${index}`, { type: 'OpenAICompatible', baseUrl: `http://${host}:8000/v1`, models: [{ name: 'm' }] }),
        ),
        custom('AIRoute', 'all', { workloads: ['checkout'], hosts: [], rules: [{ backends: used.map((_host, index) => ({ provider: `p${index}` })) }] }),
      ],
      namespaces: new Map(),
      callers: [],
      pods: [
        {
          namespace: 'shop',
          name: 'checkout',
          uid: 'u',
          labels: {},
          serviceAccount: 'default',
          created: '',
          phase: 'running',
          isInjected: true,
          program: '0.1.0',
        },
      ],
      secrets: () => ({ kind: 'absent' }),
    },
    { rootNamespace: 'airmesh-system', known: { openai: [], anthropic: [], google: [], deepseek: [] }, simulatedUrl: undefined, readCertificates, checkKey },
  );
  const interception = (await issuer.of(draft)).get('shop/checkout');
  const services = (interception?.hosts ?? []).filter(({ host }) => host.split('.').length === 2);
  return Object.fromEntries(services.map(({ host, addresses }) => [host.split('.', 1)[0], addresses]));
}

describe('a provider that is a Service', () => {
  it('is known by its own address and those behind it, ready or not, or by those alone', async () => {
    const { body } = await client.send('GET', `/api/v1/namespaces/${MODELS}/services/vllm`);
    const { clusterIP } = (body as { readonly spec: { readonly clusterIP: string } }).spec;
    expect(await told()).toEqual({ vllm: ['10.1.0.1', '10.1.0.2', clusterIP].toSorted(), ollama: [], hidden: [] });
  });

  it('is told of as its endpoints come and go', async () => {
    renewals.mockClear();
    await put(client, slice('ollama-1', 'ollama', ['10.1.0.5']));
    await expect.poll(() => told(), WITHIN).toMatchObject({ ollama: ['10.1.0.5'] });
    expect(renewals).toHaveBeenCalled();
    renewals.mockClear();
    await put(client, slice('ollama-2', 'ollama', ['10.1.0.6', '10.1.0.5']));
    await expect.poll(() => told(), WITHIN).toMatchObject({ ollama: ['10.1.0.5', '10.1.0.6'] });
    expect(renewals).toHaveBeenCalled();
    renewals.mockClear();
    await remove(client, slice('ollama-2', 'ollama', []));
    await expect.poll(() => told(), WITHIN).toMatchObject({ ollama: ['10.1.0.5'] });
    expect(renewals).toHaveBeenCalled();
  });

  it('that may not be read is said, once', async () => {
    await told();
    expect(log.match(/addresses\.unknown/g)).toHaveLength(1);
    expect(log).toContain(`${CLOSED}/hidden`);
  });

  it('is forgotten where no provider names it any more', async () => {
    expect(Object.keys(await told(hosts.slice(0, 1)))).toEqual(['vllm']);
    renewals.mockClear();
    await put(client, slice('ollama-3', 'ollama', ['10.1.0.7']));
    await put(client, slice('vllm-2', 'vllm', ['10.1.0.3']));
    await expect.poll(() => told(hosts.slice(0, 1)), WITHIN).toMatchObject({ vllm: expect.arrayContaining(['10.1.0.3']) as unknown });
    expect(renewals).toHaveBeenCalled();
  });
});
