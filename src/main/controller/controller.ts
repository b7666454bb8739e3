import { isDeepStrictEqual } from 'node:util';
import { limitsOf } from '../../core/call/index.ts';
import type { LimitSpec } from '../../core/ledger/index.ts';
import { startAdminServer } from '../../shell/admin/index.ts';
import type { Readiness } from '../../shell/admin/index.ts';
import { ALL_PERMITTED, LedgerHost, ledgerService } from '../../shell/ledger/index.ts';
import type { Permissions, ServiceEvent } from '../../shell/ledger/index.ts';
import { CertificateFiles, WireServer, byCertificate, byEither, processorOf } from '../../shell/wire/index.ts';
import type { Authenticate, CertificatePaths } from '../../shell/wire/index.ts';
import { formatFinding, watchResources } from '../../shell/resources/index.ts';
import { answerRecords, answerSpend } from '../../shell/spending/index.ts';
import { createLedgerMetrics } from '../../shell/telemetry/index.ts';
import type { LedgerMetrics, Logger } from '../../shell/telemetry/index.ts';
import { dashboardOf } from '../../shell/ui/index.ts';
import type { OverviewSources } from '../../shell/ui/index.ts';
import { systemClock } from '../mesh/clock.ts';
import { messageOf } from '../mesh/message-of.ts';
import { SIMULATED_URL, loadPolicies } from '../mesh/policies.ts';
import { requireFree } from '../mesh/preflight.ts';
import type { Address } from '../ports.ts';
import { StartError } from '../start-error.ts';
import { VERSION } from '../version.ts';
import { booksOf, keepRetention } from './books.ts';
import type { ClusterPolicies, ClusterScope } from './cluster.ts';
import { tellOfLedger } from './events.ts';
import type { OpenedStore } from './store.ts';

/** How long streams may take to end in good order. */
const CLOSE_WITHIN_MS = 1_000;

export interface ControllerOptions {
  /** Files and folders of resources, or a cluster: whose budgets and rate limits are kept here. */
  readonly policies: { readonly kind: 'files'; readonly paths: readonly string[] } | { readonly kind: 'cluster'; readonly scope: ClusterScope };
  /** Where processors connect. */
  readonly listen: Address | { readonly socketPath: string };
  /** For TCP. */
  readonly certificates?: CertificatePaths;
  /** Of processors' names; any, if none is said. */
  readonly trustDomain?: string;
  readonly admin: Address;
  readonly store: OpenedStore;
  /** How long records are kept. */
  readonly retentionDays: number;
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted while it starts, as where it waits for an API server: what was started is stopped, and the start rejects. */
  readonly interruption?: AbortSignal;
  readonly logger: Logger;
}

export interface RunningController {
  /** Where it listens, for people. */
  readonly address: string;
  readonly admin: Address;
  stop(): Promise<void>;
}

/** Starts the ledger service: limits from files, leases for processors, books for all. Throws a StartError for what a person can mend. */
export async function startController(options: ControllerOptions): Promise<RunningController> {
  const controller = new Controller(options);
  const giveUp = (): void => void controller.stop();
  options.interruption?.addEventListener('abort', giveUp);
  try {
    return await controller.start();
  } catch (error) {
    await controller.stop();
    throw error;
  } finally {
    options.interruption?.removeEventListener('abort', giveUp);
  }
}

