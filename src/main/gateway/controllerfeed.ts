import { setTimeout as delay } from 'node:timers/promises';
import { EVERYONE } from '../../core/control/index.ts';
import type { SidecarState } from '../../core/control/index.ts';
import { workloadId } from '../../core/policy/index.ts';
import type { KnownWorkload, Workload } from '../../core/policy/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { GatewayLink, MAX_ENTRIES } from '../../shell/distribution/index.ts';
import type { BadGatewayState, GatewayReport, ToGateway } from '../../shell/distribution/index.ts';
import type { Unmet } from '../../shell/gateway/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import type { TokenAccess } from '../../shell/wire/index.ts';
import { systemClock } from '../mesh/clock.ts';
import type { Policies, PolicyFeed, PolicyListener } from '../mesh/feed.ts';
import { messageOf } from '../mesh/message-of.ts';
import { NO_POLICIES } from '../sidecar/policies.ts';
import { VERSION } from '../version.ts';
import { RecentCallers, isSameCaller, policiesOfAll } from './served.ts';

/** More than a cluster's workloads that have no sidecar. */
const MAX_WORKLOADS = 10_000;
/** For a new caller's policies: a plan is made of a whole cluster, and an Envoy may have a new provider to look up. */
const MEET_WITHIN_MS = 8_000;
/** Who was denied is not asked for again sooner. */
const DENIED_MS = 5_000;
/** A reason is for people, and a message has its limits. */
const MAX_REASON = 2_000;

export interface GatewayControllers {
  /** `host:port` */
  readonly addresses: readonly string[];
  readonly access: TokenAccess;
}

/** Of the state that is all callers'. */
const COMMON = workloadId(EVERYONE);

type Met = Result<true, Unmet>;

/** Policies of those who call, from a controller: each workload's from its first call on, and newer ones as they come. */
export class CallersFeed implements PolicyFeed {
  readonly #controllers: GatewayControllers;
  readonly #logger: Logger;
  readonly #callers = new RecentCallers(MAX_WORKLOADS);
  /** In force, by workload. */
  readonly #applied = new Map<string, SidecarState>();
  /** Still to be applied; `undefined`: to be forgotten. */
  readonly #next = new Map<string, SidecarState | undefined>();
  readonly #denied = new Map<string, { readonly reason: string; readonly until: number }>();
  readonly #waiting = new Map<string, PromiseWithResolvers<Met>>();
  #link: GatewayLink | undefined;
  #listener: PolicyListener | undefined;
  #isApplying = false;

  constructor(controllers: GatewayControllers, logger: Logger) {
    this.#controllers = controllers;
    this.#logger = logger;
  }

