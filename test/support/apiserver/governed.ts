import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayPlan, Plan, SidecarState, SidecarView } from '../../../src/core/control/index.ts';
import type { KnownWorkload } from '../../../src/core/policy/index.ts';
import type { AccountView } from '../../../src/core/ledger/index.ts';
import { checkKey } from '../../../src/shell/keys/index.ts';
import { Governor, Leadership, openCluster } from '../../../src/shell/kube/index.ts';
import type { Cluster, GovernorEvent, Streams } from '../../../src/shell/kube/index.ts';
import { readCertificates } from '../../../src/shell/trust/index.ts';
import type { ApiClient } from './client.ts';
import type { KubernetesObject } from './resources.ts';
import { kubeconfigOf } from './server.ts';
import type { ApiServerAccess } from './server.ts';

export const ROOT = 'airmesh-system';

/** Sidecars on paper: they acknowledge what they are told to. */
export class PaperStreams implements Streams {
  states: ReadonlyMap<string, SidecarState> = new Map();
  gateways: GatewayPlan | undefined;
  /** Who calls by a gateway. */
  calling: readonly KnownWorkload[] = [];
  totalPublished = 0;
  readonly #views = new Map<string, SidecarView>();

  publish(states: ReadonlyMap<string, SidecarState>, gateways: GatewayPlan): void {
    this.states = states;
    this.gateways = gateways;
    this.totalPublished++;
  }

  callers(): readonly KnownWorkload[] {
    return this.calling;
  }

  views(): readonly SidecarView[] {
    return [...this.#views.values()];
  }

  /** A pod's sidecar says this of itself; what it applies is the newest unless said otherwise. */
  say(pod: { readonly namespace: string; readonly name: string; readonly uid: string }, workload: string, more: Partial<SidecarView> = {}): void {
    const applied = this.states.get(workload)?.version;
    this.#views.set(pod.uid, {
      pod,
      workload,
      since: 0,
      isConnected: true,
      keys: [],
      ownKeysFor: [],
      program: '0.1.0',
      ...(applied === undefined ? {} : { applied }),
      ...more,
    });
  }
}

export interface Governed {
  readonly streams: PaperStreams;
  readonly governor: Governor;
  readonly leadership: Leadership;
  readonly cluster: Cluster;
  readonly events: GovernorEvent[];
  /** The plans that were made, the newest last. */
  readonly plans: Plan[];
  /** Uids of pods that went. */
  readonly gone: string[];
  accounts: readonly AccountView[] | undefined;
  close(): Promise<void>;
}

const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

export function clusterAt(access: Pick<ApiServerAccess, 'url' | 'ca' | 'token'>): Cluster {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-kubeconfig-'));
  const file = join(folder, 'config');
  writeFileSync(file, kubeconfigOf(access), { mode: 0o600 });
  const opened = openCluster({ KUBECONFIG: file });
  rmSync(folder, { recursive: true });
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
}

/** A controller's part that looks at the cluster, with sidecars on paper. */
export function govern(access: Pick<ApiServerAccess, 'url' | 'ca' | 'token'>, namespaces?: readonly string[], lease = 'airmesh'): Governed {
  const cluster = clusterAt(access);
  const streams = new PaperStreams();
  const events: GovernorEvent[] = [];
  const plans: Plan[] = [];
  const gone: string[] = [];
  const leadership = new Leadership({
    api: cluster.api,
    namespace: ROOT,
    name: lease,
    identity: crypto.randomUUID(),
    clock,
    random: Math.random,
    isFit: () => true,
    onChange: () => governor.heard(),
    onFault: () => undefined,
  });
  const governed: Governed = {
    streams,
    leadership,
    cluster,
    events,
    plans,
    gone,
    accounts: undefined,
    get governor() {
      return governor;
    },
    close: async () => {
      governor.close();
      await leadership.close();
      cluster.api.close();
    },
  };
  const governor = new Governor({
    cluster,
    namespaces,
    settings: {
      rootNamespace: ROOT,
      known: { openai: [], anthropic: [], google: [], deepseek: [] },
      simulatedUrl: 'http://simulator.airmesh-system/v1',
      readCertificates,
      checkKey,
    },
    streams,
    intercept: () => Promise.resolve(new Map()),
    onPlan: (plan) => void plans.push(plan),
    onGone: ({ uid }) => void gone.push(uid),
    accounts: () => governed.accounts,
    mayWrite: () => leadership.leads,
    identity: 'test',
    clock,
    random: Math.random,
    tell: (event) => void events.push(event),
  });
  leadership.start();
  return governed;
}

type Wish = Omit<KubernetesObject, 'metadata'> & {
  readonly metadata: KubernetesObject['metadata'] & Readonly<Record<string, unknown>>;
} & Readonly<Record<string, unknown>>;

const PLURALS: Readonly<Record<string, string>> = {
  ConfigMap: 'configmaps',
  ServiceAccount: 'serviceaccounts',
  Secret: 'secrets',
  Pod: 'pods',
  Service: 'services',
  EndpointSlice: 'endpointslices',
  Namespace: 'namespaces',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
};

function pathOf({ apiVersion, kind, metadata }: Pick<Wish, 'apiVersion' | 'kind' | 'metadata'>): string {
  const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`}${within}/${PLURALS[kind] ?? kind}/${metadata.name}`;
}

/** Makes any object as it is wished for. */
export async function put(client: ApiClient, object: Wish): Promise<KubernetesObject & { readonly metadata: { readonly uid: string } }> {
  const { status, body } = await client.send('PATCH', `${pathOf(object)}?fieldManager=tests&force=true`, {
    body: object,
    type: 'application/apply-patch+yaml',
  });
  if (status >= 300) throw new Error(`${object.kind} ${object.metadata.name}: ${(body as { message?: string }).message ?? status}`);
  return body as KubernetesObject & { readonly metadata: { readonly uid: string } };
}

export async function remove(client: ApiClient, object: Pick<Wish, 'apiVersion' | 'kind' | 'metadata'>): Promise<void> {
  await client.send('DELETE', `${pathOf(object)}?gracePeriodSeconds=0`);
}

export const secret = (namespace: string, name: string, stringData: Readonly<Record<string, string>>): Wish => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  data: Object.fromEntries(Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
});

export interface MadePod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
}

/**
 * A pod of a StatefulSet that runs, as far as an API server without nodes can know. `program`: of its sidecar; false: it is not labelled
 * as having one.
 */
export async function makePod(
  client: ApiClient,
  namespace: string,
  name: string,
  phase = 'Running',
  program: string | false = '0.1.0',
  serviceAccount = 'default',
): Promise<MadePod> {
  await put(client, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } });
  const { metadata } = await put(client, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ...(program === false ? {} : { labels: { 'airmesh.dev/sidecar': program } }),
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: name.replace(/-\d+$/, ''), uid: 'none', controller: true }],
    },
    spec: { serviceAccountName: serviceAccount, automountServiceAccountToken: false, containers: [{ name: 'app', image: 'app' }] },
  });
  await client.send('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}/status`, { body: { status: { phase } }, type: 'application/merge-patch+json' });
  return { namespace, name, uid: metadata.uid, serviceAccount };
}

/** A token of a pod's service account, bound to the pod as the kubelet has them bound. */
export async function tokenFor(client: ApiClient, pod: MadePod, audience = 'airmesh', lastsS = 600): Promise<string> {
  const { body, status } = await client.send('POST', `/api/v1/namespaces/${pod.namespace}/serviceaccounts/${pod.serviceAccount}/token`, {
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [audience], expirationSeconds: lastsS, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid } },
    },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return (body as { status: { token: string } }).status.token;
}
