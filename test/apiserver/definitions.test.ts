/** What an API server makes of the definitions: names, columns, status, and who may write what. */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { connect } from '../support/apiserver/client.ts';
import { DEFINITION_PATH, apply, definitions, install, judge, makeNamespace, pathOfKind, refusalOf } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';

const client = connect(inject('apiserver'));
const NAMESPACE = 'definitions';

const PROVIDER = {
  apiVersion: 'airmesh.dev/v1alpha1',
  kind: 'AIProvider',
  metadata: { name: 'openai', namespace: NAMESPACE },
  spec: { type: 'OpenAI', auth: { apiKey: { secretRef: { name: 'openai' } } } },
};
const ROUTE = {
  apiVersion: 'airmesh.dev/v1alpha1',
  kind: 'AIRoute',
  metadata: { name: 'chat', namespace: NAMESPACE },
  spec: { workloads: ['checkout'], rules: [{ name: 'all', backends: [{ provider: 'openai' }] }] },
};
const BUDGET = {
  apiVersion: 'airmesh.dev/v1alpha1',
  kind: 'AIBudget',
  metadata: { name: 'daily', namespace: NAMESPACE },
  spec: { limit: { usd: '25' }, window: { calendar: 'Day' } },
};

const NOW = '2026-11-24T01:14:05Z';
const conditions = (...types: string[]): object[] =>
  types.map((type) => ({ type, status: 'True', observedGeneration: 1, lastTransitionTime: NOW, reason: type, message: '' }));

beforeAll(async () => {
  await install(client);
  await makeNamespace(client, NAMESPACE);
});

describe('the definitions', () => {
  it('are established, and structural', async () => {
    for (const { metadata } of definitions()) {
      const { body } = await client.send('GET', `${DEFINITION_PATH}/${metadata.name}`);
      const states = Object.fromEntries(((body as KubernetesObject).status?.conditions ?? []).map(({ type, status }) => [type, status]));
      expect(states).toMatchObject({ Established: 'True', NamesAccepted: 'True' });
      expect(states['NonStructuralSchema'] ?? 'False').toBe('False');
    }
  });

  it('go by their names, short names, and one category', async () => {
    const { body } = await client.send('GET', '/apis/airmesh.dev/v1alpha1');
    const { resources } = body as {
      readonly resources: readonly {
        readonly name: string;
        readonly kind: string;
        readonly namespaced: boolean;
        readonly shortNames?: string[];
        readonly categories?: string[];
      }[];
    };
    expect(
      resources
        .filter(({ name }) => !name.includes('/'))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, kind, namespaced, shortNames, categories }) => ({ name, kind, namespaced, shortNames, categories })),
    ).toEqual([
      { name: 'aibudgets', kind: 'AIBudget', namespaced: true, shortNames: ['aib'], categories: ['airmesh'] },
      { name: 'aiproviders', kind: 'AIProvider', namespaced: true, shortNames: ['aip'], categories: ['airmesh'] },
      { name: 'airoutes', kind: 'AIRoute', namespaced: true, shortNames: ['air'], categories: ['airmesh'] },
    ]);
    expect(resources.map(({ name }) => name)).toEqual(expect.arrayContaining(['aibudgets/status', 'aiproviders/status', 'airoutes/status']));
  });

  it('explain every field to kubectl', async () => {
    interface Document {
      readonly components?: { readonly schemas: Readonly<Record<string, { readonly properties: { readonly spec: { readonly properties: object } } }>> };
    }
    const explained = async (): Promise<unknown> => {
      const { body } = await client.send('GET', '/openapi/v3/apis/airmesh.dev/v1alpha1');
      return (body as Document).components?.schemas['dev.airmesh.v1alpha1.AIBudget']?.properties.spec.properties;
    };
    // It is published a moment after the definition is established.
    await expect.poll(explained, { timeout: 30_000 }).toMatchObject({ limit: { properties: { usd: { description: expect.stringContaining('Dollars') } } } });
  });
});

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

const STATUS: Readonly<Record<string, object>> = {
  AIProvider: {
    observedGeneration: 1,
    conditions: conditions('Accepted', 'ResolvedRefs', 'Programmed'),
    sidecars: { total: 3, applied: 3, summary: '3/3' },
    models: 12,
    key: { state: 'Refused', refusedCalls: 2, lastRefusedTime: NOW },
  },
  AIRoute: {
    observedGeneration: 1,
    conditions: conditions('Accepted', 'ResolvedRefs'),
    sidecars: { total: 41, applied: 40, summary: '40/41', behind: [{ pod: 'shop/checkout-0', reason: 'Refused', message: 'no such field', since: NOW }] },
    findings: [{ severity: 'warning', path: 'spec.workloads', message: 'selects no workload that is known here' }],
  },
  AIBudget: {
    observedGeneration: 1,
    conditions: conditions('Accepted'),
    unit: 'USD',
    limit: '25',
    posted: '20.5',
    pending: '0.25',
    free: '4.25',
    window: { name: 'Day', start: NOW, end: '2026-11-25T00:00:00Z' },
    accounts: { total: 2, exhausted: 0, fullest: [{ subject: 'shop/checkout', posted: '20.5', pending: '0.25', free: '4.25' }] },
  },
};

