import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Plan } from '../../core/control/index.ts';
import type { AccountView } from '../../core/ledger/index.ts';
import { checkKey } from '../../shell/keys/index.ts';
import { Governor, Leadership, openCluster } from '../../shell/kube/index.ts';
import type { Cluster, GovernorEvent, GovernorParts } from '../../shell/kube/index.ts';
import { knownModels } from '../../shell/prices/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { systemClock } from '../mesh/clock.ts';
import { StartError } from '../start-error.ts';

/** Which cluster, and how much of it. */
export interface ClusterScope {
  /** The controller's own; by default the namespace that it runs in. */
  readonly rootNamespace: string | undefined;
  /** Those that are governed, besides that; all, if none are named. */
  readonly namespaces: readonly string[] | undefined;
  /** Of the Lease by which several controllers elect who writes. */
  readonly lease: string;
  /** Address of a simulated provider in the cluster, for AIProviders of that type without one; absent: there is none. */
  readonly simulatedUrl: string | undefined;
}

export interface ClusterPoliciesParts extends Pick<GovernorParts, 'streams'> {
  readonly scope: ClusterScope;
  readonly environment: NodeJS.ProcessEnv;
  readonly interceptionOf: GovernorParts['settings']['interceptionOf'];
  readonly onPlan: (plan: Plan) => void;
  /** Of budgets; `undefined` where the ledger is not led here. */
  readonly accounts: () => readonly AccountView[] | undefined;
  /** Whether this process knows what statuses need, or nobody does. */
  readonly isFit: () => boolean;
  readonly logger: Logger;
}

/** Policies from a cluster: what is there, compiled and handed on; and, where this process is elected, what is said of it there. */
export class ClusterPolicies {
  readonly cluster: Cluster;
  readonly governor: Governor;
  readonly rootNamespace: string;
  readonly #leadership: Leadership;

  /** Throws a StartError where there is no cluster to ask. An API server that does not answer is waited for. */
  constructor({ scope, environment, interceptionOf, onPlan, accounts, isFit, logger, streams }: ClusterPoliciesParts) {
    const opened = openCluster(environment);
    if (!opened.ok) throw new StartError(`There is no cluster: ${opened.error}.`, 'Run it in a pod, or name a kubeconfig with KUBECONFIG.');
    this.cluster = opened.value;
    const rootNamespace = scope.rootNamespace ?? environment['POD_NAMESPACE'] ?? this.cluster.namespace;
    if (rootNamespace === undefined) throw new StartError('The root namespace is not known.', 'Name it with --root-namespace.');
    this.rootNamespace = rootNamespace;
    // A pod's name alone may come again, as a StatefulSet's does.
    const identity = `${environment['POD_NAME'] ?? hostname()}_${randomUUID()}`;
    this.#leadership = new Leadership({
      api: this.cluster.api,
      namespace: rootNamespace,
      name: scope.lease,
      identity,
      clock: systemClock,
      random: Math.random,
      isFit,
      onChange: (leads) => {
        logger.info(leads ? 'controller.leading' : 'controller.following', { lease: `${rootNamespace}/${scope.lease}` });
        this.governor.heard();
      },
      onFault: (error) => logger.warn('controller.lease_failed', { error }),
    });
    this.governor = new Governor({
      cluster: this.cluster,
      namespaces: scope.namespaces,
      settings: { rootNamespace, known: knownModels(), simulatedUrl: scope.simulatedUrl, checkKey, interceptionOf },
      streams,
      onPlan,
      accounts,
      mayWrite: () => this.#leadership.leads,
      identity,
      clock: systemClock,
      random: Math.random,
      tell: (event) => tellOfCluster(event, logger),
    });
    this.#leadership.start();
  }

  /** Whether this process is the one that writes. */
  get leads(): boolean {
    return this.#leadership.leads;
  }

  async close(): Promise<void> {
    this.governor.close();
    await this.#leadership.close();
    this.cluster.api.close();
  }
}

function tellOfCluster(event: GovernorEvent, logger: Logger): void {
  switch (event.kind) {
    case 'planned':
      return logger.debug('plan.made', { resources: event.resources, workloads: event.workloads, durationMs: Math.round(event.durationMs) });
    case 'watch_failed':
      return logger.warn('watch.failed', { path: event.path, error: event.message });
    case 'watch_mended':
      return logger.info('watch.mended', { path: event.path });
    case 'status_failed':
      return logger.warn('status.failed', { resource: event.resource, error: event.message });
    case 'event_failed':
      return logger.warn('event.failed', { error: event.message });
    case 'plan_failed':
      return logger.error('plan.failed', { error: event.message });
  }
}
