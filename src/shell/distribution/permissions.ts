import { canCountIn, limitsOf } from '../../core/call/index.ts';
import type { SidecarState } from '../../core/control/index.ts';
import { limitIdentity } from '../../core/leases/index.ts';
import type { BudgetSubject, WorkloadSnapshot } from '../../core/policy/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';
import type { Permissions } from '../ledger/index.ts';
import type { Identity } from '../wire/index.ts';

/** A sidecar applies a newer state within seconds; who is slower may go on with the older for so long. */
const OLDER_MS: MonotonicMs = 10 * 60_000;
/** Older ones of a workload. */
const MAX_OLDER = 32;

/** By limit's identity: the id, which begins with its resource's, and for which subjects there is an account. */
type Limits = ReadonlyMap<string, { readonly id: string; readonly per: readonly BudgetSubject[] }>;

/** What policies limit. */
export type LimitPolicies = Pick<WorkloadSnapshot, 'budgets' | 'rules'>;

interface Published {
  readonly state: SidecarState;
  /** Since when there is a newer one, or none. */
  until: MonotonicMs | undefined;
}

/** A sidecar may spend from what its own workload has budgets for, and speak for its own workload's calls: by what was published, and a while by what was before. */
export class PublishedPermissions implements Permissions {
  readonly #now: () => MonotonicMs;
  /** By workload, the newest first. */
  readonly #published = new Map<string, Published[]>();
  readonly #limits = new WeakMap<SidecarState, Limits>();

  constructor(now: () => MonotonicMs) {
    this.#now = now;
  }

  publish(states: ReadonlyMap<string, SidecarState>): void {
    const now = this.#now();
    for (const [workload, published] of this.#published) {
      const newest = published[0];
      if (newest?.state.version !== states.get(workload)?.version && newest !== undefined) newest.until ??= now + OLDER_MS;
      const kept = published.filter(({ until }) => until === undefined || until > now).slice(0, MAX_OLDER);
      if (kept.length > 0) this.#published.set(workload, kept);
      else this.#published.delete(workload);
    }
    for (const [workload, state] of states) {
      const published = this.#published.get(workload) ?? [];
      if (published[0]?.until !== undefined || published[0]?.state.version !== state.version)
        this.#published.set(workload, [{ state, until: undefined }, ...published]);
    }
  }

  mayUse({ pod }: Identity, limit: string, subject: string): boolean {
    const now = this.#now();
    const published = this.#published.get(pod?.workload ?? '') ?? [];
    return published.some(({ state, until = Infinity }) => {
      const known = until > now ? this.#limitsOf(state).get(limit) : undefined;
      return known !== undefined && canCountIn(known.per, subject, state.snapshot.workload);
    });
  }

  maySpeakFor({ pod }: Identity, { namespace, workload }: { readonly namespace: string; readonly workload: string }): boolean {
    return pod?.workload === `${namespace}/${workload}`;
  }

  #limitsOf(state: SidecarState): Limits {
    const known = this.#limits.get(state) ?? limitsIn(state.snapshot);
    this.#limits.set(state, known);
    return known;
  }
}

export function limitsIn(policies: LimitPolicies): Limits {
  const per = new Map(policies.budgets.map((budget) => [budget.id, budget.per]));
  return new Map(
    limitsOf([policies]).map((limit) => [
      limitIdentity(limit),
      // A rate limit is one workload's.
      { id: limit.id, per: limit.kind === 'rate' ? [{ kind: 'workload' }] : (per.get(limit.id) ?? []) },
    ]),
  );
}
