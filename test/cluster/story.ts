import { fileURLToPath } from 'node:url';
import { IMAGE, CLIENT_IMAGE } from './images.ts';
import { apply, attempt, get, helm, kubectl } from './commands.ts';

export const SYSTEM = 'airmesh-system';
export const SHOP = 'shop';
export const CHART = fileURLToPath(new URL('../../charts/airmesh', import.meta.url));
/** Of the shape that OpenAI's have. */
export const KEYS = { first: 'sk-first-0123456789abcdef', second: 'sk-second-0123456789abcdef' };

export const SECURE = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
export const POD = { automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } };

/** What an application's container says: a line of JSON of test/cluster/client/call.mjs. */
export interface Said {
  readonly ok: boolean;
  readonly text?: string;
  readonly chunks?: number;
  /** Of the answer's `x-airmesh-*` headers. */
  readonly airmesh?: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly code?: string;
  readonly message?: string;
  readonly shouldRetry?: string;
  readonly ms: number;
}

export const saidIn = (out: string): Said | undefined => {
  const line = out.trim().split('\n').at(-1) ?? '';
  return line.startsWith('{') ? (JSON.parse(line) as Said) : undefined;
};

/** Clusters of one node often have no provisioner: then the store's claim is bound to a folder of that node. */
export async function ensureStorage(): Promise<void> {
  const classes = await get<{ readonly items: readonly unknown[] }>('storageclasses');
  if (classes.items.length > 0) return;
  const path = '/var/lib/airmesh-test-store';
  const volume = { name: 'folder', hostPath: { path, type: 'DirectoryOrCreate' } };
  await apply(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'prepare-store', namespace: 'default' },
      spec: {
        restartPolicy: 'Never',
        volumes: [volume],
        containers: [
          {
            name: 'prepare',
            image: IMAGE,
            command: ['sh', '-c', 'rm -rf /folder/* && chmod 0777 /folder'],
            securityContext: { runAsUser: 0 },
            volumeMounts: [{ name: 'folder', mountPath: '/folder' }],
          },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'airmesh-test-store' },
      spec: {
        capacity: { storage: '2Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path },
        claimRef: { namespace: SYSTEM, name: 'airmesh' },
      },
    },
  );
  await kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/prepare-store', '-n', 'default', '--timeout=180s');
}

/** One pod of the shop's, by its name; labels and annotations are the pod's. */
export const deployment = (
  name: string,
  spec: object,
  { labels = {}, annotations = {} }: { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> } = {},
): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: SHOP },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { annotations, labels: { app: name, ...labels } }, spec: { ...POD, ...spec } },
  },
});

/** A service that waits to be told what to call: `kubectl exec` runs its client. */
export const application = (name: string, args: readonly string[] = ['wait']): object =>
  deployment(name, { containers: [{ name: 'app', image: CLIENT_IMAGE, args, securityContext: SECURE }] });

export const job = (name: string, owner: string): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: SHOP },
  spec: {
    backoffLimit: 0,
    template: {
      metadata: { labels: { app: owner } },
      spec: { ...POD, restartPolicy: 'Never', containers: [{ name: 'app', image: CLIENT_IMAGE, args: ['once'], securityContext: SECURE }] },
    },
  },
});

/** The provider of the examples, that takes these keys and no others. */
export async function providerTakes(...keys: readonly string[]): Promise<void> {
  const args = ['simulate', '--listen', '0.0.0.0:4010', '--key', ...keys];
  const patch = { spec: { template: { spec: { containers: [{ name: 'provider', args }] } } } };
  await kubectl('patch', 'deployment/provider', '-n', SHOP, '-p', JSON.stringify(patch));
  await kubectl('rollout', 'status', 'deployment/provider', '-n', SHOP, '--timeout=180s');
}

export async function setKey(key: string): Promise<void> {
  await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'openai', namespace: SHOP }, stringData: { apiKey: key } });
}

/** One call of a service, by its own client. */
export async function call(deployment: string, what: 'once' | 'stream' = 'once'): Promise<Said> {
  const { out, err } = await attempt('kubectl', ['exec', '-n', SHOP, `deployment/${deployment}`, '-c', 'app', '--', 'node', '/client/call.mjs', what]);
  const said = saidIn(out);
  if (said === undefined) throw new Error(`the client said nothing: ${out}${err}`);
  return said;
}

/** Removes what an earlier run left, and this one. */
export async function clear(): Promise<void> {
  await attempt('helm', ['uninstall', 'airmesh', '-n', SYSTEM]);
  await kubectl('delete', 'namespace', SHOP, SYSTEM, '--ignore-not-found', '--timeout=120s');
  await kubectl('delete', 'pv/airmesh-test-store', '--ignore-not-found', '--timeout=180s');
  await kubectl('delete', 'pod/prepare-store', '-n', 'default', '--ignore-not-found', '--timeout=180s');
  await kubectl('delete', 'crd', ...['aiproviders', 'airoutes', 'aibudgets'].map((plural) => `${plural}.airmesh.dev`), '--ignore-not-found', '--timeout=180s');
}

export const install = (...values: readonly string[]): Promise<string> =>
  helm(
    'upgrade',
    '--install',
    'airmesh',
    CHART,
    '-n',
    SYSTEM,
    '--create-namespace',
    '--wait',
    '--timeout',
    '120s',
    ...values.flatMap((value) => ['--set', value]),
  );
