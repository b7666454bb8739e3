/** The files of `airmesh run` are the documents that Kubernetes takes, and mean the same there. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { API_GROUP, parseResource } from '../../src/core/policy/index.ts';
import { connect } from '../support/apiserver/client.ts';
import { apply, documentsOf, install, judge, makeNamespace, refusalOf } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';
import { WHOLE } from '../support/wrong-fields.ts';

const client = connect(inject('apiserver'));

const filesBelow = (folder: string): string[] =>
  readdirSync(fileURLToPath(new URL(`../../${folder}`, import.meta.url)), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => `${folder}/${file}`);

/** Wrong by intent: what the compiler says of them is what that file is for, and the API server says it sooner. */
const WRONG: Readonly<Record<string, RegExp>> = {
  'AIProvider nowhere': /baseUrl is needed/,
  'AIRoute mixed': /spec\.rules: .*two of the same name/,
};

/** Each file in namespaces of its own, as their names are its own. */
const placed = (file: string, object: KubernetesObject): KubernetesObject => ({
  ...object,
  metadata: { ...object.metadata, namespace: `${file.replaceAll(/\W+/g, '-')}-${object.metadata.namespace ?? 'default'}`.toLowerCase() },
});

/** Examples for a cluster have Kubernetes' own kinds besides. */
const isOurs = ({ apiVersion }: KubernetesObject): boolean => apiVersion.startsWith(`${API_GROUP}/`);

const files = [...filesBelow('examples'), ...filesBelow('test/golden/policy')].map(
  (file) =>
    [
      file,
      documentsOf(file)
        .filter(isOurs)
        .map((document) => placed(file, document)),
    ] as const,
);
const documents = [
  ...files.flatMap(([file, objects]) => objects.map((object) => ({ file, object, name: `${object.kind} ${object.metadata.name}` }))),
  ...Object.values(WHOLE).map((text) => {
    const object = placed('whole', parseAllDocuments(text)[0]?.toJS() as KubernetesObject);
    return { file: 'every field', object, name: `${object.kind} ${object.metadata.name}` };
  }),
];
const isWrong = ({ file, name }: { readonly file: string; readonly name: string }): boolean => file.endsWith('findings.yaml') && WRONG[name] !== undefined;

beforeAll(async () => {
  await install(client);
  for (const namespace of new Set(documents.map(({ object }) => object.metadata.namespace ?? ''))) await makeNamespace(client, namespace);
});

describe('a document', () => {
  it('stands in every example and every golden file', () => {
    expect(documents.length).toBeGreaterThan(30);
  });

  it.each(documents.filter((document) => !isWrong(document)))('of $file is taken: $name', async ({ object }) => {
    const applied = await apply(client, object);
    // Defaults are filled in by the server; what is read back means what the file means.
    const [file, cluster] = [
      parseResource(object),
      parseResource({ ...applied, metadata: { name: object.metadata.name, namespace: object.metadata.namespace } }),
    ];
    expect(file).toMatchObject({ ok: true });
    expect(cluster).toMatchObject({ ok: true });
    expect(cluster.ok && cluster.value.spec).toEqual(file.ok && file.value.spec);
  });

  it.each(documents.filter((document) => !isWrong(document)))('of $file that is applied again changes nothing: $name', async ({ object }) => {
    const first = await apply(client, object);
    const second = await apply(client, object);
    expect(second).toEqual(first);
    expect(first.metadata.generation).toBe(1);
  });

  it.each(documents.filter(isWrong))('of $file is refused: $name', async ({ object, name }) => {
    expect(refusalOf(await judge(client, object))?.message).toMatch(WRONG[name] ?? /never/);
  });
});

describe('defaults', () => {
  it('are what a reader sees', async () => {
    const [object] = documentsOf('examples/quickstart/providers.yaml').map((document) => placed('defaults', document));
    if (object === undefined) throw new Error('the example has no provider');
    await makeNamespace(client, object.metadata.namespace ?? '');
    expect((await apply(client, object)).spec).toMatchObject({
      type: 'Simulated',
      unknownPrice: 'Refuse',
      timeouts: { connect: '5s', request: '0s', idle: '5m' },
      retries: { attempts: 2, baseInterval: '500ms', maxInterval: '30s' },
      allowedRoutes: { namespaces: { from: 'Same' } },
    });
  });
});
