/** Whole controllers against a real API server, with the rights that the chart grants and no others. */
import { writeFileSync } from 'node:fs';
import { startController } from '../../../src/main/controller/controller.ts';
import type { RunningController } from '../../../src/main/controller/controller.ts';
import type { ClusterScope } from '../../../src/main/controller/cluster.ts';
import { openStore } from '../../../src/main/controller/store.ts';
import { createLogger } from '../../../src/shell/telemetry/index.ts';
import type { ApiClient } from './client.ts';
import { ROOT, put } from './governed.ts';
import { documentsOf } from './resources.ts';
import { kubeconfigOf } from './server.ts';
import type { ApiServerAccess } from './server.ts';

/** As the chart grants them, of a file that was rendered from it. Returns how many objects that were. */
export async function grant(client: ApiClient, file = 'deploy/manifests/airmesh.yaml'): Promise<number> {
  const granted = documentsOf(file).filter(({ kind, metadata }) => /Role|ServiceAccount/.test(kind) || metadata.name.endsWith('-views'));
  for (const object of granted) await put(client, object as Parameters<typeof put>[1]);
  return granted.length;
}

/** Secrets by name, as the chart's value `secrets` does. */
export async function grantSecrets(
  client: ApiClient,
  namespace: string,
  resourceNames: readonly string[],
  account = { name: 'airmesh', namespace: ROOT },
): Promise<void> {
  const metadata = { name: 'airmesh-keys', namespace };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames, verbs: ['get', 'list', 'watch'] }];
  await put(client, { apiVersion, kind: 'Role', metadata, rules });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name };
  await put(client, { apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects: [{ kind: 'ServiceAccount', ...account }] });
}

export async function controllerToken(client: ApiClient, account = { name: 'airmesh', namespace: ROOT }): Promise<string> {
  const { body } = await client.send('POST', `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  });
  return (body as { readonly status: { readonly token: string } }).status.token;
}

export interface ControllerWishes {
  /** A file that is written. */
  readonly kubeconfig: string;
  readonly write: (line: string) => void;
  readonly scope?: Partial<ClusterScope>;
}

/** With a store of its own, in memory. */
export async function startControllerFor(
  access: ApiServerAccess,
  token: string,
  { kubeconfig, write, scope = {} }: ControllerWishes,
): Promise<RunningController> {
  writeFileSync(kubeconfig, kubeconfigOf({ ...access, token }), { mode: 0o600 });
  return startController({
    policies: {
      kind: 'cluster',
      scope: {
        rootNamespace: ROOT,
        namespaces: undefined,
        lease: 'airmesh',
        authorities: 'airmesh-authorities',
        views: 'airmesh-views',
        service: 'airmesh',
        interception: { egress: 'Open', passedHosts: [], refusedHosts: [], clusterDomain: 'cluster.local' },
        simulatedUrl: undefined,
        injector: undefined,
        ...scope,
      },
    },
    listen: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    retentionDays: 90,
    store: await openStore('memory:'),
    environment: { KUBECONFIG: kubeconfig },
    logger: createLogger({ level: 'debug', format: 'json', colour: false, destination: { write, flush: () => undefined } }),
  });
}

/** Roots as the injector would tell them. */
export async function controllerRoots(client: ApiClient, namespace = ROOT, name = 'airmesh-authorities-control-plane'): Promise<string> {
  const { body } = await client.send('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`);
  const { data } = body as { readonly data: Readonly<Record<string, string>> };
  const text = Buffer.from(data['authority.json'] ?? '', 'base64').toString();
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)].map(([pem]) => `${pem.replaceAll(String.raw`\n`, '\n')}\n`).join('');
}

export async function readinessOf({
  admin,
}: RunningController): Promise<{ readonly ready: boolean; readonly reasons: readonly string[]; readonly warnings: readonly string[] }> {
  return (await (await fetch(`http://127.0.0.1:${admin.port}/readyz`)).json()) as Awaited<ReturnType<typeof readinessOf>>;
}
