import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { Kind } from '../../../src/core/policy/index.ts';
import type { Answer, ApiClient, Refusal } from './client.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const DEFINITIONS = fromRoot('charts/airmesh/files/crds');

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly generation?: number; readonly resourceVersion?: string };
  readonly spec?: unknown;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** The documents of a file of this repository. */
export const documentsOf = (path: string): KubernetesObject[] =>
  parseAllDocuments(readFileSync(fromRoot(path), 'utf8'))
    .map((document) => document.toJS() as KubernetesObject)
    .filter((content) => content !== null);

/** As they are shipped. */
export const definitions = (): KubernetesObject[] => readdirSync(DEFINITIONS).flatMap((file) => documentsOf(`charts/airmesh/files/crds/${file}`));

const PLURAL: Readonly<Record<Kind, string>> = { AIProvider: 'aiproviders', AIRoute: 'airoutes', AIBudget: 'aibudgets' };
const RESOURCES = '/apis/airmesh.dev/v1alpha1';
export const DEFINITION_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Of all resources of that kind in a namespace; of one, where it is named. */
export const pathOfKind = (kind: string, namespace: string, name?: string): string =>
  `${RESOURCES}/namespaces/${namespace}/${PLURAL[kind as Kind]}${name === undefined ? '' : `/${name}`}`;

/** How `kubectl apply --server-side` says who applies. */
const MANAGER = 'fieldManager=tests';

/** Makes the definitions known and waits until the server takes what they define. */
export async function install(client: ApiClient): Promise<void> {
  for (const definition of definitions()) {
    const path = `${DEFINITION_PATH}/${definition.metadata.name}`;
    expectTaken(await client.send('PATCH', `${path}?${MANAGER}`, { body: definition, type: 'application/apply-patch+yaml' }), definition);
    for (;;) {
      const { body } = await client.send('GET', path);
      if ((body as KubernetesObject).status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true) break;
    }
  }
  for (const kind of Object.keys(PLURAL)) while ((await client.send('GET', pathOfKind(kind, 'default'))).status !== 200);
}

export async function makeNamespace(client: ApiClient, name: string): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  expectTaken(await client.send('PATCH', `/api/v1/namespaces/${name}?${MANAGER}`, { body, type: 'application/apply-patch+yaml' }), body);
}

/** As `kubectl apply --server-side` does. */
export async function apply(client: ApiClient, object: KubernetesObject): Promise<KubernetesObject> {
  const { kind, metadata } = object;
  const path = `${pathOfKind(kind, metadata.namespace ?? 'default', metadata.name)}?${MANAGER}&fieldValidation=Strict`;
  return expectTaken(await client.send('PATCH', path, { body: object, type: 'application/apply-patch+yaml' }), object);
}

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Judges a resource as if it were created, and keeps nothing. */
export function judge(client: ApiClient, object: KubernetesObject, kind = object.kind, fieldValidation: FieldValidation = 'Strict'): Promise<Answer> {
  return client.send('POST', `${pathOfKind(kind, object.metadata.namespace ?? 'default')}?dryRun=All&fieldValidation=${fieldValidation}`, { body: object });
}

export const refusalOf = ({ status, body }: Answer): Refusal | undefined => (status >= 400 ? (body as Refusal) : undefined);

function expectTaken(answer: Answer, { kind, metadata }: { readonly kind: string; readonly metadata: { readonly name: string } }): KubernetesObject {
  const refusal = refusalOf(answer);
  if (refusal !== undefined) throw new Error(`${kind} ${metadata.name} was refused: ${refusal.message}`);
  return answer.body as KubernetesObject;
}
