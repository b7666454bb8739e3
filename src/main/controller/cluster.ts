import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { rootedBy, withControllerRoots } from '../../core/control/index.ts';
import type { Draft, Interceptions, InterceptionSettings, Plan, PodFacts } from '../../core/control/index.ts';
import type { AccountView } from '../../core/ledger/index.ts';
import { MESHES, asksProcessor } from '../../core/meshes/index.ts';
import type { MeshName } from '../../core/meshes/index.ts';
import { Distributor, GatewayPermissions, Gateways } from '../../shell/distribution/index.ts';
import type { DistributionEvent } from '../../shell/distribution/index.ts';
import { checkKey } from '../../shell/keys/index.ts';
import { Governor, Leadership, Services, SharedViews, TokenReviews, openCluster } from '../../shell/kube/index.ts';
import type { Cluster, GovernorEvent } from '../../shell/kube/index.ts';
import { ALL_PERMITTED } from '../../shell/ledger/index.ts';
import type { Permissions } from '../../shell/ledger/index.ts';
import { knownModels } from '../../shell/prices/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { readCertificates } from '../../shell/trust/index.ts';
import { ShownCertificate, byToken } from '../../shell/wire/index.ts';
import type { Authenticate, Identity, Service } from '../../shell/wire/index.ts';
import { systemClock } from '../mesh/clock.ts';
import { StartError } from '../start-error.ts';
import { Authorities } from './authorities.ts';
import { InterceptionIssuer } from './interceptions.ts';
import { MeshUpkeep } from './meshes.ts';
import { startInjector } from './injector.ts';
import { RootsTeller } from './roots.ts';
import type { InjectorIdentity, InjectorOptions, RunningInjector } from './injector.ts';

/** Which cluster, and how much of it. */
export interface ClusterScope {
  /** The controller's own; by default the namespace that it runs in. */
  readonly rootNamespace: string | undefined;
  /** Those that are governed, besides that; all, if none are named. */
  readonly namespaces: readonly string[] | undefined;
  /** Of the Lease by which several controllers elect who writes. */
  readonly lease: string;
  /** What the names of the Secrets begin with that keep the mesh's authorities. */
  readonly authorities: string;
  /** The ConfigMap by which controllers tell each other what sidecars say. */
  readonly views: string;
  /** The Service by which sidecars and API servers reach controllers. */
  readonly service: string;
  /** Where a certificate for controllers is mounted that another makes, as cert-manager does; absent: the mesh's own authority makes it. */
  readonly tlsFolder?: string;
  /** How pods' connections are taken in; absent: applications call their sidecars by address. */
  readonly interception: InterceptionSettings | undefined;
  /** Address of a simulated provider in the cluster, for AIProviders of that type without one; absent: there is none. */
  readonly simulatedUrl: string | undefined;
  /** What is injected into pods, and where API servers ask for it; absent: nothing is. */
  readonly injector: Pick<InjectorOptions, 'listen' | 'file'> | undefined;
  /** A mesh whose sidecars are in the same pods: what they need is injected and kept applied. Absent: there is none. */
  readonly mesh?: MeshName;
  /** The service account, in the root namespace, that gateways run as; absent: there are none. */
  readonly gateway?: string;
  /** The ConfigMap in the root namespace by which gateways know controllers' certificates; absent: there is none. */
  readonly roots?: string;
}

export interface ClusterPoliciesParts {
  readonly scope: ClusterScope;
  readonly environment: NodeJS.ProcessEnv;
  readonly onPlan: (plan: Plan) => void;
  /** A pod is not there any more. */
  readonly onGone: (pod: PodFacts) => void;
  /** Of budgets; `undefined` where the ledger is not led here. */
  readonly accounts: () => readonly AccountView[] | undefined;
  /** Whether this process knows what statuses need, or nobody does. */
  readonly isFit: () => boolean;
  readonly logger: Logger;
}

/**
 * Policies from a cluster: what is there, compiled and handed to sidecars that prove which pod they are; and, where this
 * process is elected, what is said of it there.
 */
export class ClusterPolicies {
  readonly cluster: Cluster;
  readonly governor: Governor;
  readonly #distributor: Distributor;
  readonly #gateways: Gateways;
  readonly #gatewayPermissions: GatewayPermissions;
  readonly #leadership: Leadership;
  readonly #shared: SharedViews;
  readonly #reviews: TokenReviews;
  readonly #rootNamespace: string;
  readonly #parts: ClusterPoliciesParts;
  readonly #closing = new AbortController();
  #authorities: Promise<Authorities> | undefined;
  #issuer: InterceptionIssuer | undefined;
  /** By which sidecars know this controller and the next; absent before they are read. */
  #roots: string | undefined;
  #injector: RunningInjector | undefined;
  readonly #upkeep: MeshUpkeep | undefined;

