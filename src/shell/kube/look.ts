import { X509Certificate } from 'node:crypto';
import { INJECT_LABEL, SIDECAR_LABEL, observe, readPod } from '../../core/control/index.ts';
import type { CustomObject, Observed, PodFacts, PodObject, Sight, WebhookSight } from '../../core/control/index.ts';
import { customResourceDefinitions } from '../../core/crds/index.ts';
import { VERSION } from '../../core/policy/index.ts';
import type { Kind, Labels } from '../../core/policy/index.ts';
import type { ApiServer } from './apiserver.ts';
import { ListRefused, listAll } from './list.ts';
import { definitionName, paths } from './paths.ts';

export interface LookFor {
  readonly rootNamespace: string;
  /** Of this program. */
  readonly program: string;
  readonly now: number;
  /** A namespace whose pods are looked at in any case. */
  readonly namespace?: string;
}

const KINDS = ['AIProvider', 'AIRoute', 'AIBudget'] as const;
const OURS = { labelSelector: 'app.kubernetes.io/part-of=airmesh' };

/** One look at a cluster, as far as whoever asks may see. Rejects with ApiUnreachable where nobody answers. */
export async function look(api: ApiServer, { rootNamespace, program, now, namespace }: LookFor): Promise<Sight> {
  const seen = async (path: string, selectors?: Readonly<Record<string, string>>): Promise<readonly unknown[] | undefined> => {
    try {
      return (await listAll(api, path, selectors)).items;
    } catch (error) {
      // Without a definition there is nothing of its kind.
      if (error instanceof ListRefused) return error.statusCode === 404 ? [] : undefined;
      throw error;
    }
  };
  const [definitions, webhooks, deployments, namespaces, sidecars, ...customs] = await Promise.all([
    seen(paths.definitions()),
    seen(paths.webhooks(), OURS),
    seen(paths.deployments(rootNamespace), OURS),
    seen(paths.namespaces()),
    seen(paths.core('pods'), { labelSelector: SIDECAR_LABEL }),
    ...KINDS.map((kind) => seen(paths.custom(kind))),
  ]);
  const labels = new Map((namespaces ?? []).map(readNamespace));
  const injecting = [...labels].filter(([name, { [INJECT_LABEL]: inject }]) => inject === 'enabled' || name === namespace).map(([name]) => name);
  const others = await Promise.all(injecting.map((name) => seen(paths.core('pods', name))));
  return {
    rootNamespace,
    program,
    now,
    definitions: definitions === undefined ? undefined : readDefinitions(definitions),
    webhook: webhooks === undefined ? undefined : readWebhook(webhooks[0]),
    controllers: deployments === undefined ? undefined : readDeployment(deployments[0]),
    namespaces: labels,
    pods: uniquePods([...(sidecars ?? []), ...others.flatMap((pods) => pods ?? [])]),
    resources: customs.flatMap((objects, index): Observed[] => (objects ?? []).map((object) => observe(KINDS[index] ?? 'AIRoute', object as CustomObject))),
  };
}

function readNamespace(object: unknown): [string, Labels] {
  const { metadata = {} } = object as { readonly metadata?: { readonly name?: string; readonly labels?: Labels } };
  return [metadata.name ?? '', metadata.labels ?? {}];
}

const uniquePods = (objects: readonly unknown[]): PodFacts[] => [
  ...new Map(objects.map((object) => readPod(object as PodObject)).map((pod) => [pod.uid, pod])).values(),
];

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Fields that this program's definitions have, and the installed ones have not. */
function readDefinitions(objects: readonly unknown[]): NonNullable<Sight['definitions']> {
  const installed = new Map(
    (
      objects as readonly {
        readonly metadata: { readonly name: string };
        readonly spec: { readonly versions: readonly { readonly name: string; readonly schema?: { readonly openAPIV3Schema?: Schema } }[] };
      }[]
    ).map(({ metadata, spec }) => [metadata.name, spec.versions.find(({ name }) => name === VERSION)?.schema?.openAPIV3Schema]),
  );
  const found = new Map<Kind, { readonly missingFields: readonly string[] }>();
  for (const { spec } of customResourceDefinitions()) {
    const name = definitionName(spec.names.kind);
    if (!installed.has(name)) continue;
    const present = new Set(fieldsOf(installed.get(name) ?? {}));
    const own = spec.versions.flatMap(({ schema }) => fieldsOf(schema.openAPIV3Schema as Schema));
    found.set(spec.names.kind, { missingFields: own.filter((field) => !present.has(field)) });
  }
  return found;
}

function fieldsOf({ properties = {}, items }: Schema, at = ''): string[] {
  const below = items === undefined ? [] : fieldsOf(items, `${at}[]`);
  return [
    ...below,
    ...Object.entries(properties).flatMap(([name, schema]) => [at === '' ? name : `${at}.${name}`, ...fieldsOf(schema, at === '' ? name : `${at}.${name}`)]),
  ];
}

function readWebhook(object: unknown): WebhookSight | 'absent' {
  if (object === undefined) return 'absent';
  const { webhooks = [] } = object as { readonly webhooks?: readonly { readonly name: string; readonly clientConfig?: { readonly caBundle?: string } }[] };
  const bundles = webhooks.map(({ name, clientConfig }) => ({ name, ends: endsOf(clientConfig?.caBundle) }));
  const ends = bundles.flatMap((bundle) => bundle.ends);
  return {
    untrusted: bundles.filter((bundle) => bundle.ends.length === 0).map(({ name }) => name),
    ...(ends.length === 0 ? {} : { trustedUntil: Math.max(...ends) }),
  };
}

/** When each authority of a bundle ends. One that cannot be read is as good as none. */
function endsOf(bundle: string | undefined): number[] {
  const text = Buffer.from(bundle ?? '', 'base64').toString('latin1');
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g)].flatMap(([pem]) => {
    try {
      return [new X509Certificate(pem).validToDate.getTime()];
    } catch {
      return [];
    }
  });
}

function readDeployment(object: unknown): Sight['controllers'] {
  if (object === undefined) return 'absent';
  const {
    metadata = {},
    spec = {},
    status = {},
  } = object as {
    readonly metadata?: { readonly labels?: Labels };
    readonly spec?: { readonly replicas?: number };
    readonly status?: { readonly readyReplicas?: number };
  };
  const program = metadata.labels?.['app.kubernetes.io/version'];
  return { wanted: spec.replicas ?? 1, ready: status.readyReplicas ?? 0, ...(program === undefined ? {} : { program }) };
}
