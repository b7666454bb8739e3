import { rmSync } from 'node:fs';
import { Merging, ProviderHealth, limitsOf, usdLimits } from '../../core/call/index.ts';
import type { CallPorts } from '../../core/call/index.ts';
import { DEFAULT_CNY_PER_USD } from '../../core/catalog/index.ts';
import { renderEnvoy } from '../../core/envoyconfig/index.ts';
import { usdToNano } from '../../core/units/index.ts';
import { describeSnapshot, startAdminServer } from '../../shell/admin/index.ts';
import type { AdminServer, Readiness } from '../../shell/admin/index.ts';
import { AnswerMemory } from '../../shell/answers/index.ts';
import { openBudgets } from '../../shell/budgets/index.ts';
import type { OpenedBudgets } from '../../shell/budgets/index.ts';
import { answerRecords, answerSpend } from '../../shell/spending/index.ts';
import type { SpendSource } from '../../shell/spending/index.ts';
import { EnvoySupervisor, ensureEnvoy, envoyIn } from '../../shell/envoy/index.ts';
import type { EnvoyReadiness } from '../../shell/envoy/index.ts';
import { KeyStore, OwnKeys } from '../../shell/keys/index.ts';
import { NO_TRACING, createCallObserver, createMetrics, createTracing } from '../../shell/telemetry/index.ts';
import type { Metrics, Tracing } from '../../shell/telemetry/index.ts';
import type { ProviderType, ProviderUrl } from '../../core/policy/index.ts';
import { StartError } from '../start-error.ts';
import { VERSION } from '../version.ts';
import { watchBatches } from './batches.ts';
import { tellOfBudgets } from './budget-events.ts';
import { serveAll } from './calls.ts';
import { afterMs, newCallId, systemClock } from './clock.ts';
import { tellOfEnvoy } from './envoy-events.ts';
import type { Policies } from './feed.ts';
import { openRoom } from './memory.ts';
import { messageOf } from './message-of.ts';
import { placeOf } from './place.ts';
import { asStartError, leaveNone, requireFree, requireOwn } from './preflight.ts';
import { tellOfProvider } from './provider-events.ts';
import { readinessOf } from './readiness.ts';
import { adminSocket, envoySettings, processorSocket } from './settings.ts';
import type { MeshPlace } from './settings.ts';
import { snapshotFor } from './snapshot-for.ts';
import { openSocketFolder } from './sockets.ts';
import { ToldTrust } from './trust.ts';
import { Upkeep, stateFolderUse } from './upkeep.ts';
import type { MeshOptions, RunningMesh } from './options.ts';

export type { MeshOptions, RunningMesh, WorkloadListener } from './options.ts';

const READY_WITHIN_MS = 20_000;
/** Envoy sees a changed file at once; clusters with names to resolve take longer. */
const APPLIED_WITHIN_MS = 10_000;
const DRAIN_MS = 30_000;
/** Whoever starts meanwhile trusts what was there before. */
const TRUST_LOOK_MS = 10_000;

/** Starts a real Envoy, what governs its calls, and their books. Throws a StartError for what a person can mend. */
export async function startMesh(options: MeshOptions): Promise<RunningMesh> {
  const mesh = new Mesh(options);
  try {
    await mesh.start();
  } catch (error) {
    await mesh.stop();
    throw asStartError(error, options.stateDir);
  }
  return mesh.running();
}

/** The pieces, in the order in which they depend on each other; they are stopped in the reverse order. */
class Mesh {
  readonly #options: MeshOptions;
  #place: MeshPlace;
  readonly #metrics: Metrics;
  readonly #keys: KeyStore;
  readonly #trust: ToldTrust;
  readonly #ownKeys = new OwnKeys(() => performance.now());
  readonly #stops: (() => Promise<void> | void)[] = [];
  #tracing: Tracing = NO_TRACING;
  #policies: Policies | undefined;
  #budgets: OpenedBudgets | undefined;
  #upkeep: Upkeep | undefined;
  #envoy: EnvoySupervisor | undefined;
  #admin: AdminServer | undefined;
  #envoyVersion = '';
  #activeCalls: () => number = () => 0;
  #ready = false;
  /** What is wrong though calls go on: the last change that could not be applied. */
  #problems: readonly string[] = [];

