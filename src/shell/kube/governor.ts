import { setTimeout as delay } from 'node:timers/promises';
import { NO_PLAN, draftOf, differenceOf, findingsWith, labelOf, observe, planOf, reachOf, readPod, statusOf, SIDECAR_LABEL } from '../../core/control/index.ts';
import type {
  CustomObject,
  Draft,
  GatewayPlan,
  Interceptions,
  Observed,
  Plan,
  PlanSettings,
  PodFacts,
  PodObject,
  SidecarState,
  SidecarView,
  Status,
} from '../../core/control/index.ts';
import type { AccountView } from '../../core/ledger/index.ts';
import type { Kind, KnownWorkload, Labels } from '../../core/policy/index.ts';
import type { EpochMs, MonotonicMs } from '../../core/units/index.ts';
import { messageOf } from './apiserver.ts';
import { EventWriter } from './eventwriter.ts';
import { Informer } from './informer.ts';
import type { InformerParts } from './informer.ts';
import { LivePods } from './livepods.ts';
import type { Cluster } from './open.ts';
import { paths } from './paths.ts';
import { Secrets } from './secrets.ts';
import { StatusWriter } from './statuswriter.ts';

/** To sidecars: what they are given, and what they say. */
export interface Streams {
  /** All states there are; and apart from them, what gateways may be given. */
  publish(states: ReadonlyMap<string, SidecarState>, gateways: GatewayPlan): void;
  views(): readonly SidecarView[];
  /** Workloads that call by gateways. */
  callers(): readonly KnownWorkload[];
}

export type GovernorEvent =
  | { readonly kind: 'planned'; readonly resources: number; readonly workloads: number; readonly durationMs: number }
  /** Something cannot be watched; the last known stands. Told once, until it can. */
  | { readonly kind: 'watch_failed'; readonly path: string; readonly message: string }
  | { readonly kind: 'watch_mended'; readonly path: string }
  | { readonly kind: 'status_failed'; readonly resource: string; readonly message: string }
  | { readonly kind: 'event_failed'; readonly message: string }
  /** A bug: facts from which no plan could be made. The last one stands. */
  | { readonly kind: 'plan_failed'; readonly message: string };

export interface GovernorParts {
  readonly cluster: Cluster;
  /** Those that are governed, besides the root namespace; all, if none are named. */
  readonly namespaces: readonly string[] | undefined;
  readonly settings: PlanSettings;
  readonly streams: Streams;
  /** Whose calls sidecars take in; certificates for it are issued here. What it rejects with leaves the plan of before in force. */
  readonly intercept: (draft: Draft) => Promise<Interceptions>;
  /** What is in force now, for the ledger. */
  readonly onPlan: (plan: Plan) => void;
  /** A pod is not there any more: nobody may go on in its name. */
  readonly onGone: (pod: PodFacts) => void;
  /** Whether a pod governs others' calls, and is no workload that needs policies; none does, if nothing is said. */
  readonly isGateway?: (pod: PodFacts) => boolean;
  /** Of budgets; `undefined` where the ledger is not led here. */
  readonly accounts: () => readonly AccountView[] | undefined;
  /** Whether this process is the one that writes. */
  readonly mayWrite: () => boolean;
  readonly identity: string;
  readonly clock: { epochMs(): EpochMs; monotonicMs(): MonotonicMs };
  readonly random: () => number;
  readonly tell: (event: GovernorEvent) => void;
}

/** Changes that come together are one. */
const COALESCE_MS: MonotonicMs = 25;
/** A new provider's Secret is waited for so long, lest sidecars get it without its key first. */
const SECRETS_WITHIN_MS: MonotonicMs = 2_000;
/** Statuses are made no more often than that; and that often at least, as accounts move by themselves. */
const REPORT_MS: MonotonicMs = 250;
const LOOK_MS: MonotonicMs = 2_000;
/** Pods that no informer knows are asked for so often. */
const PODS_LOOK_MS: MonotonicMs = 10_000;

const KINDS = ['AIProvider', 'AIRoute', 'AIBudget'] as const;

interface Namespace {
  readonly name: string;
  readonly labels: Labels;
}

