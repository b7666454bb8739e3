import { describe, expect, it } from 'vitest';
import { compile } from './compile.ts';
import type { Compiled } from './compile.ts';
import { parseResource } from './parse.ts';
import type { ProviderContext } from './providers.ts';
import type { Resource } from './schema.ts';
import { matchesLabels, selects, trespasses } from './selection.ts';
import type { Boundaries, KnownWorkload, Selection } from './selection.ts';

const CHECKOUT: KnownWorkload = { namespace: 'shop', name: 'checkout', labels: { app: 'checkout', tier: 'front' } };
const SUPPORT: KnownWorkload = { namespace: 'shop', name: 'support' };
const LAB: KnownWorkload = { namespace: 'lab', name: 'checkout', labels: { app: 'checkout' } };

const BOUNDARIES: Boundaries = {
  rootNamespace: 'airmesh-system',
  namespaces: new Map([
    ['shop', { env: 'live' }],
    ['lab', { env: 'test' }],
  ]),
};

const labels = (matchLabels: Record<string, string>): Selection['workloadSelector'] => ({ matchLabels, matchExpressions: [] });

describe('a selector of labels', () => {
  it.each([
    ['nothing', {}, [], true],
    ['a label', { tier: 'front' }, [], true],
    ['a label of another value', { tier: 'back' }, [], false],
    ['a label that is not there', { team: '' }, [], false],
    ['a label that objects have by nature', { constructor: 'x' }, [], false],
    ['In', {}, [{ key: 'tier', operator: 'In', values: ['back', 'front'] }], true],
    ['In of others', {}, [{ key: 'tier', operator: 'In', values: ['back'] }], false],
    ['In of what is not there', {}, [{ key: 'team', operator: 'In', values: ['a'] }], false],
    ['NotIn', {}, [{ key: 'tier', operator: 'NotIn', values: ['back'] }], true],
    ['NotIn of its own', {}, [{ key: 'tier', operator: 'NotIn', values: ['front'] }], false],
    ['NotIn of what is not there', {}, [{ key: 'team', operator: 'NotIn', values: ['a'] }], true],
    ['Exists', {}, [{ key: 'tier', operator: 'Exists', values: [] }], true],
    ['Exists of what is not there', {}, [{ key: 'team', operator: 'Exists', values: [] }], false],
    ['DoesNotExist', {}, [{ key: 'team', operator: 'DoesNotExist', values: [] }], true],
    ['DoesNotExist of what is there', {}, [{ key: 'tier', operator: 'DoesNotExist', values: [] }], false],
    ['one that holds and one that does not', { app: 'checkout' }, [{ key: 'tier', operator: 'DoesNotExist', values: [] }], false],
  ] as const)('of %s', (_name, matchLabels, matchExpressions, expected) => {
    expect(
      matchesLabels(
        { matchLabels: { ...matchLabels }, matchExpressions: matchExpressions.map((one) => ({ ...one, values: [...one.values] })) },
        CHECKOUT.labels ?? {},
      ),
    ).toBe(expected);
  });
});

describe('a resource', () => {
  const NAMED = 0;
  const LABELLED = 1;
  const ANY = 2;
  const all = { workloads: ['*'] };

  it.each<[string, Selection, namespace: string, KnownWorkload, inFiles: number | undefined, inCluster: number | undefined]>([
    ['a name', { workloads: ['checkout'] }, 'shop', CHECKOUT, NAMED, NAMED],
    ['a name, of another namespace', { workloads: ['checkout'] }, 'shop', LAB, undefined, undefined],
    ['a namespace and a name', { workloads: ['lab/checkout'] }, 'shop', LAB, NAMED, undefined],
    ['a namespace and a name, in the root namespace', { workloads: ['lab/checkout'] }, 'airmesh-system', LAB, NAMED, NAMED],
    ['every one', all, 'shop', SUPPORT, ANY, ANY],
    ['every one, of another namespace', all, 'shop', LAB, ANY, undefined],
    ['every one, in the root namespace', all, 'airmesh-system', LAB, ANY, ANY],
    ['every one and a name', { workloads: ['*', 'checkout'] }, 'shop', CHECKOUT, NAMED, NAMED],
    ['labels', { workloadSelector: labels({ app: 'checkout' }) }, 'shop', CHECKOUT, LABELLED, LABELLED],
    ['labels, of another namespace', { workloadSelector: labels({ app: 'checkout' }) }, 'shop', LAB, LABELLED, undefined],
    ['labels, in the root namespace', { workloadSelector: labels({ app: 'checkout' }) }, 'airmesh-system', LAB, LABELLED, LABELLED],
    ['labels that it does not have', { workloadSelector: labels({ app: 'checkout' }) }, 'shop', SUPPORT, undefined, undefined],
    ['labels, or a name', { workloads: ['support'], workloadSelector: labels({ app: 'checkout' }) }, 'shop', SUPPORT, NAMED, NAMED],
    ['no labels', { workloadSelector: labels({}) }, 'shop', SUPPORT, LABELLED, LABELLED],
    ['nothing, as budgets may', { workloads: [] }, 'shop', SUPPORT, ANY, ANY],
    ['nothing, of another namespace', { workloads: [] }, 'shop', LAB, ANY, undefined],
    ['namespaces by their labels', { namespaceSelector: labels({ env: 'test' }) }, 'airmesh-system', LAB, undefined, ANY],
    ['other namespaces by their labels', { namespaceSelector: labels({ env: 'live' }) }, 'airmesh-system', LAB, undefined, undefined],
    ['a namespace by its name', { namespaceSelector: labels({ 'kubernetes.io/metadata.name': 'lab' }) }, 'airmesh-system', LAB, ANY, ANY],
    ['a name in other namespaces', { workloads: ['lab/checkout'], namespaceSelector: labels({ env: 'live' }) }, 'airmesh-system', LAB, undefined, undefined],
  ])('by %s', (_name, selection, namespace, workload, inFiles, inCluster) => {
    expect(selects(selection, namespace, workload, undefined)).toBe(inFiles);
    expect(selects(selection, namespace, workload, BOUNDARIES)).toBe(inCluster);
  });

  it('is told where it reaches beyond its namespace', () => {
    const selection = { workloads: ['checkout', 'shop/support', 'lab/checkout'], namespaceSelector: labels({}) };
    expect(trespasses(selection, 'shop', BOUNDARIES).map(({ path }) => path)).toEqual(['workloads[2]', 'namespaceSelector']);
    expect(trespasses(selection, 'airmesh-system', BOUNDARIES)).toEqual([]);
    expect(trespasses(selection, 'shop', undefined)).toEqual([]);
  });
});

