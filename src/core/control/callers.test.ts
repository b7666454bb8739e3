import { describe, expect, it } from 'vitest';
import { parseResource } from '../policy/index.ts';
import type { Resource } from '../policy/index.ts';
import { NO_PLAN, draftOf, planOf, readPod } from './index.ts';
import type { ClusterFacts, Plan } from './index.ts';

const resource = (kind: string, namespace: string, name: string, spec: unknown): Resource => {
  const parsed = parseResource({ apiVersion: 'airmesh.dev/v1alpha1', kind, metadata: { name, namespace }, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};
const NAMESPACES = ['shop', 'lab', 'closed'];
const resources = NAMESPACES.flatMap((namespace) => [
  resource('AIProvider', namespace, 'openai', { type: 'OpenAI', auth: { apiKey: { secretRef: { name: 'openai' } } } }),
  resource('AIRoute', namespace, 'all', { workloads: ['*'], rules: [{ backends: [{ provider: 'openai' }] }] }),
]);

const caller = (id: string, labels: Readonly<Record<string, string>> = {}): ClusterFacts['callers'][number] => {
  const [namespace = '', name = ''] = id.split('/');
  return { namespace, name, serviceAccount: name, labels };
};

function planned(facts: Partial<ClusterFacts>): Plan {
  const all: ClusterFacts = {
    resources: resources.map((each) => ({
      kind: each.kind,
      namespace: each.metadata.namespace,
      name: each.metadata.name,
      uid: each.metadata.name,
      generation: 1,
      resource: each,
      findings: [],
      status: undefined,
    })) as unknown as ClusterFacts['resources'],
    namespaces: new Map([
      ['shop', { 'airmesh.dev/gateway': 'enabled' }],
      ['lab', { 'airmesh.dev/gateway': 'enabled' }],
      ['closed', {}],
    ]),
    pods: [],
    callers: [],
    secrets: (namespace) => ({ kind: 'found', revision: '1', data: new Map([['apiKey', `sk-${namespace}-0123456789abcdef0123`]]) }),
    ...facts,
  };
  const settings = {
    rootNamespace: 'airmesh-system',
    known: { openai: [], anthropic: [], google: [], deepseek: [] },
    simulatedUrl: undefined,
    readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
    checkKey: (key: string) => ({ ok: true, key }) as const,
  };
  const roots = 'PEM';
  const draft = draftOf(all, settings);
  const interception = { hosts: [], roots, egress: 'Open' } as const;
  const interceptions = new Map([...draft.withSidecars].map((id) => [id, interception] as const));
  return planOf(all, draft, interceptions, NO_PLAN, settings, 0);
}

describe('a gateway is given', () => {
  it('the states of those who call, of namespaces that allow it, and each with its own keys alone', () => {
    const { gateways, states } = planned({ callers: [caller('shop/checkout'), caller('lab/search'), caller('closed/vault')] });
    expect([...gateways.states.keys()]).toEqual(['shop/checkout', 'lab/search']);
    for (const [id, state] of gateways.states) {
      const [namespace = ''] = id.split('/');
      expect([...state.keys.keys()]).toEqual([`${namespace}/openai`]);
      expect([...state.keys.values()].map(({ value }) => value)).toEqual([`sk-${namespace}-0123456789abcdef0123`]);
      expect([...state.snapshot.providers.keys()]).toEqual([`${namespace}/openai`]);
    }
    // Nobody without a sidecar has a sidecar's state.
    expect(states.size).toBe(0);
  });

  it('nothing of those who do not call', () => {
    expect(planned({}).gateways.states.size).toBe(0);
    expect([...planned({}).gateways.namespaces]).toEqual(['shop', 'lab']);
  });

  it.each([
    [{ 'airmesh.dev/gateway': 'enabled' }, true],
    [{ 'airmesh.dev/gateway': 'disabled' }, false],
    [{ 'airmesh.dev/gateway': '' }, false],
    [{ 'airmesh.dev/inject': 'enabled' }, false],
    [{}, false],
  ])('by the namespace’s labels %j: %s', (labels, isAllowed) => {
    const { gateways } = planned({ callers: [caller('shop/checkout')], namespaces: new Map([['shop', labels]]) });
    expect(gateways.states.has('shop/checkout')).toBe(isAllowed);
    expect(gateways.namespaces.has('shop')).toBe(isAllowed);
  });

  it('no certificates of those that have sidecars as well, whose pods say who they are', () => {
    const pod = readPod({
      metadata: {
        namespace: 'shop',
        name: 'checkout',
        uid: 'u',
        labels: { 'airmesh.dev/sidecar': '1', tier: 'gold' },
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: { serviceAccountName: 'till' },
      status: { phase: 'Running' },
    });
    const plan = planned({ pods: [pod], callers: [caller('shop/checkout', { tier: 'forged' })] });
    expect(plan.workloads).toEqual([
      expect.objectContaining({ name: 'checkout', serviceAccount: 'till', labels: expect.objectContaining({ tier: 'gold' }) as unknown }),
    ]);
    expect(plan.states.get('shop/checkout')?.interception).toBeDefined();
    expect(plan.gateways.states.get('shop/checkout')?.interception).toBeUndefined();
  });
});
