/** What the chart makes, and the examples, as a real API server judges them: every field known, every rule kept. */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { connect } from '../support/apiserver/client.ts';
import { manifests, placeOf } from '../support/apiserver/manifests.ts';
import { apply, documentsOf, install, refusalOf } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';

const client = connect(inject('apiserver'));
const OURS = 'airmesh.dev/v1alpha1';
const examples = ['provider', 'route', 'budget', 'keys', 'simulator', 'demo'].flatMap((name) => documentsOf(`examples/kubernetes/${name}.yaml`));

async function tried(object: KubernetesObject): Promise<string | undefined> {
  const path = `${placeOf(object)}?fieldManager=tests&fieldValidation=Strict&dryRun=All`;
  const { message } = refusalOf(await client.send('PATCH', path, { body: object, type: 'application/apply-patch+yaml' })) ?? {};
  return message;
}

beforeAll(async () => {
  await install(client);
  for (const name of ['airmesh-system', 'shop']) {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await client.send('PATCH', `/api/v1/namespaces/${name}?fieldManager=tests`, {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
      type: 'application/apply-patch+yaml',
    });
  }
});

describe('manifests', () => {
  it.each(manifests().map((object) => [`${object.kind} ${object.metadata.name}`, object] as const))('%s', async (_name, object) => {
    expect(await tried(object)).toBeUndefined();
  });
});

describe('examples', () => {
  it.each(examples.filter(({ apiVersion }) => apiVersion !== OURS).map((object) => [`${object.kind} ${object.metadata.name}`, object] as const))(
    '%s',
    async (_name, object) => {
      expect(await tried(object)).toBeUndefined();
    },
  );

  it.each(examples.filter(({ apiVersion }) => apiVersion === OURS).map((object) => [`${object.kind} ${object.metadata.name}`, object] as const))(
    '%s',
    async (_name, object) => {
      await apply(client, object);
    },
  );
});

describe('roles', () => {
  interface Role extends KubernetesObject {
    readonly rules: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[]; readonly resourceNames?: readonly string[] }[];
  }
  const roles = manifests().filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role') as Role[];

  it('let nothing be read of Secrets but by name', () => {
    const rules = roles.flatMap(({ kind, rules: each }) => each.filter(({ resources }) => resources.includes('secrets')).map((rule) => ({ kind, ...rule })));
    expect(rules.length).toBeGreaterThan(0);
    expect(
      rules.filter(({ kind, verbs, resourceNames }) => kind === 'ClusterRole' || (resourceNames === undefined && verbs.some((verb) => verb !== 'create'))),
    ).toEqual([]);
  });

  it('have no wildcard, and change nothing cluster-wide but statuses, events and one webhook', () => {
    const rules = roles.flatMap(({ rules: each }) => each);
    expect(rules.filter((rule) => JSON.stringify(rule).includes('*'))).toEqual([]);
    const READING = new Set(['get', 'list', 'watch']);
    const written = roles
      .filter(({ kind }) => kind === 'ClusterRole')
      .flatMap(({ rules: each }) => each)
      .filter(({ verbs }) => verbs.some((verb) => !READING.has(verb)))
      .flatMap(({ resources }) => resources);
    expect(written.toSorted()).toEqual([
      'aibudgets/status',
      'aiproviders/status',
      'airoutes/status',
      'events',
      'mutatingwebhookconfigurations',
      'tokenreviews',
    ]);
  });
});