function resource(kind: string, namespace: string, name: string, spec: object, creationTimestamp?: string): Resource {
  const parsed = parseResource({
    apiVersion: 'airmesh.dev/v1alpha1',
    kind,
    metadata: { name, namespace, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
    spec,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

const provider = (namespace: string, name: string, more: object = {}): Resource =>
  resource('AIProvider', namespace, name, { type: 'OpenAICompatible', baseUrl: `https://${name}.example`, models: [{ name: `${name}-model` }], ...more });
const route = (namespace: string, name: string, selection: Selection, backend: string, created?: string): Resource =>
  resource('AIRoute', namespace, name, { ...selection, rules: [{ backends: [{ provider: backend }] }] }, created);

const CONTEXT: ProviderContext = {
  own: [],
  known: { openai: [], anthropic: [], google: [], deepseek: [] },
  simulatedUrl: undefined,
  readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
  boundaries: BOUNDARIES,
};
const inCluster = (...resources: readonly Resource[]): Compiled => compile(resources, [CHECKOUT, SUPPORT, LAB], CONTEXT);
const rulesOf = ({ snapshots }: Compiled, workload: string): string[] => (snapshots.get(workload)?.rules ?? []).map(({ id }) => id);

describe('routes that select the same workload', () => {
  const relays = [provider('shop', 'relay'), provider('airmesh-system', 'relay', { allowedRoutes: { namespaces: { from: 'All' } } })];
  const [OLD, NEW] = ['2026-01-01T00:00:00Z', '2026-11-24T01:14:05Z'];

  it('are tried in their order of precedence, in whatever order they come', () => {
    const routes = [
      route('airmesh-system', 'a-root', { workloads: ['shop/checkout'] }, 'relay', OLD),
      route('shop', 'b-any-old', { workloads: ['*'] }, 'relay', OLD),
      route('shop', 'c-labels-old', { workloadSelector: labels({ app: 'checkout' }) }, 'relay', OLD),
      route('shop', 'd-named-new', { workloads: ['checkout'] }, 'relay', NEW),
      route('shop', 'e-named-old', { workloads: ['checkout'] }, 'relay', OLD),
      route('shop', 'f-named-old', { workloads: ['checkout'] }, 'relay', OLD),
    ];
    const expected = ['shop/e-named-old#0', 'shop/f-named-old#0', 'shop/d-named-new#0', 'shop/c-labels-old#0', 'shop/b-any-old#0', 'airmesh-system/a-root#0'];
    expect(rulesOf(inCluster(...relays, ...routes), 'shop/checkout')).toEqual(expected);
    expect(rulesOf(inCluster(...routes.toReversed(), ...relays), 'shop/checkout')).toEqual(expected);
  });

  it('of another namespace have no part in it, and are told so', () => {
    const { findings, ...compiled } = inCluster(...relays, route('shop', 'far', { workloads: ['checkout', 'lab/checkout'] }, 'relay'));
    expect(findings).toMatchObject([
      {
        severity: 'error',
        resource: 'AIRoute shop/far',
        path: 'spec.workloads[1]',
        reason: 'RefNotPermitted',
        message: expect.stringContaining('only resources of namespace airmesh-system'),
      },
    ]);
    expect(rulesOf({ findings, ...compiled }, 'lab/checkout')).toEqual([]);
    expect(rulesOf({ findings, ...compiled }, 'shop/checkout')).toEqual(['shop/far#0']);
  });
});

describe('a budget', () => {
  const budget = (namespace: string, selector: object = {}): Resource =>
    resource('AIBudget', namespace, 'all', { selector, limit: { usd: '1' }, window: { lifetime: true } });
  const counted = ({ snapshots }: Compiled): string[] => [...snapshots].filter(([, { budgets }]) => budgets.length > 0).map(([id]) => id);

  it.each<[string, Resource, string[]]>([
    ['of a namespace counts its workloads', budget('shop'), ['shop/checkout', 'shop/support']],
    ['of the root namespace counts all', budget('airmesh-system'), ['shop/checkout', 'shop/support', 'lab/checkout']],
    ['of the root namespace counts those of some namespaces', budget('airmesh-system', { namespaceSelector: labels({ env: 'test' }) }), ['lab/checkout']],
    ['counts by labels', budget('airmesh-system', { workloadSelector: labels({ app: 'checkout' }) }), ['shop/checkout', 'lab/checkout']],
  ])('%s', (_name, given, expected) => {
    const compiled = inCluster(given);
    expect(compiled.findings).toEqual([]);
    expect(counted(compiled)).toEqual(expected);
  });
});

describe('a provider of another namespace', () => {
  const from = (namespaces: object): Resource => provider('lab', 'relay', { allowedRoutes: { namespaces } });
  const user = route('shop', 'far', { workloads: ['checkout'] }, 'lab/relay');
  const usedIn = (compiled: Compiled): string[] => [...(compiled.snapshots.get('shop/checkout')?.providers.keys() ?? [])];

  it.each<[string, Resource, boolean]>([
    ['is not used where it says nothing', provider('lab', 'relay'), false],
    ['is not used where it allows its own', from({ from: 'Same' }), false],
    ['is used where it allows all', from({ from: 'All' }), true],
    ['is used where it allows such namespaces', from({ from: 'Selector', selector: labels({ env: 'live' }) }), true],
    ['is not used where it allows others', from({ from: 'Selector', selector: labels({ env: 'test' }) }), false],
  ])('%s', (_name, given, allowed) => {
    const compiled = inCluster(given, user);
    expect(usedIn(compiled)).toEqual(allowed ? ['lab/relay'] : []);
    expect(compiled.findings.map(({ path, reason }) => [path, reason])).toEqual(allowed ? [] : [['spec.rules[0].backends[0].provider', 'RefNotPermitted']]);
    expect(usedIn(compile([given, user], [CHECKOUT], { ...CONTEXT, boundaries: undefined }))).toEqual(['lab/relay']);
  });

  it('is not told apart from one that does not exist', () => {
    const [hidden] = inCluster(provider('lab', 'relay'), user).findings;
    const [missing] = inCluster(user).findings;
    expect(hidden).toBeDefined();
    expect(hidden).toEqual(missing);
  });

  it('shows in nobody’s snapshot, not even by the names of its models, nor as what may have been meant', () => {
    const { snapshots, findings } = inCluster(
      provider('lab', 'relay'),
      provider('shop', 'own'),
      route('shop', 'slip', { workloads: ['checkout'] }, 'shop/relay'),
    );
    expect([...(snapshots.get('shop/checkout')?.knownModels.keys() ?? [])]).toEqual(['own-model']);
    expect(findings.map(({ message }) => message)).toEqual(['there is no AIProvider shop/relay']);
  });
});

describe('labels of a workload', () => {
  it('are no part of its snapshot, so that relabelling pushes nothing', () => {
    const versions = [CHECKOUT, { ...CHECKOUT, labels: {} }].map((workload) => compile([], [workload], CONTEXT).snapshots.get('shop/checkout'));
    expect(versions[0]).toEqual(versions[1]);
    expect(versions[0]?.workload).toEqual({ namespace: 'shop', name: 'checkout' });
  });
});

describe('a key in a cluster', () => {
  it.each([{ env: 'KEY' }, { file: '/run/key' }, { value: 'planted-secret-planted-secret' }])('does not come from $env$file$value', (apiKey) => {
    const { findings, providers } = inCluster(provider('shop', 'relay', { auth: { apiKey } }));
    expect(findings).toMatchObject([{ severity: 'error', path: 'spec.auth.apiKey', message: expect.stringContaining('secretRef') }]);
    expect(JSON.stringify(findings)).not.toContain('planted');
    expect(providers.size).toBe(0);
  });

  it('comes from a Secret of the provider’s namespace', () => {
    const { findings, providers } = inCluster(provider('shop', 'relay', { auth: { apiKey: { secretRef: { name: 'relay' } } } }));
    expect(findings).toEqual([]);
    expect(providers.get('shop/relay')?.key?.source).toEqual({ secretRef: { name: 'relay', key: 'apiKey' } });
  });
});
