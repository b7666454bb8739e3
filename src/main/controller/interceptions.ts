import { setTimeout as delay } from 'node:timers/promises';
import { interceptionOf, servicesOf, snapshotsBesideSidecars, wantedHosts } from '../../core/control/index.ts';
import type { Draft, Interceptions, InterceptionSettings } from '../../core/control/index.ts';
import type { WorkloadSnapshot } from '../../core/policy/index.ts';
import { LeafBook } from '../../shell/certs/index.ts';
import type { Authority } from '../../shell/certs/index.ts';
import type { Services } from '../../shell/kube/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { systemClock } from '../mesh/clock.ts';

/** Not asked for sooner after what failed, nor later, as clocks are set. */
const [LEAST_WAIT_MS, LONGEST_WAIT_MS] = [30_000, 3_600_000];

/** A plan waits no longer to learn where services are; what comes later makes another. */
const ADDRESSES_WITHIN_MS = 2_000;

export interface InterceptionParts {
  readonly authority: Authority;
  readonly settings: InterceptionSettings;
  /** Where the cluster's services are; absent where nobody need know. */
  readonly services: Services | undefined;
  /** What was given is to be asked for again. */
  readonly onDue: () => void;
  readonly logger: Logger;
}

/** Whose calls each workload's sidecars take in, with certificates for them. */
export class InterceptionIssuer {
  readonly #authority: Authority;
  readonly #settings: InterceptionSettings;
  readonly #services: Services | undefined;
  /** Services that are known not to be readable: told once. */
  readonly #unknown = new Set<string>();
  readonly #leaves: LeafBook;
  readonly #onDue: () => void;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  /** It was when it was opened. */
  #tendedAt = systemClock.monotonicMs();

  constructor({ authority, settings, services, onDue, logger }: InterceptionParts) {
    this.#authority = authority;
    this.#settings = settings;
    this.#services = services;
    this.#onDue = onDue;
    this.#logger = logger;
    this.#leaves = new LeafBook({ authority, now: () => systemClock.epochMs(), chance: Math.random });
  }

  async of(draft: Draft): Promise<Interceptions> {
    await this.#tend();
    const served = [...snapshotsBesideSidecars(draft)];
    const settings = await this.#withAddresses(served.map(([, snapshot]) => snapshot));
    const wanted = new Map(
      served.map(([workload, snapshot]) => [
        workload,
        wantedHosts(snapshot, settings)
          .filter(({ takesLeaf }) => takesLeaf)
          .map(({ host }) => host),
      ]),
    );
    const { of, faults, dueAt } = await this.#leaves.tend(wanted);
    for (const { host, reason } of faults) this.#logger.error('leaf.failed', { host, reason });
    this.#schedule(faults.length > 0 ? 0 : (dueAt ?? Infinity));
    const roots = this.#authority.bundle();
    return new Map(served.map(([workload, snapshot]) => [workload, interceptionOf(snapshot, of.get(workload) ?? new Map(), roots, settings)]));
  }

  async #withAddresses(snapshots: readonly WorkloadSnapshot[]): Promise<InterceptionSettings> {
    const services = this.#services;
    if (services === undefined) return this.#settings;
    services.follow(servicesOf(snapshots, this.#settings.clusterDomain));
    await Promise.race([services.settled(), delay(ADDRESSES_WITHIN_MS, undefined, { ref: false })]);
    const faults = services.faults();
    for (const service of this.#unknown) if (!faults.has(service)) this.#unknown.delete(service);
    for (const [service, { message }] of faults) {
      if (this.#unknown.has(service)) continue;
      this.#unknown.add(service);
      // Until then it can be called by its address under another name.
      this.#logger.error('addresses.unknown', { service, error: message });
    }
    return { ...this.#settings, addresses: services.addresses() };
  }

  /** Seldom: it asks the API server, and a plan need not wait for that. */
  async #tend(): Promise<void> {
    const now = systemClock.monotonicMs();
    if (now - this.#tendedAt < LONGEST_WAIT_MS) return;
    this.#tendedAt = now;
    const tended = await this.#authority.tend();
    if (!tended.ok) this.#logger.error('authority.failed', { where: tended.error.where, reason: tended.error.reason });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#services?.close();
  }

  #schedule(dueAt: number): void {
    clearTimeout(this.#timer);
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(LEAST_WAIT_MS, dueAt - systemClock.epochMs()));
    this.#timer = setTimeout(() => this.#onDue(), waitMs).unref();
  }
}