/** One event loop for a cluster: coalesce, plan, publish; and then, where this process is the one that writes, statuses. */
export class Governor {
  readonly #parts: GovernorParts;
  readonly #resources: readonly Informer<Observed>[];
  readonly #pods: readonly Informer<PodFacts>[];
  readonly #namespaces: readonly Informer<Namespace>[];
  readonly #secrets: Secrets;
  readonly #writer: StatusWriter;
  readonly #watched = new Map<string, Pick<Informer<unknown>, 'fault' | 'isSynced' | 'close'>>();
  readonly #failing = new Set<string>();
  readonly #living: LivePods;
  #plan: (Pick<Plan, 'keys' | 'editions'> & Partial<Plan>) | undefined;
  #planning = false;
  #isStale = false;
  #planTimer: NodeJS.Timeout | undefined;
  #reportTimer: NodeJS.Timeout | undefined;
  #podsTimer: NodeJS.Timeout | undefined;
  readonly #lookTimer: NodeJS.Timeout;
  #podsLookTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: GovernorParts) {
    this.#parts = parts;
    const { cluster, settings, clock, identity, mayWrite, tell } = parts;
    const scopes = parts.namespaces === undefined ? [undefined] : [...new Set([settings.rootNamespace, ...parts.namespaces])];
    this.#resources = scopes.flatMap((namespace) =>
      KINDS.map((kind: Kind) =>
        this.#inform({
          path: paths.custom(kind, namespace),
          read: (object) => observe(kind, object as CustomObject),
          signature: ({ uid, generation }) => `${uid}/${generation}`,
        }),
      ),
    );
    this.#pods = scopes.map((namespace) =>
      this.#inform({
        path: paths.core('pods', namespace),
        labelSelector: SIDECAR_LABEL,
        read: (object) => readPod(object as PodObject),
        signature: JSON.stringify,
        onChange: () => this.#tendPods(),
      }),
    );
    this.#living = new LivePods({
      api: cluster.api,
      watched: () => this.#pods.flatMap((informer) => informer.items()),
      connected: () => new Set(parts.streams.views().map(({ pod }) => pod.uid)),
      onGone: parts.onGone,
    });
    this.#namespaces = scopes.map((namespace) =>
      this.#inform({
        path: paths.namespaces(),
        ...(namespace === undefined ? {} : { fieldSelector: `metadata.name=${namespace}` }),
        read: readNamespace,
        signature: JSON.stringify,
      }),
    );
    this.#secrets = new Secrets(cluster, () => this.#changed(), parts.random);
    this.#writer = new StatusWriter({
      api: cluster.api,
      events: new EventWriter({ api: cluster.api, identity, clock, onFault: (message) => tell({ kind: 'event_failed', message }) }),
      now: () => clock.monotonicMs(),
      mayWrite,
      onFault: (resource, message) => tell({ kind: 'status_failed', resource, message }),
    });
    this.#lookTimer = setInterval(() => this.#report(), LOOK_MS).unref();
    this.#lookForPodsLater();
  }

  /** What is in force; `undefined` before all is known. */
  get plan(): Plan | undefined {
    return this.#plan?.states === undefined ? undefined : (this.#plan as Plan);
  }

  /** Why it cannot go by what there is now. */
  get faults(): readonly string[] {
    const failing = [...this.#watched].flatMap(([path, { fault }]) => (fault === undefined ? [] : [`${path} cannot be watched: ${fault.message}`]));
    const waiting = [...this.#watched].filter(([, { isSynced, fault }]) => !isSynced && fault === undefined).map(([path]) => `${path} is not known yet`);
    return [...failing, ...waiting];
  }

  /** A pod by its uid, as far as it is known. */
  pod(uid: string): PodFacts | undefined {
    return this.#living.byUid(uid);
  }

  /** A pod that proved who it is, and that the informer may not know yet, or ever: one in another mesh, say. */
  meet(pod: PodFacts): void {
    if (!this.#living.meet(pod)) return;
    this.#tendPods();
    this.#changed();
  }

  /** What `intercept` gives has changed: a certificate is due. Or somebody calls by a gateway who did not. */
  renew(): void {
    this.#changed();
  }

  /** Sidecars have said something. */
  heard(): void {
    this.#scheduleReport();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#planTimer);
    clearTimeout(this.#reportTimer);
    clearTimeout(this.#podsTimer);
    clearInterval(this.#lookTimer);
    clearTimeout(this.#podsLookTimer);
    for (const informer of this.#watched.values()) informer.close();
    this.#secrets.close();
    this.#writer.close();
  }

  #inform<T>({
    onChange = () => undefined,
    ...what
  }: Pick<InformerParts<T>, 'path' | 'labelSelector' | 'fieldSelector' | 'read' | 'signature'> & Partial<Pick<InformerParts<T>, 'onChange'>>): Informer<T> {
    const { cluster, random } = this.#parts;
    const key = `${what.path}${what.fieldSelector === undefined ? '' : `?${what.fieldSelector}`}`;
    const noticed = (): void => {
      onChange();
      this.#noticed(key);
    };
    const informer = new Informer<T>({ ...what, cluster, onChange: noticed, random });
    this.#watched.set(key, informer);
    return informer;
  }

  #noticed(path: string): void {
    const fault = this.#watched.get(path)?.fault;
    if (fault !== undefined && !this.#failing.has(path)) {
      this.#failing.add(path);
      this.#parts.tell({ kind: 'watch_failed', path, message: fault.message });
    }
    if (fault === undefined && this.#failing.delete(path)) this.#parts.tell({ kind: 'watch_mended', path });
    this.#changed();
  }

  #changed(): void {
    this.#isStale = true;
    if (this.#planning || this.#isClosed) return;
    this.#planTimer ??= setTimeout(() => {
      this.#planTimer = undefined;
      void this.#renew();
    }, COALESCE_MS);
  }

  async #renew(): Promise<void> {
    if (![...this.#watched.values()].every(({ isSynced }) => isSynced)) return;
    this.#planning = true;
    this.#isStale = false;
    try {
      const resources = this.#resources.flatMap((informer) => informer.items());
      this.#secrets.follow(secretsOf(resources));
      await Promise.race([this.#secrets.settled(), delay(SECRETS_WITHIN_MS, undefined, { ref: false })]);
      if (!this.#isClosed) await this.#take();
    } catch (error) {
      this.#parts.tell({ kind: 'plan_failed', message: messageOf(error) });
    } finally {
      this.#planning = false;
      if (this.#isStale) this.#changed();
    }
  }

  async #take(): Promise<void> {
    const { settings, clock, streams, intercept, onPlan, tell } = this.#parts;
    const began = clock.monotonicMs();
    const resources = this.#resources.flatMap((informer) => informer.items());
    const facts = {
      resources,
      namespaces: new Map(this.#namespaces.flatMap((informer) => informer.items()).map(({ name, labels }) => [name, labels])),
      pods: this.#living.all().filter((pod) => this.#parts.isGateway?.(pod) !== true),
      callers: streams.callers(),
      secrets: (namespace: string, name: string) => this.#secrets.lookUp(namespace, name),
    };
    const draft = draftOf(facts, settings);
    const interceptions = await intercept(draft);
    const plan = planOf(facts, draft, interceptions, this.#plan ?? NO_PLAN, settings, clock.epochMs());
    this.#plan = plan;
    // The ledger first: a sidecar asks for the limits of its state as soon as it has it.
    onPlan(plan);
    streams.publish(plan.states, plan.gateways);
    tell({ kind: 'planned', resources: resources.length, workloads: plan.workloads.length, durationMs: clock.monotonicMs() - began });
    this.#scheduleReport();
  }

  /** Who is gone is told of at once, whatever a plan waits for. */
  #tendPods(): void {
    if (this.#isClosed) return;
    this.#podsTimer ??= setTimeout(() => {
      this.#podsTimer = undefined;
      if (this.#pods.every(({ isSynced }) => isSynced)) this.#living.tend();
    }, COALESCE_MS);
  }

  /** One round after the other: an API server that does not answer is not asked by several at once. */
  #lookForPodsLater(): void {
    if (this.#isClosed) return;
    this.#podsLookTimer = setTimeout(() => void this.#lookForPods().finally(() => this.#lookForPodsLater()), PODS_LOOK_MS).unref();
  }

  async #lookForPods(): Promise<void> {
    if (!(await this.#living.look())) return;
    this.#tendPods();
    this.#changed();
  }

  #scheduleReport(): void {
    if (this.#isClosed) return;
    this.#reportTimer ??= setTimeout(() => {
      this.#reportTimer = undefined;
      this.#report();
    }, REPORT_MS).unref();
  }

  #report(): void {
    if (!this.#parts.mayWrite()) return;
    const judged = this.statuses();
    if (judged === undefined) return;
    for (const { observed, status } of judged) this.#writer.offer(observed, status, differenceOf(observed.status, status));
    this.#writer.keepOnly(new Set(judged.map(({ observed }) => labelOf(observed))));
  }

  /** What each resource's status is to say now, whoever writes it; `undefined` before all is known. */
  statuses(): readonly { readonly observed: Observed; readonly status: Status }[] | undefined {
    const { plan } = this;
    const { streams, accounts, clock } = this.#parts;
    if (plan === undefined) return undefined;
    const views = streams.views();
    const known = accounts();
    const situation = {
      compiled: plan.compiled,
      findings: findingsWith(plan, views),
      keys: plan.keys,
      reach: reachOf(this.#living.all(), views, plan.editions),
      views,
      accounts: known === undefined ? undefined : Map.groupBy(known, ({ limit }) => limit),
      at: clock.epochMs(),
    };
    return this.#resources.flatMap((informer) => informer.items()).map((observed) => ({ observed, status: statusOf(observed, situation) }));
  }
}

function readNamespace(object: unknown): Namespace {
  const { metadata = {} } = object as { readonly metadata?: { readonly name?: string; readonly labels?: Labels } };
  return { name: metadata.name ?? '', labels: metadata.labels ?? {} };
}

function secretsOf(resources: readonly Observed[]): Set<string> {
  const references = new Set<string>();
  for (const { resource } of resources) {
    const secretRef = resource?.kind === 'AIProvider' ? resource.spec.auth?.apiKey.secretRef : undefined;
    if (resource !== undefined && secretRef !== undefined) references.add(`${resource.metadata.namespace}/${secretRef.name}`);
  }
  return references;
}
