/** The chart as Helm reads it: what it makes of values that are right, and what it says to those that are not. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ROOT, attempt, helm } from './commands.ts';
import { CHART, SYSTEM } from './story.ts';

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec: { readonly affinity?: object; readonly topologySpreadConstraints?: object[] } };
  };
  readonly rules?: readonly { readonly resources: readonly string[]; readonly resourceNames?: readonly string[] }[];
}

const settings = (values: readonly string[]): string[] => values.flatMap((value) => ['--set', value]);
const template = (...values: readonly string[]): Promise<string> => helm('template', 'airmesh', CHART, '-n', SYSTEM, ...settings(values));
const rendered = async (...values: readonly string[]): Promise<Rendered[]> =>
  parseAllDocuments(await template(...values))
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);

it('is shown by a dry run of the program, which changes nothing', async () => {
  const { out } = await attempt('npm', ['run', '--silent', 'airmesh', '--', 'install', '--dry-run', '--json', '--release', 'trial', '-n', 'trial']);
  const { planned } = JSON.parse(out) as { readonly planned: readonly object[] };
  expect(planned).toContainEqual({ kind: 'Deployment', namespace: 'trial', name: expect.stringContaining('trial') });
  expect((await attempt('kubectl', ['get', 'namespace', 'trial'])).code).not.toBe(0);
});

it('is one that helm lint finds nothing wrong in', async () => {
  expect(await helm('lint', '--strict', CHART)).toContain('0 chart(s) failed');
});

it.each([
  ['deploy/manifests/airmesh.yaml', []],
  ['test/golden/chart/scoped.yaml', ['rights']],
  ['test/golden/chart/certificate.yaml', ['certificate']],
])('is what %s was rendered from', async (rendition, what) => {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-render-'));
  try {
    const file = join(folder, 'rendered.yaml');
    expect((await attempt(join(ROOT, 'deploy/render.sh'), [...what, file])).err).toBe('');
    expect(readFileSync(file, 'utf8')).toBe(readFileSync(join(ROOT, rendition), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const POSTGRES = ['store.kind=postgres', 'store.postgres.urlSecret.name=pg'] as const;

describe('several controllers', () => {
  it('come with PostgreSQL, and are kept apart', async () => {
    const objects = await rendered(...POSTGRES);
    const { replicas, template: pods } = objects.find(({ kind }) => kind === 'Deployment')?.spec ?? {};
    expect(replicas).toBe(3);
    expect(pods?.spec.affinity).toBeDefined();
    expect(pods?.spec.topologySpreadConstraints).toHaveLength(1);
    expect(objects.map(({ kind }) => kind)).toContain('PodDisruptionBudget');
    expect(objects.map(({ kind }) => kind)).not.toContain('PersistentVolumeClaim');
  });

  it('are none with SQLite', async () => {
    const objects = await rendered();
    expect(objects.find(({ kind }) => kind === 'Deployment')?.spec?.replicas).toBe(1);
    expect(objects.map(({ kind }) => kind)).not.toContain('PodDisruptionBudget');
  });
});

describe('roles', () => {
  it('are of the namespaces that are named, and no others', async () => {
    const objects = await rendered('watchNamespaces={shop,lab}', 'secrets.shop={openai,azure}', 'secrets.lab={*}');
    const [cluster] = objects.filter(({ kind }) => kind === 'ClusterRole');
    expect(cluster?.rules?.flatMap(({ resources }) => resources)).toEqual(['namespaces', 'tokenreviews', 'mutatingwebhookconfigurations']);
    const keys = objects.filter(({ kind, metadata }) => kind === 'Role' && metadata.name === 'airmesh-keys');
    expect(Object.fromEntries(keys.map(({ metadata, rules }) => [metadata.namespace, rules?.[0]?.resourceNames]))).toEqual({
      shop: ['openai', 'azure'],
      lab: undefined,
    });
    const watched = objects.filter(({ kind, metadata }) => kind === 'Role' && metadata.name === 'airmesh-watch');
    expect(watched.map(({ metadata }) => metadata.namespace).toSorted()).toEqual([SYSTEM, 'lab', 'shop']);
  });
});

describe('where the cluster’s services are', () => {
  it.each([
    ['Open', []],
    ['Enforced', ['services', 'endpointslices']],
  ])('is read where egress is enforced, and nowhere else: %s', async (egress, wanted) => {
    const objects = await rendered(`interception.egress=${egress}`);
    const resources = objects.filter(({ kind }) => kind === 'ClusterRole').flatMap(({ rules = [] }) => rules.flatMap((rule) => rule.resources));
    expect(resources.filter((name) => ['services', 'endpointslices', 'endpoints', 'nodes'].includes(name))).toEqual(wanted);
  });

  it('and which are its own is said by CIDR', async () => {
    expect(await template('interception.networks={10.0.0.0/8,fd00::/8}')).toContain('--networks=10.0.0.0/8,fd00::/8');
  });
});

describe('values that are wrong', () => {
  it.each<[values: readonly string[], words: string]>([
    [['controller.replicas=2'], 'controller.replicas: 2 needs store.kind: postgres'],
    [['store.kind=postgres'], 'store.postgres.urlSecret.name is needed'],
    [['store.kind=redis'], 'store'],
    [['certManager.enabled=true'], 'certManager.issuerRef.name is needed'],
    [['injecter.enabled=true'], 'injecter'],
    [['interception.networks={10.0.0.1}'], 'networks'],
    [['injector.failurePolicy=Maybe'], 'failurePolicy'],
    [['injector.sidecar.resources.limits.memory=much'], 'memory'],
    [['secrets.shop={Open AI}'], 'secrets'],
    [['serviceAccount.create=false'], 'serviceAccount.name is needed'],
  ])('%j', async (values, words) => {
    const { code, err } = await attempt('helm', ['template', 'airmesh', CHART, ...settings(values)]);
    expect(code).not.toBe(0);
    expect(err).toContain(words);
  });
});

describe('beside a mesh', () => {
  const argsOf = async (...values: readonly string[]): Promise<readonly string[]> => {
    const objects = await rendered(...values);
    const template = objects.find(({ kind }) => kind === 'Deployment')?.spec?.template as { spec: { containers: { args: string[] }[] } } | undefined;
    return template?.spec.containers[0]?.args ?? [];
  };

  it.each([
    ['Istio', true],
    ['Kuma', true],
    ['Consul', false],
    ['Linkerd', false],
  ])('%s is told to controllers, who may write its objects: %s', async (mesh, mayWrite) => {
    expect(await argsOf(`mesh=${mesh}`)).toContain(`--mesh=${mesh.toLowerCase()}`);
    const roles = (await rendered(`mesh=${mesh}`)).filter(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name.startsWith('airmesh-mesh.'));
    expect(roles).toHaveLength(mayWrite ? 1 : 0);
  });

  it('what the mesh carries is not redirected, whatever is enforced', async () => {
    const text = await template('mesh=Istio', 'interception.egress=Enforced', 'injector.interceptedPorts={8443}');
    expect(text).toContain('interceptedPorts: [8443]');
    expect(await template('interception.egress=Enforced')).toContain('interceptedPorts: all');
  });

  it('our injector is asked before any mesh’s, whatever the release is called', async () => {
    const objects = await rendered('fullnameOverride=zebra');
    const name = objects.find(({ kind }) => kind === 'MutatingWebhookConfiguration')?.metadata.name ?? '';
    for (const other of [
      'consul-connect-injector',
      'istio-sidecar-injector',
      'kuma-admission-mutating-webhook-configuration',
      'linkerd-proxy-injector-webhook-config',
    ])
      expect(name < other).toBe(true);
  });
});