  async first(): Promise<Policies> {
    this.#link = new GatewayLink({
      ...this.#controllers,
      clock: systemClock,
      onConnected: () => {
        this.#logger.info('controller.connected', { to: this.#link?.state.connected?.to });
        return reportsOf(this.#callers.all());
      },
      onAnswer: (answer) => this.#heard(answer),
    });
    return NO_POLICIES;
  }

  follow(listener: PolicyListener): () => void {
    this.#listener = listener;
    void this.#apply();
    return () => (this.#listener = undefined);
  }

  stop(): void {
    this.#link?.close();
  }

  absence(): string | undefined {
    if (this.#applied.has(COMMON)) return undefined;
    const lastError = this.#link?.state.lastError?.message;
    return `no policies have come from a controller yet${lastError === undefined ? '' : `: ${lastError}`}`;
  }

  problem(): string | undefined {
    if (this.#link === undefined || this.#link.state.connected !== undefined) return undefined;
    const lastError = this.#link.state.lastError?.message;
    return `no controller is connected, so policies stay as they are, and new callers are refused${lastError === undefined ? '' : `: ${lastError}`}`;
  }

  /** Resolves when there are policies for it, or none can be. */
  async meet(workload: KnownWorkload): Promise<Met> {
    const id = workloadId(workload);
    const before = this.#callers.get(id);
    const gone = this.#callers.called(workload);
    if (gone !== undefined) this.#forget(gone);
    const isSame = before !== undefined && isSameCaller(before, workload);
    if (isSame && this.#applied.has(id)) return ok(true);
    const denied = this.#denied.get(id);
    if (isSame && denied !== undefined && denied.until > systemClock.monotonicMs()) return err({ kind: 'denied', message: denied.reason });
    // What it had before goes on until its labels' policies are there.
    const isUnderWay = this.#waiting.has(id);
    const waiting = this.#waiting.get(id) ?? Promise.withResolvers<Met>();
    this.#waiting.set(id, waiting);
    if (!isUnderWay || !isSame) this.#say({ callers: [workload] });
    const late = delay(MEET_WITHIN_MS, undefined, { ref: false }).then((): Met =>
      this.#applied.has(id) ? ok(true) : err({ kind: 'unavailable', message: this.#lateness() }),
    );
    return Promise.race([waiting.promise, late]);
  }

  #lateness(): string {
    return this.#link?.state.connected === undefined
      ? 'The gateway has no policies of this workload, and no controller to ask. Try again.'
      : 'The policies of this workload have not come in time. Try again.';
  }

  #heard(answer: ToGateway | BadGatewayState): void {
    switch (answer.kind) {
      case 'state': {
        const { state } = answer;
        const { controllerRoots, snapshot } = state;
        if (controllerRoots !== undefined) this.#controllers.access.roots.pem = controllerRoots;
        const id = workloadId(snapshot.workload);
        // Whoever was forgotten meanwhile has no policies any more.
        if (id !== COMMON && this.#callers.get(id) === undefined) return;
        this.#next.set(id, state);
        return void this.#apply();
      }
      case 'denial':
        return this.#deny(answer.workload, answer.reason);
      case 'bad':
        this.#listener?.refuse([answer.reason]);
        return this.#refuse(answer.workload, answer.version, answer.reason);
    }
  }

  #deny(workload: Workload, reason: string): void {
    const id = workloadId(workload);
    this.#denied.set(id, { reason, until: systemClock.monotonicMs() + DENIED_MS });
    this.#logger.info('caller.denied', { workload: id, reason });
    this.#settle(id, err({ kind: 'denied', message: reason }));
    this.#next.delete(id);
    if (!this.#applied.has(id)) return;
    // Its keys go at once.
    this.#next.set(id, undefined);
    void this.#apply();
  }

  #forget(workload: Workload): void {
    const id = workloadId(workload);
    this.#say({ left: [{ namespace: workload.namespace, name: workload.name }] });
    this.#denied.delete(id);
    this.#next.set(id, undefined);
    void this.#apply();
  }

  /** All that came meanwhile at once; where that cannot be, one after the other, so that one that is bad keeps no other from its own. */
  async #apply(): Promise<void> {
    if (this.#isApplying) return;
    this.#isApplying = true;
    while (this.#next.size > 0 && this.#listener !== undefined) {
      const batch = new Map(this.#next);
      this.#next.clear();
      const refused = await this.#try(batch);
      if (refused === undefined) continue;
      for (const [id, state] of batch) {
        const why = batch.size === 1 ? refused : await this.#try(new Map([[id, state]]));
        if (why !== undefined && state !== undefined) this.#refuse(state.snapshot.workload, state.version, why.join('; '));
      }
    }
    this.#isApplying = false;
  }

  async #try(batch: ReadonlyMap<string, SidecarState | undefined>): Promise<readonly string[] | undefined> {
    const wanted = new Map<string, SidecarState>(this.#applied);
    for (const [id, state] of batch)
      if (state === undefined) wanted.delete(id);
      else wanted.set(id, state);
    const common = wanted.get(COMMON);
    wanted.delete(COMMON);
    const refused = await this.#listener?.apply(policiesOfAll(common, wanted.values())).catch((error: unknown) => [messageOf(error)]);
    if (refused !== undefined) return refused;
    for (const [id, state] of batch) {
      if (state === undefined) this.#applied.delete(id);
      else this.#isApplied(id, state);
    }
    return undefined;
  }

  #isApplied(id: string, state: SidecarState): void {
    this.#applied.set(id, state);
    this.#denied.delete(id);
    this.#logger.info('state.applied', { workload: id, version: state.version });
    this.#say({ outcomes: [{ workload: state.snapshot.workload, version: state.version }] });
    this.#settle(id, ok(true));
  }

  #refuse(workload: Workload, version: string, reason: string): void {
    const refused = reason.slice(0, MAX_REASON);
    this.#logger.error('state.refused', { workload: workloadId(workload), version, reason: refused });
    this.#say({ outcomes: [{ workload, version, refused }] });
    this.#settle(workloadId(workload), err({ kind: 'unavailable', message: 'The policies of this workload cannot be applied; the gateway’s log says why.' }));
  }

  #settle(id: string, outcome: Met): void {
    this.#waiting.get(id)?.resolve(outcome);
    this.#waiting.delete(id);
  }

  #say(report: Partial<GatewayReport>): void {
    this.#link?.say({ ...NOTHING, ...report });
  }
}

const NOTHING: GatewayReport = { program: VERSION, callers: [], left: [], outcomes: [] };

/** The first names nobody where nobody has called: it is how a stream begins. */
function reportsOf(callers: readonly KnownWorkload[]): readonly GatewayReport[] {
  const reports: GatewayReport[] = [];
  for (let from = 0; from === 0 || from < callers.length; from += MAX_ENTRIES) reports.push({ ...NOTHING, callers: callers.slice(from, from + MAX_ENTRIES) });
  return reports;
}