class Controller {
  readonly #options: ControllerOptions;
  readonly #stops: (() => Promise<void> | void)[] = [];
  readonly #host: LedgerHost;
  readonly #metrics: LedgerMetrics;
  #limits: readonly LimitSpec[] = [];
  /** What is wrong with the files as they are now. */
  #problems: readonly string[] = [];
  #isServing = false;
  #server: WireServer | undefined;
  #cluster: ClusterPolicies | undefined;
  readonly #permissions: Permissions = {
    mayUse: (identity, limit, subject) => (this.#cluster?.permissions ?? ALL_PERMITTED).mayUse(identity, limit, subject),
    maySpeakFor: (identity, call) => (this.#cluster?.permissions ?? ALL_PERMITTED).maySpeakFor(identity, call),
  };
  /** What the store failed with; `undefined` while it works. */
  #storeFault: string | undefined;

  constructor(options: ControllerOptions) {
    const { store, logger } = options;
    this.#options = options;
    this.#stops.push(() => store.store.close());
    this.#metrics = createLedgerMetrics(
      {
        accounts: () => this.#host.views().filter(({ limit }) => this.#isBudget(limit)),
        processors: () => this.#host.processors.length,
        term: () => this.#host.term,
      },
      VERSION,
    );
    this.#host = new LedgerHost({
      ...store,
      clock: systemClock,
      permissions: this.#permissions,
      tell: (event) => {
        if (event.kind === 'store_unavailable') this.#storeFault = event.error.message;
        if (event.kind === 'leading') this.#storeFault = undefined;
        tellOfLedger(event, logger, this.#metrics);
      },
    });
  }

  async start(): Promise<RunningController> {
    const { admin, listen, logger, retentionDays } = this.#options;
    const taken = [{ ...admin, option: '--admin' }];
    await requireFree('port' in listen ? [{ ...listen, option: '--listen' }, ...taken] : taken);
    const { policies } = this.#options;
    if (policies.kind === 'cluster') await this.#follow(policies.scope);
    else this.#begin(this.#load(policies.paths));
    this.#stops.push(() => this.#host.close());
    const { store } = this.#options.store;
    this.#stops.push(keepRetention({ store, days: retentionDays, isLeading: () => this.#host.term !== undefined, now: () => systemClock.epochMs(), logger }));
    const books = booksOf(store, () => this.#host.views().filter(({ limit }) => this.#isBudget(limit)));
    // Before the rest, which may have to wait for an API server: probes are answered meanwhile.
    const server = await startAdminServer({
      ...admin,
      logger,
      sources: {
        healthy: () => true,
        readiness: () => this.#readiness(),
        metrics: () => this.#metrics.render(),
        spend: (parameters) => answerSpend(books, parameters),
        records: (parameters) => answerRecords(books, parameters),
        configuration: () => ({ limits: this.#limits }),
        dashboard: dashboardOf({
          version: VERSION,
          spending: books,
          readiness: () => this.#readiness(),
          now: () => systemClock.epochMs(),
          ...this.#shownResources(),
        }),
      },
    });
    this.#stops.push(() => server.stop());
    const address = await this.#serve();
    this.#isServing = true;
    if (policies.kind === 'files') {
      const watching = watchResources(policies.paths, () => this.#reload(policies.paths));
      this.#stops.push(() => watching.close());
    }
    return { address, admin: server, stop: () => this.stop() };
  }

  /** In the reverse order of the start. What fails to stop does not keep the rest from stopping. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) {
      try {
        await stop();
      } catch (error) {
        this.#options.logger.error('controller.stop_failed', { error: messageOf(error) });
      }
    }
  }

  #begin(limits: readonly LimitSpec[]): void {
    const started = this.#host.start(limits);
    if (!started.ok)
      throw new StartError(
        `The budgets cannot be kept: ${started.error.map(({ limit, field, message }) => `${limit} ${field} ${message}`).join('; ')}.`,
        'Mend them.',
      );
    this.#limits = limits;
  }

  /** The ledger begins with the first plan: of limits that it does not know, processors would hear that there are none. */
  async #follow(scope: ClusterScope): Promise<void> {
    const { environment, logger } = this.#options;
    // Only here: the client of Kubernetes takes seconds to load, and more memory than all the rest.
    const { ClusterPolicies } = await import('./cluster.ts');
    let hasBegun = false;
    const cluster = new ClusterPolicies({
      scope,
      environment,
      logger,
      onPlan: ({ compiled }) => {
        const limits = limitsOf([compiled]);
        if (hasBegun) {
          if (!isDeepStrictEqual(limits, this.#limits)) this.#configure(limits);
          return;
        }
        this.#begin(limits);
        hasBegun = true;
      },
      onGone: (pod) => this.#server?.dismiss(processorOf(pod), { code: 'unauthenticated', message: `the pod ${pod.namespace}/${pod.name} is gone` }),
      accounts: () => (this.#host.term === undefined ? undefined : this.#host.views()),
      // Where the ledger's store is out of reach nobody has accounts, and conditions are to be told all the same.
      isFit: () => this.#host.term !== undefined || this.#storeFault !== undefined,
    });
    this.#cluster = cluster;
    this.#stops.push(() => cluster.close());
  }

  async #serve(): Promise<string> {
    const { listen, logger, store } = this.#options;
    const cluster = this.#cluster;
    const files = this.#openCertificates();
    const tell = (event: ServiceEvent): void => tellOfLedger(event, logger, this.#metrics);
    const server = new WireServer({
      services: [ledgerService({ host: this.#host, store: store.store, permissions: this.#permissions, tell }), ...(cluster?.services ?? [])],
      clock: systemClock,
      authenticate: this.#authenticate(files !== undefined),
      absence: () => cluster?.absence(),
      tell,
    });
    this.#server = server;
    this.#stops.push(() => server.close(CLOSE_WITHIN_MS));
    if ('socketPath' in listen) {
      await server.listen(listen);
      return `unix:${listen.socketPath}`;
    }
    const certificates = files ?? (await cluster?.certificate());
    if (certificates === undefined)
      throw new StartError(
        'Processors must prove who they are.',
        'Name --tls-cert, --tls-key and --client-ca, or listen on a socket file: --listen unix:/path.',
      );
    const port = await server.listen({ ...listen, certificates, callers: cluster === undefined ? 'with certificates' : 'with certificates or tokens' });
    return `${listen.host}:${port ?? listen.port}`;
  }

  #authenticate(hasClientAuthorities: boolean): Authenticate {
    const { listen, trustDomain } = this.#options;
    // Who can open the socket file is whoever runs this.
    if ('socketPath' in listen) return ({ metadata }) => ({ ok: true, value: { processor: metadata('airmesh-processor') ?? 'local' } });
    if (this.#cluster === undefined) return byCertificate(trustDomain);
    // The mesh's own authority signs controllers alone.
    return hasClientAuthorities ? byEither(byCertificate(trustDomain), this.#cluster.authenticate) : this.#cluster.authenticate;
  }

  #openCertificates(): CertificateFiles | undefined {
    const { certificates, logger } = this.#options;
    if (certificates === undefined) return undefined;
    const opened = CertificateFiles.open(certificates, (message) => logger.error('ledger.certificates', { message }));
    if (!opened.ok) throw new StartError(`The certificate cannot be used: ${opened.error}.`, 'Mend the file, or name another.');
    this.#stops.push(() => opened.value.close());
    return opened.value;
  }

  /** A changed file takes effect as a whole, or not at all: what is broken is reported, and what was good goes on. */
  #reload(paths: readonly string[]): void {
    try {
      this.#configure(this.#load(paths));
    } catch (error) {
      this.#refuse([messageOf(error)]);
    }
  }

  #configure(limits: readonly LimitSpec[]): void {
    const configured = this.#host.configure(limits);
    if (!configured.ok) return this.#refuse(configured.error.map(({ limit, field, message }) => `AIBudget ${limit} ${field}: ${message}`));
    this.#limits = limits;
    this.#problems = [];
    this.#options.logger.info('limits.applied', { limits: limits.length });
  }

  #refuse(errors: readonly string[]): void {
    this.#problems = errors.map((error) => `the last change was not applied: ${error}`);
    for (const error of errors) this.#options.logger.error('limits.rejected', { finding: error });
  }

  #load(paths: readonly string[]): readonly LimitSpec[] {
    const { environment } = this.#options;
    const { compiled, findings } = loadPolicies({ kind: 'files', paths }, { workloads: [], own: [], simulatedUrl: SIMULATED_URL, environment });
    const errors = findings.filter(({ severity }) => severity === 'error').map(formatFinding);
    if (errors.length > 0)
      throw new StartError(
        `The resources have ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}:\n${errors.join('\n')}`,
        'Mend them; `airmesh validate` checks without starting.',
      );
    return limitsOf([compiled]);
  }

  /** Of a cluster, whose resources have statuses. */
  #shownResources(): Pick<OverviewSources, 'resources'> {
    const governor = this.#cluster?.governor;
    if (governor === undefined) return {};
    return {
      resources: () => (governor.statuses() ?? []).map(({ observed: { kind, namespace, name }, status }) => ({ kind, id: `${namespace}/${name}`, status })),
    };
  }

  #isBudget(limit: string): boolean {
    return this.#limits.some(({ id, kind }) => id === limit && kind === 'budget');
  }

  /** Ready is who can answer: the one that leads, and those that would if it went. In a cluster, once it knows what is there; later it goes by what it knew. */
  #readiness(): Readiness {
    const governor = this.#cluster?.governor;
    const injection = this.#cluster?.injection();
    const reasons = [
      ...(this.#storeFault === undefined ? [] : [`the store of the ledger is out of reach: ${this.#storeFault}`]),
      ...(this.#isServing ? [] : ['processors cannot connect yet']),
      ...(governor === undefined || governor.plan !== undefined ? [] : governor.faults),
      ...(injection?.reasons ?? []),
    ];
    const warnings = [...this.#problems, ...(governor?.plan === undefined ? [] : governor.faults), ...(injection?.warnings ?? [])];
    return { ready: reasons.length === 0, reasons, warnings, configuration: { present: undefined, running: undefined }, providers: [] };
  }
}
