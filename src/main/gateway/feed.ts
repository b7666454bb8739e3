import { EVERYONE } from '../../core/control/index.ts';
import { workloadId } from '../../core/policy/index.ts';
import type { Compiled, KnownWorkload, WorkloadSnapshot } from '../../core/policy/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import type { Unmet } from '../../shell/gateway/index.ts';
import type { Policies, PolicyFeed, PolicyListener } from '../mesh/feed.ts';
import { FileFeed } from '../mesh/files.ts';
import type { FileFeedOptions } from '../mesh/files.ts';
import { isSameCaller } from './served.ts';

/** More than a cluster's workloads that have no sidecar. */
const MAX_WORKLOADS = 10_000;

/** Policies for whoever calls: a workload has its snapshot from its first call on. */
export class GatewayFeed implements PolicyFeed {
  readonly #files: FileFeed;
  readonly #known = new Map<string, KnownWorkload>();
  readonly #meeting = new Map<string, Promise<Result<true, Unmet>>>();
  #listener: PolicyListener | undefined;

  constructor(options: Omit<FileFeedOptions, 'workloads'>) {
    this.#files = new FileFeed({ ...options, workloads: () => [...this.#known.values()] });
  }

  async first(): Promise<Policies> {
    return withEveryone((await this.#files.first()) as Compiled);
  }

  follow(listener: PolicyListener): () => void {
    const all: PolicyListener = { ...listener, apply: (policies) => listener.apply(withEveryone(policies as Compiled)) };
    this.#listener = all;
    return this.#files.follow(all);
  }

  stop(): Promise<void> {
    return this.#files.stop();
  }

  /** Resolves when there is a snapshot for it. Its labels are those that it had when it was met last. */
  meet(workload: KnownWorkload): Promise<Result<true, Unmet>> {
    const id = workloadId(workload);
    const known = this.#known.get(id);
    const meeting = this.#meeting.get(id);
    if (meeting !== undefined) return meeting;
    if (known !== undefined && isSameCaller(known, workload)) return Promise.resolve(ok(true));
    if (known === undefined && this.#known.size >= MAX_WORKLOADS)
      return Promise.resolve(unmet(`This gateway knows ${MAX_WORKLOADS} workloads, and takes no more. Run another.`));
    const begun = this.#apply(id, workload).finally(() => this.#meeting.delete(id));
    this.#meeting.set(id, begun);
    return begun;
  }

  async #apply(id: string, workload: KnownWorkload): Promise<Result<true, Unmet>> {
    const listener = this.#listener;
    if (listener === undefined) return unmet('The gateway is not ready yet. Try again.');
    const before = this.#known.get(id);
    this.#known.set(id, workload);
    let refused: readonly string[] | undefined;
    await this.#files.reload({
      ...listener,
      apply: async (policies) => (refused = await listener.apply(policies)),
      refuse: (errors) => {
        refused = errors;
        listener.refuse(errors);
      },
    });
    if (refused === undefined) return ok(true);
    if (before === undefined) this.#known.delete(id);
    else this.#known.set(id, before);
    return unmet('The policies for this workload cannot be applied now; the gateway’s log says why.');
  }
}

/** With what all of them together can meet, so that nothing of Envoy's or the ledger's changes when one is met. */
function withEveryone({ snapshots, providers, rules, budgets }: Compiled): Policies {
  const everyone: WorkloadSnapshot = {
    version: 'everyone',
    workload: EVERYONE,
    providers: new Map([...providers].map(([id, { policy }]) => [id, policy])),
    rules,
    budgets,
    hosts: [],
    aliases: new Map(),
    knownModels: new Map(),
  };
  return { snapshots: new Map([...snapshots, [workloadId(EVERYONE), everyone]]), providers };
}

const unmet = (message: string): Result<never, Unmet> => err({ kind: 'unavailable', message });