  /** Throws a StartError where there is no cluster to ask. An API server that does not answer is waited for. */
  constructor(parts: ClusterPoliciesParts) {
    this.#parts = parts;
    const { scope, environment, accounts, isFit, onPlan, logger } = parts;
    const opened = openCluster(environment);
    if (!opened.ok) throw new StartError(`There is no cluster: ${opened.error}.`, 'Run it in a pod, or name a kubeconfig with KUBECONFIG.');
    this.cluster = opened.value;
    const { api } = this.cluster;
    const rootNamespace = scope.rootNamespace ?? environment['POD_NAMESPACE'] ?? this.cluster.namespace;
    if (rootNamespace === undefined) throw new StartError('The root namespace is not known.', 'Name it with --root-namespace.');
    this.#rootNamespace = rootNamespace;
    // A pod's name alone may come again, as a StatefulSet's does.
    const identity = `${environment['POD_NAME'] ?? hostname()}_${randomUUID()}`;
    this.#distributor = new Distributor({ clock: systemClock, onChange: () => this.governor.heard(), tell: (event) => tellOfSidecars(event, logger) });
    this.#gateways = new Gateways({
      isGateway: (pod) => this.#isGateway(pod),
      onCallers: () => this.governor.renew(),
      tell: (event) => tellOfSidecars(event, logger),
      now: () => systemClock.monotonicMs(),
    });
    this.#gatewayPermissions = new GatewayPermissions(rootNamespace, () => systemClock.monotonicMs());
    this.#leadership = new Leadership({
      api,
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
    this.#shared = new SharedViews({
      cluster: this.cluster,
      namespace: rootNamespace,
      name: scope.views,
      identity,
      now: () => systemClock.monotonicMs(),
      random: Math.random,
      leads: () => this.#leadership.leads,
      own: () => this.#distributor.views(),
      onChange: () => this.governor.heard(),
      onFault: (error) => logger.warn('views.unshared', { error }),
    });
    this.governor = new Governor({
      cluster: this.cluster,
      namespaces: scope.namespaces,
      settings: { rootNamespace, known: knownModels(), simulatedUrl: scope.simulatedUrl, checkKey, readCertificates },
      streams: {
        publish: (states, gateways) => {
          this.#distributor.publish(withControllerRoots(states, this.#roots));
          this.#gateways.publish({
            ...gateways,
            common: rootedBy(this.#roots)(gateways.common),
            states: withControllerRoots(gateways.states, this.#roots),
          });
        },
        views: () => this.#shared.views(),
        callers: () => this.#gateways.callers(),
      },
      intercept: (draft) => this.#intercept(draft),
      onPlan: (plan) => {
        onPlan(plan);
        this.#gatewayPermissions.publish(plan.gateways.namespaces, plan.compiled);
        this.#upkeep?.heard(plan);
      },
      onGone: parts.onGone,
      isGateway: (pod) => this.#isGateway(pod),
      accounts,
      mayWrite: () => this.#leadership.leads,
      identity,
      clock: systemClock,
      random: Math.random,
      tell: (event) => tellOfCluster(event, logger),
    });
    this.#reviews = new TokenReviews({
      api,
      pod: (uid) => this.governor.pod(uid),
      onPod: (pod) => this.governor.meet(pod),
      clock: systemClock,
    });
    if (scope.mesh !== undefined && asksProcessor(MESHES[scope.mesh]))
      this.#upkeep = new MeshUpkeep({
        api,
        name: scope.mesh,
        namespaces: scope.namespaces === undefined ? undefined : [rootNamespace, ...scope.namespaces],
        now: () => systemClock.monotonicMs(),
        leads: () => this.#leadership.leads,
        logger,
      });
    this.#leadership.start();
  }

  /** For a controller's port. */
  get services(): readonly Service[] {
    return [this.#distributor.service(), this.#gateways.service()];
  }

  /** Who shows the token of a pod's service account. */
  get authenticate(): Authenticate {
    return byToken(this.#reviews);
  }

  /** Sidecars spend by what was published to them, gateways for namespaces that allow it. Whoever has a certificate instead was given it by whoever runs this. */
  get permissions(): Permissions {
    const of = ({ pod }: Identity): Permissions =>
      pod === undefined ? ALL_PERMITTED : this.#isGateway(pod) ? this.#gatewayPermissions : this.#distributor.permissions;
    return {
      mayUse: (identity, limit, subject) => of(identity).mayUse(identity, limit, subject),
      maySpeakFor: (identity, call) => of(identity).maySpeakFor(identity, call),
    };
  }

  #isGateway({ namespace, serviceAccount }: { readonly namespace: string; readonly serviceAccount: string }): boolean {
    return namespace === this.#rootNamespace && serviceAccount === this.#parts.scope.gateway;
  }

  /** Why nobody can be served yet. */
  absence(): string | undefined {
    return this.#distributor.absence();
  }

  /** Why pods cannot be injected; nobody waits for what has worked once. */
  injection(): { readonly reasons: readonly string[]; readonly warnings: readonly string[] } {
    const problem = this.#injector?.problem();
    const told = problem === undefined ? [] : [problem];
    return this.#injector?.hasBeenTrusted() === true ? { reasons: [], warnings: told } : { reasons: told, warnings: [] };
  }

  /** A certificate of the mesh's own, which is renewed by itself. With it the injector is served, which API servers know by it. */
  async certificate(): Promise<ShownCertificate> {
    const { scope } = this.#parts;
    const authorities = await this.#openAuthorities();
    const shown = new ShownCertificate(shownBy(authorities));
    const told = scope.roots === undefined ? undefined : this.#tellRoots(scope.roots);
    const follow = (): void => {
      this.#roots = authorities.identity.roots;
      this.governor.renew();
      told?.tell(authorities.identity.roots);
    };
    follow();
    authorities.onChange(() => {
      shown.use(shownBy(authorities));
      follow();
    });
    if (scope.injector !== undefined) await this.#inject(scope.injector, authorities);
    return shown;
  }

  #tellRoots(name: string): RootsTeller {
    const { logger } = this.#parts;
    const { api } = this.cluster;
    const onFault = (error: string): void => logger.warn('roots.untold', { error });
    return new RootsTeller({ api, namespace: this.#rootNamespace, name, closing: this.#closing.signal, onFault });
  }

  #openAuthorities(): Promise<Authorities> {
    const { scope, logger } = this.#parts;
    this.#authorities ??= Authorities.open({
      cluster: this.cluster,
      namespace: this.#rootNamespace,
      prefix: scope.authorities,
      service: scope.service,
      ...(scope.tlsFolder === undefined ? {} : { tlsFolder: scope.tlsFolder }),
      logger,
      closing: this.#closing.signal,
    });
    return this.#authorities;
  }

  async #intercept(draft: Draft): Promise<Interceptions> {
    const { scope, logger } = this.#parts;
    if (scope.interception === undefined) return NO_INTERCEPTIONS;
    const { interception } = await this.#openAuthorities();
    const onDue = (): void => this.governor.renew();
    this.#issuer ??= new InterceptionIssuer({
      authority: interception,
      settings: scope.interception,
      // Where egress is open, other services are reached by any name anyway.
      services: scope.interception.egress === 'Enforced' ? new Services(this.cluster, onDue, Math.random) : undefined,
      onDue,
      logger,
    });
    return this.#issuer.of(draft);
  }

  async #inject(injector: NonNullable<ClusterScope['injector']>, authorities: Authorities): Promise<void> {
    const { logger, scope } = this.#parts;
    const running = await startInjector({
      ...injector,
      ...(scope.mesh === undefined ? {} : { mesh: scope.mesh }),
      identity: injectorIdentity(authorities),
      isTrustForeign: scope.tlsFolder !== undefined,
      api: this.cluster.api,
      logger,
    });
    this.#injector = running;
    authorities.onChange(() => running.use(injectorIdentity(authorities)));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#injector?.stop();
    this.#issuer?.close();
    void this.#authorities?.then(
      (authorities) => authorities.close(),
      () => undefined,
    );
    this.governor.close();
    this.#upkeep?.close();
    await this.#shared.close();
    this.#distributor.close();
    this.#gateways.close();
    await this.#leadership.close();
    this.cluster.api.close();
  }
}

