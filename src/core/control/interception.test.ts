import { describe, expect, it } from 'vitest';
import { compile, parseResource } from '../policy/index.ts';
import type { Resource, WorkloadSnapshot } from '../policy/index.ts';
import { interceptionOf, redirectedPorts, wantedHosts } from './interception.ts';
import type { InterceptionSettings } from './interception.ts';

const SETTINGS: InterceptionSettings = { egress: 'Open', passedHosts: [], refusedHosts: ['no.example'], clusterDomain: 'cluster.local' };
const PUBLIC = ['api.anthropic.com', 'api.deepseek.com', 'api.openai.com', 'generativelanguage.googleapis.com'];

const resource = (kind: string, name: string, spec: object): Resource => {
  const parsed = parseResource({ apiVersion: 'airmesh.dev/v1alpha1', kind, metadata: { name, namespace: 'shop' }, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};

const route = (name: string, provider: string, hosts?: readonly string[]): Resource =>
  resource('AIRoute', name, { workloads: ['*'], ...(hosts === undefined ? {} : { hosts }), rules: [{ backends: [{ provider }] }] });

const provider = (name: string, baseUrl: string): Resource => resource('AIProvider', name, { type: 'OpenAICompatible', baseUrl });

function snapshotOf(...resources: readonly Resource[]): WorkloadSnapshot {
  const known = { openai: [], anthropic: [], google: [], deepseek: [] };
  const compiled = compile(resources, [{ namespace: 'shop', name: 'checkout' }], {
    own: [],
    known,
    simulatedUrl: undefined,
    readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
  });
  expect(compiled.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  const snapshot = compiled.snapshots.get('shop/checkout');
  if (snapshot === undefined) throw new Error('no snapshot');
  return snapshot;
}

const leaf = (host: string) => ({ certificate: `certificate of ${host}`, key: 'key', notAfter: 0 });
const leavesFor = (...hosts: readonly string[]) => new Map(hosts.map((host) => [host, leaf(host)]));

describe('the hosts that are taken in', () => {
  const relay = provider('relay', 'https://relay.example/v1');

  it('are those of the providers that rules use, and the public ones', () => {
    const snapshot = snapshotOf(relay, provider('unused', 'https://unused.example'), route('all', 'relay'));
    expect(wantedHosts(snapshot, SETTINGS)).toEqual([...PUBLIC, 'relay.example'].map((host) => ({ host, takesLeaf: true, ports: [] })));
  });

  it('are those that routes name in the place of the public ones', () => {
    expect(wantedHosts(snapshotOf(relay, route('all', 'relay', ['API.Example'])), SETTINGS).map(({ host }) => host)).toEqual(['api.example', 'relay.example']);
    expect(wantedHosts(snapshotOf(relay, route('all', 'relay', [])), SETTINGS).map(({ host }) => host)).toEqual(['relay.example']);
    const both = snapshotOf(relay, route('a', 'relay', ['api.example']), route('b', 'relay'));
    expect(wantedHosts(both, SETTINGS).map(({ host }) => host)).toEqual(
      [...PUBLIC.slice(0, 2), 'api.example', 'api.openai.com', PUBLIC[3], 'relay.example'].toSorted(),
    );
  });

  it('are none where no route is for the workload', () => {
    expect(wantedHosts(snapshotOf(relay), SETTINGS)).toEqual([]);
  });

  it('are not those that pass', () => {
    const settings = { ...SETTINGS, passedHosts: ['*.googleapis.com', 'relay.example'] };
    expect(wantedHosts(snapshotOf(relay, route('all', 'relay')), settings).map(({ host }) => host)).toEqual(PUBLIC.slice(0, 3));
  });

  it.each([
    ['http://vllm.models.svc.cluster.local:8000/v1', ['vllm.models', 'vllm.models.svc', 'vllm.models.svc.cluster.local'], false, [8000]],
    ['http://vllm.models.svc/v1', ['vllm.models', 'vllm.models.svc', 'vllm.models.svc.cluster.local'], false, []],
    ['http://vllm.shop.svc', ['vllm', 'vllm.shop', 'vllm.shop.svc', 'vllm.shop.svc.cluster.local'], false, []],
    ['https://vllm:8443', ['vllm', 'vllm.shop', 'vllm.shop.svc', 'vllm.shop.svc.cluster.local'], true, [8443]],
    ['http://pod-0.vllm.shop.svc', ['pod-0.vllm.shop', 'pod-0.vllm.shop.svc', 'pod-0.vllm.shop.svc.cluster.local'], false, []],
    ['http://10.0.0.7:11434', ['10.0.0.7'], false, [11434]],
    ['https://10.0.0.7', ['10.0.0.7'], false, []],
    ['http://[fd00::7]:8000', ['fd00::7'], false, [8000]],
    ['http://relay.example:8080', ['relay.example'], false, [8080]],
  ] as const)('of a provider at %s are %j', (url, hosts, takesLeaf, ports) => {
    const snapshot = snapshotOf(provider('one', url), route('all', 'one', []));
    expect(wantedHosts(snapshot, SETTINGS)).toEqual(hosts.map((host) => ({ host, takesLeaf, ports })));
  });
});

describe('an interception', () => {
  const snapshot = snapshotOf(
    provider('relay', 'https://relay.example'),
    provider('vllm', 'http://10.0.0.7:8000'),
    route('a', 'relay', []),
    route('b', 'vllm', []),
  );

  it('has a leaf for each host that is called in HTTPS', () => {
    expect(interceptionOf(snapshot, leavesFor('relay.example', 'other.example'), 'roots', SETTINGS)).toEqual({
      hosts: [
        { host: '10.0.0.7', ports: [8000], addresses: ['10.0.0.7'] },
        { host: 'relay.example', ports: [], leaf: leaf('relay.example') },
      ],
      roots: 'roots',
      egress: 'Open',
      passedHosts: [],
      refusedHosts: ['no.example'],
    });
  });

  it('refuses a host whose leaf is missing', () => {
    expect(interceptionOf(snapshot, new Map(), 'roots', { ...SETTINGS, networks: ['10.0.0.0/8'] })).toMatchObject({
      refusedHosts: ['no.example', 'relay.example'],
      networks: ['10.0.0.0/8'],
    });
  });

  it('knows the addresses of a service of the cluster', () => {
    const inCluster = snapshotOf(provider('one', 'http://vllm.models.svc:8000'), route('all', 'one', []));
    const addresses = new Map([['vllm.models', ['10.96.0.7', '10.0.3.4']]]);
    expect(interceptionOf(inCluster, new Map(), '', { ...SETTINGS, addresses }).hosts).toContainEqual({
      host: 'vllm.models',
      ports: [8000],
      addresses: ['10.96.0.7', '10.0.3.4'],
    });
  });

  it('knows those of a pod of a service, and takes no host elsewhere for one', () => {
    const pod = snapshotOf(
      provider('one', 'http://pod-0.vllm.models.svc:8000'),
      provider('elsewhere', 'https://api.vllm.models'),
      route('all', 'one', []),
      route('other', 'elsewhere', []),
    );
    const { hosts } = interceptionOf(pod, new Map(), '', { ...SETTINGS, addresses: new Map([['vllm.models', ['10.0.3.4']]]) });
    expect(hosts.filter(({ addresses }) => addresses !== undefined).map(({ host }) => host)).toEqual(['pod-0.vllm.models']);
    expect(hosts.map(({ host }) => host)).toContain('api.vllm.models');
  });

  it('tells which ports are redirected', () => {
    expect(redirectedPorts(interceptionOf(snapshot, new Map(), '', SETTINGS))).toEqual([8000]);
  });
});
