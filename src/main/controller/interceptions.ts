import { interceptionOf, wantedHosts } from '../../core/control/index.ts';
import type { Draft, Interceptions, InterceptionSettings } from '../../core/control/index.ts';
import { LeafBook } from '../../shell/certs/index.ts';
import type { Authority } from '../../shell/certs/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { systemClock } from '../mesh/clock.ts';

/** Not asked for sooner after what failed, nor later, as clocks are set. */
const [LEAST_WAIT_MS, LONGEST_WAIT_MS] = [30_000, 3_600_000];

/** Whose calls each workload's sidecars take in, with certificates for them. */
export class InterceptionIssuer {
  readonly #authority: Authority;
  readonly #settings: InterceptionSettings;
  readonly #leaves: LeafBook;
  readonly #onDue: () => void;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  /** It was when it was opened. */
  #tendedAt = systemClock.monotonicMs();

  /** `onDue`: what was given is to be asked for again. */
  constructor(authority: Authority, settings: InterceptionSettings, onDue: () => void, logger: Logger) {
    this.#authority = authority;
    this.#settings = settings;
    this.#onDue = onDue;
    this.#logger = logger;
    this.#leaves = new LeafBook({ authority, now: () => systemClock.epochMs(), chance: Math.random });
  }

  async of({ compiled, withSidecars }: Draft): Promise<Interceptions> {
    await this.#tend();
    const served = [...compiled.snapshots].filter(([workload]) => withSidecars.has(workload));
    const wanted = new Map(
      served.map(([workload, snapshot]) => [
        workload,
        wantedHosts(snapshot, this.#settings)
          .filter(({ takesLeaf }) => takesLeaf)
          .map(({ host }) => host),
      ]),
    );
    const { of, faults, dueAt } = await this.#leaves.tend(wanted);
    for (const { host, reason } of faults) this.#logger.error('leaf.failed', { host, reason });
    this.#schedule(faults.length > 0 ? 0 : (dueAt ?? Infinity));
    const roots = this.#authority.bundle();
    return new Map(served.map(([workload, snapshot]) => [workload, interceptionOf(snapshot, of.get(workload) ?? new Map(), roots, this.#settings)]));
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
  }

  #schedule(dueAt: number): void {
    clearTimeout(this.#timer);
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(LEAST_WAIT_MS, dueAt - systemClock.epochMs()));
    this.#timer = setTimeout(() => this.#onDue(), waitMs).unref();
  }
}