const NO_INTERCEPTIONS: Interceptions = new Map();

const shownBy = ({ identity: { leaf, roots } }: Authorities): ConstructorParameters<typeof ShownCertificate>[0] => ({
  certificate: leaf.certificate,
  key: leaf.key,
  authorities: roots,
});

const injectorIdentity = ({ identity: { leaf, roots } }: Authorities): InjectorIdentity => ({ certificate: leaf.certificate, key: leaf.key, roots });

function tellOfSidecars(event: DistributionEvent, logger: Logger): void {
  switch (event.kind) {
    case 'sidecar_joined':
      return logger.info('sidecar.joined', { ...podOf(event.pod), program: event.program });
    case 'sidecar_left':
      return logger.info('sidecar.left', podOf(event.pod));
    case 'state_applied':
      return logger.debug('state.applied', { ...podOf(event.pod), version: event.version });
    case 'state_refused':
      return logger.warn('state.refused', { ...podOf(event.pod), version: event.version, reason: event.reason });
    case 'state_too_large':
      return logger.error('state.too_large', { workload: event.workload, version: event.version, bytes: event.bytes });
    case 'violation':
      return logger.error('sidecar.refused', { processor: event.processor, code: event.code, reason: event.message });
  }
}

const podOf = ({
  namespace,
  name,
  workload,
}: {
  readonly namespace: string;
  readonly name: string;
  readonly workload: string;
}): { readonly pod: string; readonly workload: string } => ({
  pod: `${namespace}/${name}`,
  workload,
});

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
