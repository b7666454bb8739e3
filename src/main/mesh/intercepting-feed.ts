import { interceptionOf, wantedHosts } from '../../core/control/index.ts';
import type { InterceptionSettings } from '../../core/control/index.ts';
import { AUTHORITIES, Authority, LeafBook, MemoryAuthorityStore } from '../../shell/certs/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import type { Policies, PolicyFeed, PolicyListener } from './feed.ts';

/** On one machine there is no cluster to enforce anything for. */
const SETTINGS: InterceptionSettings = { egress: 'Open', passedHosts: [], refusedHosts: [], clusterDomain: 'cluster.local' };

/** Longer than timers can wait is not waited for at once. */
const LONGEST_WAIT_MS = 86_400_000;

/** Policies of another feed, and with them whose calls of one workload are taken in, by an authority that is made for it and lives in memory alone. */
export class InterceptingFeed implements PolicyFeed {
  readonly #inner: PolicyFeed;
  readonly #workload: string;
  readonly #logger: Logger;
  #authority: Authority | undefined;
  #leaves: LeafBook | undefined;
  #last: Policies | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #listener: PolicyListener | undefined;

  constructor(inner: PolicyFeed, workload: string, logger: Logger) {
    this.#inner = inner;
    this.#workload = workload;
    this.#logger = logger;
  }

  async first(): Promise<Policies> {
    return this.#intercepting(await this.#inner.first());
  }

  follow(listener: PolicyListener): () => void {
    this.#listener = listener;
    return this.#inner.follow({
      apply: async (policies) => listener.apply(await this.#intercepting(policies)),
      refuse: (errors) => listener.refuse(errors),
      keys: () => listener.keys(),
      ownKeysFor: () => listener.ownKeysFor(),
    });
  }

  stop(): Promise<void> | void {
    clearTimeout(this.#renewal);
    return this.#inner.stop();
  }

  async #intercepting(policies: Policies): Promise<Policies> {
    this.#last = policies;
    const snapshot = policies.snapshots.get(this.#workload);
    if (snapshot === undefined) return policies;
    const { authority, leaves } = await this.#certificates();
    const hosts = wantedHosts(snapshot, SETTINGS).flatMap(({ host, takesLeaf }) => (takesLeaf ? [host] : []));
    const tended = await leaves.tend(new Map([[this.#workload, hosts]]));
    for (const { host, reason } of tended.faults) this.#logger.warn('interception.no_certificate', { host, reason });
    this.#renewAt(tended.dueAt);
    return { ...policies, interception: interceptionOf(snapshot, tended.of.get(this.#workload) ?? new Map(), authority.bundle(), SETTINGS) };
  }

  async #certificates(): Promise<{ readonly authority: Authority; readonly leaves: LeafBook }> {
    if (this.#authority === undefined || this.#leaves === undefined) {
      const opened = await Authority.open({ store: new MemoryAuthorityStore(), terms: AUTHORITIES.interception(), now: Date.now });
      if (!opened.ok) throw new Error(opened.error.reason);
      this.#authority = opened.value;
      this.#leaves = new LeafBook({ authority: opened.value, now: Date.now, chance: Math.random });
    }
    return { authority: this.#authority, leaves: this.#leaves };
  }

  #renewAt(dueAt: number | undefined): void {
    clearTimeout(this.#renewal);
    if (dueAt === undefined) return;
    const renew = async (): Promise<void> => {
      if (this.#last !== undefined) await this.#listener?.apply(await this.#intercepting(this.#last));
    };
    this.#renewal = setTimeout(() => void renew(), Math.max(0, Math.min(dueAt - Date.now(), LONGEST_WAIT_MS)));
    this.#renewal.unref();
  }
}