describe('kubectl get', () => {
  it.each([
    [PROVIDER, ['Name', 'Type', 'Accepted', 'Key', 'Models', 'Age'], ['openai', 'OpenAI', 'True', 'Refused', 12]],
    [ROUTE, ['Name', 'Accepted', 'Programmed', 'Age'], ['chat', 'True', '40/41']],
    [BUDGET, ['Name', 'Accepted', 'Unit', 'Limit', 'Posted', 'Free', 'Window', 'Age'], ['daily', 'True', 'USD', '25', '20.5', '4.25', 'Day']],
  ])('shows $kind', async (object, columns, cells) => {
    const { kind, metadata } = object;
    await apply(client, object);
    const path = pathOfKind(kind, NAMESPACE, metadata.name);
    const { status, body } = await client.send('PATCH', `${path}/status?fieldValidation=Strict`, {
      body: { status: STATUS[kind] },
      type: 'application/merge-patch+json',
    });
    expect([status, (body as { readonly message?: string }).message]).toEqual([200, undefined]);
    const table = (await client.send('GET', path, { accept: TABLE })).body as Table;
    const shown = table.columnDefinitions.flatMap(({ name, priority }, index) => (priority === 0 ? [[name, table.rows[0]?.cells[index]]] : []));
    expect(shown.map(([name]) => name)).toEqual(columns);
    expect(shown.slice(0, -1).map(([, cell]) => cell)).toEqual(cells);
  });
});

describe('the status', () => {
  const path = `${pathOfKind('AIRoute', NAMESPACE, 'status')}`;
  const route = { ...ROUTE, metadata: { ...ROUTE.metadata, name: 'status' } };
  const patch = async (subresource: string, body: object): Promise<KubernetesObject> =>
    (await client.send('PATCH', `${path}${subresource}`, { body, type: 'application/merge-patch+json' })).body as KubernetesObject;

  it('is written by itself, and is no new generation', async () => {
    await apply(client, route);
    const written = await patch('/status', { status: STATUS['AIRoute'], spec: { workloads: ['other'] } });
    expect(written).toMatchObject({ metadata: { generation: 1 }, spec: { workloads: ['checkout'] }, status: { sidecars: { summary: '40/41' } } });
  });

  it('is not written with the rest', async () => {
    const written = await patch('', { spec: { workloads: ['support'] }, status: { sidecars: null } });
    expect(written).toMatchObject({ metadata: { generation: 2 }, spec: { workloads: ['support'] }, status: { sidecars: { summary: '40/41' } } });
  });

  it.each([
    ['a condition that holds perhaps', { conditions: [{ ...conditions('Accepted')[0], status: 'Maybe' }] }, 'status.conditions[0].status'],
    ['a condition without a reason', { conditions: [{ ...conditions('Accepted')[0], reason: '' }] }, 'status.conditions[0].reason'],
    ['a condition twice', { conditions: conditions('Accepted', 'Accepted') }, 'status.conditions[1]'],
    ['a count below zero', { sidecars: { total: -1, applied: 0, summary: '' } }, 'status.sidecars.total'],
    ['more findings than a person reads', { findings: Array.from({ length: 17 }, () => ({ severity: 'error', path: '', message: '' })) }, 'status.findings'],
  ])('is not %s', async (_name, status, field) => {
    const answer = await client.send('PATCH', `${path}/status`, { body: { status }, type: 'application/merge-patch+json' });
    expect(refusalOf(answer)?.details?.causes?.map((cause) => cause.field)).toContain(field);
  });
});

describe('a field that nobody knows', () => {
  const route = { ...ROUTE, metadata: { ...ROUTE.metadata, name: 'unknown' }, spec: { ...ROUTE.spec, rules: [{ ...ROUTE.spec.rules[0], backend: [] }] } };

  it('is refused where the client is strict, as kubectl is', async () => {
    expect(refusalOf(await judge(client, route))?.message).toContain('unknown field "spec.rules[0].backend"');
  });

  it('is a warning where it is not, and is not kept', async () => {
    const { status, warnings, body } = await judge(client, route, 'AIRoute', 'Warn');
    expect([status, warnings]).toEqual([201, ['unknown field "spec.rules[0].backend"']]);
    expect(JSON.stringify((body as KubernetesObject).spec)).not.toContain('"backend"');
  });
});

describe('lists of what has a name', () => {
  it('are merged where several apply them', async () => {
    const models = (manager: string, name: string): Promise<unknown> =>
      client.send('PATCH', `${pathOfKind('AIProvider', NAMESPACE, 'merged')}?fieldManager=${manager}`, {
        body: { ...PROVIDER, metadata: { name: 'merged', namespace: NAMESPACE }, spec: { type: 'OpenAI', models: [{ name }] } },
        type: 'application/apply-patch+yaml',
      });
    await models('one', 'gpt-4.1');
    await models('two', 'gpt-4o');
    const { body } = await client.send('GET', pathOfKind('AIProvider', NAMESPACE, 'merged'));
    expect((body as { readonly spec: { readonly models: readonly { readonly name: string }[] } }).spec.models.map(({ name }) => name)).toEqual([
      'gpt-4.1',
      'gpt-4o',
    ]);
  });
});
