/** What a mesh needs, kept in a real API server that has Istio's definitions. */
import { KubeConfig } from '@kubernetes/client-node';
import { beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { compile, parseResource } from '../../src/core/policy/index.ts';
import type { Compiled } from '../../src/core/policy/index.ts';
import { MeshUpkeep } from '../../src/main/controller/meshes.ts';
import { MESHES } from '../../src/core/meshes/index.ts';
import type { MeshInput, NamespaceUse } from '../../src/core/meshes/index.ts';
import { ApiServer } from '../../src/shell/kube/apiserver.ts';
import { MeshKeeper } from '../../src/shell/meshes/index.ts';
import { knownModels } from '../../src/shell/prices/index.ts';
import { createLogger } from '../../src/shell/telemetry/index.ts';
import { connect } from '../support/apiserver/client.ts';
import { makeNamespace } from '../support/apiserver/resources.ts';
import { installIstio } from '../support/meshes/istio-definitions.ts';

const access = inject('apiserver');
const client = connect(access);
const config = new KubeConfig();
config.loadFromFile(access.kubeconfig);
const [NAMESPACE, OTHER, PLANNED] = ['kept', 'kept-not', 'planned'];

const upstream = (host: string): NamespaceUse['providers'][number] => ({
  id: `${NAMESPACE}/${host}`,
  host,
  port: 443,
  tls: true,
  timeouts: { connectMs: 5000, requestMs: 0, idleMs: 300_000 },
  retries: { attempts: 2, baseIntervalMs: 500, maxIntervalMs: 30_000 },
  circuitBreaker: { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 4096 },
  outlierDetection: { consecutive5xx: 10, intervalMs: 10_000, baseEjectionTimeMs: 10_000 },
});
const inputOf = (...hosts: readonly string[]): MeshInput => ({
  uses: hosts.length === 0 ? [] : [{ namespace: NAMESPACE, providers: hosts.map(upstream), hosts: [], endsAnswers: false }],
  settings: {
    processorSocket: '/run/airmesh/processor.sock',
    headersRead: ['content-type'],
    maxRequestBytes: 1_000_000,
    messageTimeoutMs: 1000,
  },
});

const entries = `/apis/networking.istio.io/v1/namespaces/${NAMESPACE}/serviceentries`;
const filter = `/apis/networking.istio.io/v1alpha3/namespaces/${NAMESPACE}/envoyfilters/airmesh`;
const namesOf = async (path: string): Promise<string[]> =>
  ((await client.send('GET', path)).body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name).toSorted();
const versionOf = async (path: string): Promise<string> =>
  ((await client.send('GET', path)).body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;

beforeAll(async () => {
  await installIstio(client);
  for (const namespace of [NAMESPACE, OTHER, PLANNED]) await makeNamespace(client, namespace);
});

describe('what a mesh needs', () => {
  let time = 0;
  const keeper = new MeshKeeper({ api: new ApiServer(config), mesh: MESHES.istio, namespaces: [NAMESPACE, OTHER], now: () => time });
  const keep = (...hosts: readonly string[]): ReturnType<MeshKeeper['keep']> => keeper.keep(MESHES.istio.render(inputOf(...hosts)).objects);

  it('is written once, and left alone while nothing changes', async () => {
    expect(await keep('api.openai.com')).toEqual({ isPresent: true, written: 3, removed: 0, faults: [] });
    const version = await versionOf(filter);
    expect(await keep('api.openai.com')).toEqual({ isPresent: true, written: 0, removed: 0, faults: [] });
    expect(await versionOf(filter)).toBe(version);
  });

  it('follows the resources, and leaves what others made', async () => {
    const foreign = { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', metadata: { name: 'theirs' }, spec: { hosts: ['example.com'] } };
    expect((await client.send('POST', entries, { body: foreign })).status).toBe(201);
    expect(await keep('api.anthropic.com')).toMatchObject({ written: 3, removed: 2, faults: [] });
    expect(await namesOf(entries)).toEqual(['airmesh-api.anthropic.com', 'theirs']);
  });

  it('is set right when others changed it', async () => {
    await client.send('PATCH', filter, { body: { spec: { configPatches: [] } }, type: 'application/merge-patch+json' });
    time += 11 * 60_000;
    expect(await keep('api.anthropic.com')).toMatchObject({ written: 3, faults: [] });
    const { spec } = (await client.send('GET', filter)).body as { spec: { configPatches: unknown[] } };
    expect(spec.configPatches.length).toBeGreaterThan(5);
  });

  it('goes when nobody needs it any more', async () => {
    expect(await keep()).toMatchObject({ written: 0, removed: 3 });
    expect(await namesOf(entries)).toEqual(['theirs']);
  });

  it('is not written where the cluster has no such mesh, and where it refuses it, that is said', async () => {
    const kuma = new MeshKeeper({ api: new ApiServer(config), mesh: MESHES.kuma, now: () => time });
    expect(await kuma.keep(MESHES.kuma.render(inputOf('api.openai.com')).objects)).toEqual({ isPresent: false, written: 0, removed: 0, faults: [] });
    const [first] = MESHES.istio.render(inputOf('api.openai.com')).objects;
    if (first === undefined) throw new Error('nothing is rendered');
    const refused = await keeper.keep([{ ...first, spec: { hosts: [7] } }]);
    expect(refused.faults).toEqual([expect.stringMatching(/^ServiceEntry kept\/airmesh-api\.openai\.com: .*hosts/)]);
  });
});

describe('a controller', () => {
  const planned = (...kinds: readonly object[]): Compiled => {
    const resources = kinds
      .map((object) => parseResource({ apiVersion: 'airmesh.dev/v1alpha1', ...object }))
      .flatMap((parsed) => (parsed.ok ? [parsed.value] : []));
    expect(resources).toHaveLength(kinds.length);
    const boundaries = { rootNamespace: 'airmesh-system', namespaces: new Map() };
    return compile(resources, [{ namespace: PLANNED, name: 'checkout' }], {
      own: [],
      known: knownModels(),
      simulatedUrl: undefined,
      readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
      boundaries,
    });
  };
  const provider = {
    kind: 'AIProvider',
    metadata: { name: 'openai', namespace: PLANNED },
    spec: { type: 'OpenAI', auth: { apiKey: { secretRef: { name: 'keys', key: 'k' } } } },
  };
  const rule = { name: 'all', match: { models: ['gpt-4.1'] }, backends: [{ provider: 'openai' }] };
  const route = { kind: 'AIRoute', metadata: { name: 'all', namespace: PLANNED }, spec: { workloads: ['checkout'], rules: [rule] } };
  const plannedFilter = `/apis/networking.istio.io/v1alpha3/namespaces/${PLANNED}/envoyfilters/airmesh`;
  const statusOf = async (): Promise<number> => (await client.send('GET', plannedFilter)).status;

  it('keeps what its newest plan wants, once it is the one that writes', async () => {
    let [leads, log] = [false, ''];
    const destination = { write: (text: string) => void (log += text), flush: () => undefined };
    const logger = createLogger({ level: 'debug', format: 'json', colour: false, destination });
    const parts = { api: new ApiServer(config), name: 'istio', namespaces: [PLANNED], leads: () => leads, now: () => performance.now(), logger } as const;
    const upkeep = new MeshUpkeep(parts);
    const none = planned(provider);
    const all = planned(provider, route);
    expect([...all.snapshots.values()].map(({ providers }) => providers.size)).toEqual([1]);
    upkeep.heard({ compiled: all, withSidecars: new Set(all.snapshots.keys()) });
    expect(await statusOf()).toBe(404);
    leads = true;
    upkeep.heard({ compiled: all, withSidecars: new Set(all.snapshots.keys()) });
    await vi.waitFor(async () => expect(await statusOf()).toBe(200), 40_000);
    upkeep.heard({ compiled: none, withSidecars: new Set(none.snapshots.keys()) });
    await vi.waitFor(async () => expect(await statusOf()).toBe(404), 40_000);
    upkeep.close();
    expect(log).toContain('mesh.applied');
    expect(log).not.toContain('not_applied');
  });
});