  constructor(options: MeshOptions) {
    this.#options = options;
    this.#place = placeOf(options.stateDir, options.environment);
    this.#trust = new ToldTrust(options.trust, this.#place.trustedCaFile);
    this.#stops.push(() => options.feed.stop());
    this.#metrics = createMetrics(
      {
        accounts: () => this.#budgets?.budgets.views().filter(({ limit }) => this.#isBudget(limit)) ?? [],
        providerType: (provider) => this.#providerType(provider),
        ready: () => this.#ready,
        stateFolder: () => stateFolderUse(options.stateDir),
        ...(options.ledger === undefined ? {} : { ledgerMessages: () => options.ledger?.traffic() ?? {} }),
      },
      VERSION,
    );
    this.#keys = new KeyStore(
      options.environment,
      () => performance.now(),
      (ref) => this.#metrics.keyRejected(ref),
    );
  }

  async start(): Promise<void> {
    const options = this.#options;
    const providerType = (provider: string): ProviderType | undefined => this.#providerType(provider);
    this.#tracing = await createTracing({ environment: options.environment, version: VERSION, providerType });
    this.#stops.push(() => this.#tracing.close());
    requireOwn(options.stateDir);
    // An Envoy that a former process left goes on until it is taken over, and does not stay where it cannot be.
    this.#stops.push(() => leaveNone(options.stateDir, this.#place.envoyFolder));
    if (options.envoy === undefined) await leaveNone(options.stateDir, this.#place.envoyFolder);
    await requireFree([...options.listeners, { ...options.admin, option: '--admin' }], envoyIn(this.#place.envoyFolder));
    // Asking a binary for its version takes a fifth of a second, in which the rest is opened; what is wrong with it is told below.
    const found = this.#findEnvoy();
    found.catch(() => undefined);
    this.#policies = await this.#options.feed.first();
    this.#applyKeys(this.#policies);
    this.#followTrust(this.#policies);
    await this.#openBudgets(this.#policies);
    this.#watchBatches(this.#requireBudgets());
    // Of whoever has the state folder, which is this process from here on.
    this.#place = { ...this.#place, socketFolder: openSocketFolder(options.stateDir) };
    this.#stops.push(() => rmSync(this.#place.socketFolder, { recursive: true, force: true }));
    await this.#serveEnvoy();
    const binary = await found;
    options.interruption?.throwIfAborted();
    if (binary !== undefined) await this.#startEnvoy(binary, this.#policies);
    await this.#startAdmin();
    this.#stops.push(
      options.feed.follow({
        apply: (policies) => this.#apply(policies),
        refuse: (errors) => this.#refuse(errors),
        keys: () => this.#keys.health(),
        ownKeysFor: () => this.#ownKeys.hosts(),
      }),
    );
    options.interruption?.throwIfAborted();
  }

  /** Authorities of others come and go without policies. */
  #followTrust(policies: Policies): void {
    const { trust, logger } = this.#options;
    this.#trust.tell(policies);
    if (trust?.others === undefined) return;
    const look = (): void => {
      try {
        if (this.#trust.tell(this.#requirePolicies())) logger.info('trust.changed', {});
      } catch (error) {
        logger.error('trust.failed', { error: messageOf(error) });
      }
    };
    const timer = setInterval(look, TRUST_LOOK_MS);
    this.#stops.push(() => clearInterval(timer));
  }

  /** For what may last: the other steps are short, and are waited for, so that what they made can be undone. */
  async #unlessInterrupted<Value>(work: Promise<Value>): Promise<Value> {
    const { interruption } = this.#options;
    const { promise: interrupted, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => reject(interruption?.reason);
    interruption?.addEventListener('abort', giveUp);
    if (interruption?.aborted === true) giveUp();
    try {
      return await Promise.race([work, interrupted]);
    } finally {
      interruption?.removeEventListener('abort', giveUp);
    }
  }

  running(): RunningMesh {
    return {
      policies: this.#requirePolicies(),
      keys: this.#keys.health(),
      envoyVersion: this.#envoyVersion,
      admin: this.#admin ?? this.#options.admin,
      stop: () => this.stop(),
    };
  }

  /** In the reverse order of the start. What fails to stop does not keep the rest from stopping. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) {
      try {
        await stop();
      } catch (error) {
        this.#options.logger.error('mesh.stop_failed', { error: messageOf(error) });
      }
    }
  }

  async #openBudgets(policies: Policies): Promise<void> {
    const { logger, stateDir, ledger } = this.#options;
    const opened = await openBudgets({
      folder: stateDir,
      clock: systemClock,
      limits: limitsOf(policies.snapshots.values()),
      ...(ledger === undefined ? {} : { leasedFrom: ledger.leasedFrom }),
      events: tellOfBudgets(logger, this.#metrics, (limit) => [...(this.#policies?.snapshots.values() ?? [])].some((snapshot) => usdLimits(snapshot)(limit))),
    });
    this.#budgets = opened;
    this.#stops.push(() => opened.close(), ...(ledger === undefined ? [] : [() => ledger.close(), ledger.deliver(opened.outbox)]));
    for (const warning of opened.warnings) logger.error('ledger.damaged', { warning });
    this.#upkeep = new Upkeep({ opened, use: () => stateFolderUse(stateDir), delivers: ledger !== undefined, logger });
    this.#stops.push(() => this.#upkeep?.stop());
  }

  /** The binary to run, if any. */
  async #findEnvoy(): Promise<string | undefined> {
    const { envoy, environment, logger } = this.#options;
    if (envoy === undefined) return undefined;
    const found = await this.#unlessInterrupted(ensureEnvoy({ ...envoy, environment, onStep: (message) => logger.info('envoy.install', { message }) }));
    this.#envoyVersion = found.version;
    return found.path;
  }

  #watchBatches(opened: OpenedBudgets): void {
    const { logger } = this.#options;
    const observer = createCallObserver(this.#metrics, logger, this.#tracing);
    const watch = watchBatches(opened, { trustedCaFile: this.#place.trustedCaFile, policies: () => this.#policies, keys: this.#keys, observer, logger });
    this.#stops.push(() => watch.stop());
  }

  async #serveEnvoy(): Promise<void> {
    const ports: CallPorts = {
      snapshots: { current: (workload) => snapshotFor(workload, this.#policies) },
      keys: this.#keys,
      budgets: this.#requireBudgets().budgets,
      state: this.#requireBudgets().objects,
      answers: new AnswerMemory(() => performance.now()),
      health: new ProviderHealth(
        () => performance.now(),
        (event) => tellOfProvider(event, this.#options.logger, this.#metrics),
      ),
      merging: new Merging(() => performance.now(), afterMs),
      clock: systemClock,
      observer: createCallObserver(this.#metrics, this.#options.logger, this.#tracing),
      random: Math.random,
      newId: newCallId,
    };
    const { serve, envoy, logger, whose, environment } = this.#options;
    const baseUrl = (provider: string): ProviderUrl | undefined => this.#policies?.providers.get(provider)?.policy.baseUrl;
    const onOwnKey = (provider: string): void => {
      const host = baseUrl(provider)?.host;
      if (host !== undefined) this.#ownKeys.saw(host);
    };
    const own = envoy === undefined ? undefined : processorSocket(this.#place);
    const at = { own, others: serve, isPlain: (provider: string) => baseUrl(provider)?.tls === false };
    const served = await serveAll(at, ports, openRoom(environment), logger, { ...whose, onOwnKey });
    this.#activeCalls = () => served.active();
    this.#stops.push(() => served.leave());
  }

  async #startEnvoy(binary: string, policies: Policies): Promise<void> {
    const envoy = new EnvoySupervisor({
      binary,
      folder: this.#place.envoyFolder,
      adminSocket: adminSocket(this.#place),
      concurrency: this.#options.envoy?.concurrency,
      onEvent: (event) => tellOfEnvoy(event, this.#options.logger, this.#metrics),
    });
    this.#envoy = envoy;
    this.#stops.push(() => envoy.stop(DRAIN_MS, this.#activeCalls));
    await envoy.start(this.#render([policies]));
    const readiness = await this.#unlessInterrupted(envoy.whenReady(READY_WITHIN_MS));
    if (!readiness.ready) throw new StartError(`Envoy did not become ready: ${readiness.reason}.`, 'Its log lines above say more.');
    this.#ready = true;
    this.#metrics.snapshotApplied(Date.now());
  }

  async #startAdmin(): Promise<void> {
    const { admin: at, isAdminShared, logger } = this.#options;
    // Beside an application there is no page, and nothing of it is loaded.
    const ui = isAdminShared === true ? undefined : await import('../../shell/ui/index.ts');
    const admin = await startAdminServer({
      ...at,
      logger,
      sources: {
        healthy: () => true,
        readiness: () => this.#readiness(),
        metrics: async () => {
          // What `airmesh_ready` says must be as of now, whether or not anybody asks /readyz.
          await this.#readiness();
          return this.#metrics.render();
        },
        ...(ui === undefined
          ? {}
          : {
              spend: (parameters: ReadonlyMap<string, string>) => answerSpend(this.#spending, parameters),
              records: (parameters: ReadonlyMap<string, string>) => answerRecords(this.#spending, parameters),
              dashboard: ui.dashboardOf({ version: VERSION, spending: this.#spending, readiness: () => this.#readiness(), now: () => systemClock.epochMs() }),
              configuration: () => Object.fromEntries([...this.#requirePolicies().snapshots].map(([id, snapshot]) => [id, describeSnapshot(snapshot)])),
            }),
      },
    });
    this.#admin = admin;
    this.#stops.push(() => admin.stop());
  }

  async #readiness(): Promise<Readiness> {
    const envoy = await this.#present();
    this.#ready = envoy.ready;
    const { ledger, feed } = this.#options;
    const present = [this.#budgets?.budgets.problem() ?? this.#upkeep?.problem(), ledger?.problem(), feed.problem?.()];
    const problems = [...this.#problems, ...present.filter((problem) => problem !== undefined)];
    return readinessOf(envoy, this.#requirePolicies(), this.#keys.health(), problems);
  }

  async #present(): Promise<EnvoyReadiness> {
    const { feed, envoy } = this.#options;
    const absence = feed.absence?.();
    if (absence !== undefined) return { ready: false, reason: absence };
    if (envoy === undefined) return { ready: true };
    return (await this.#envoy?.readiness()) ?? { ready: false, reason: 'Envoy is not started' };
  }

  /** What people may ask of the books. */
  get #spending(): SpendSource {
    const { budgets } = this.#requireBudgets();
    return {
      spend: (query) => budgets.spend(query),
      records: (query) => budgets.records(query),
      views: () => budgets.views().filter(({ limit }) => this.#isBudget(limit)),
      cnyPerUsdNano: usdToNano(DEFAULT_CNY_PER_USD),
    };
  }

  /** Makes before it breaks: Envoy knows new providers before a call is sent to them, and forgets old ones when no call is any more. */
  async #apply(policies: Policies): Promise<readonly string[] | undefined> {
    const former = this.#requirePolicies();
    // Before a certificate of a new root is shown, so that whoever starts meanwhile knows it.
    this.#trust.tell(policies);
    const refused = (await this.#configureEnvoy([former, policies])) ?? this.#configureBudgets(policies);
    if (refused !== undefined) {
      await this.#configureEnvoy([former]);
      this.#refuse(refused);
      return refused;
    }
    this.#applyKeys(policies);
    this.#policies = policies;
    await this.#configureEnvoy([policies]);
    this.#problems = [];
    this.#metrics.snapshotApplied(Date.now());
    return undefined;
  }

  /** Why Envoy does not run the configuration of these policies; `undefined`: it does. */
  async #configureEnvoy(policies: readonly Policies[]): Promise<readonly string[] | undefined> {
    await this.#envoy?.apply(this.#render(policies));
    const readiness = await this.#envoy?.whenReady(APPLIED_WITHIN_MS);
    return readiness === undefined || readiness.ready ? undefined : [readiness.reason];
  }

  #configureBudgets(policies: Policies): readonly string[] | undefined {
    const limits = this.#requireBudgets().budgets.configure(limitsOf(policies.snapshots.values()));
    return limits.ok ? undefined : limits.error.map(({ limit, field, message }) => `AIBudget ${limit} ${field}: ${message}`);
  }

  #refuse(errors: readonly string[]): void {
    this.#problems = errors.map((error) => `the last change was not applied: ${error}`);
    this.#metrics.snapshotRejected();
    for (const error of errors) this.#options.logger.error('snapshot.rejected', { finding: error });
  }

  #applyKeys(policies: Policies): void {
    const declared = [...policies.providers].flatMap(([id, { key }]) => (key === undefined ? [] : [[id, key] as const]));
    this.#keys.configure(new Map(declared));
    for (const { ref, usable, reason } of this.#keys.health()) if (!usable) this.#options.logger.error('key.unusable', { provider: ref, reason });
  }

  #render(policies: readonly Policies[]): ReturnType<typeof renderEnvoy> {
    const { listeners, redirected, whose } = this.#options;
    return renderEnvoy(envoySettings(policies, listeners, this.#place, { redirected, credentials: whose?.credentialHeaders }));
  }

  #providerType(provider: string): ProviderType | undefined {
    return this.#policies?.providers.get(provider)?.policy.type;
  }

  #isBudget(limit: string): boolean {
    return [...(this.#policies?.snapshots.values() ?? [])].some(({ budgets }) => budgets.some(({ id }) => id === limit));
  }

  #requirePolicies(): Policies {
    if (this.#policies === undefined) throw new Error('policies are not loaded yet');
    return this.#policies;
  }

  #requireBudgets(): OpenedBudgets {
    if (this.#budgets === undefined) throw new Error('budgets are not open yet');
    return this.#budgets;
  }
}
