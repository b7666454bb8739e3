import { delimiter } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { ApiServer } from './apiserver.ts';

/** Where a pod's own access is mounted. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** An API server, and who asks it. */
export interface Cluster {
  readonly api: ApiServer;
  readonly config: KubeConfig;
  /** The namespace that this process is in, or that its context names. */
  readonly namespace: string | undefined;
  /** For people. */
  readonly address: string;
}

/** The cluster that `KUBECONFIG` names, else the one around this pod, else that of `~/.kube/config`. The error says what to do. */
export function openCluster(environment: NodeJS.ProcessEnv, context?: string): Result<Cluster, string> {
  const config = new KubeConfig();
  try {
    const [named, ...others] = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
    if (named !== undefined) loadFiles(config, named, others);
    else if (existsSync(`${SERVICE_ACCOUNT}/token`)) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (error) {
    return err(`the kubeconfig cannot be read (${(error as NodeJS.ErrnoException).code ?? 'it is no YAML of a kubeconfig'}); name another with KUBECONFIG`);
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null || cluster.server === 'http://localhost:8080')
    return err(
      context === undefined ? 'there is no cluster to ask; name a kubeconfig with KUBECONFIG' : `the kubeconfig has no context ${context} with a cluster`,
    );
  if (!cluster.server.startsWith('https:')) return err(`${cluster.server} is not https; keys would cross the network in plain text`);
  const current = config.getContextObject(config.getCurrentContext());
  return ok({ api: new ApiServer(config), config, namespace: current?.namespace ?? ownNamespace(), address: cluster.server });
}

function loadFiles(config: KubeConfig, first: string, others: readonly string[]): void {
  config.loadFromFile(first);
  for (const file of others) {
    const other = new KubeConfig();
    other.loadFromFile(file);
    config.mergeConfig(other, true);
  }
}

function ownNamespace(): string | undefined {
  const file = `${SERVICE_ACCOUNT}/namespace`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
