import { canCountIn } from '../../core/call/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';
import type { Permissions } from '../ledger/index.ts';
import { limitsIn } from './permissions.ts';
import type { LimitPolicies } from './permissions.ts';

/** What was allowed a moment ago may still have to be settled. */
const OLDER_MS: MonotonicMs = 10 * 60_000;

/**
 * What gateways may spend and tell: for workloads of namespaces that allow it, by limits of those namespaces and of the
 * controllers' own. Which workloads call is known to the controller that a gateway follows, and the ledger may be another's, so
 * it is not asked here.
 */
export class GatewayPermissions implements Permissions {
  readonly #rootNamespace: string;
  readonly #now: () => MonotonicMs;
  /** By namespace, until when; those that allow it now have no end. */
  readonly #until = new Map<string, MonotonicMs>();
  #limits: ReturnType<typeof limitsIn> = new Map();

  constructor(rootNamespace: string, now: () => MonotonicMs) {
    this.#rootNamespace = rootNamespace;
    this.#now = now;
  }

  publish(namespaces: ReadonlySet<string>, policies: LimitPolicies): void {
    const now = this.#now();
    for (const [namespace, until] of this.#until) {
      if (namespaces.has(namespace)) continue;
      if (until === Infinity) this.#until.set(namespace, now + OLDER_MS);
      else if (until <= now) this.#until.delete(namespace);
    }
    for (const namespace of namespaces) this.#until.set(namespace, Infinity);
    this.#limits = limitsIn(policies);
  }

  mayUse(_identity: unknown, limit: string, subject: string): boolean {
    const known = this.#limits.get(limit);
    if (known === undefined) return false;
    const owner = known.id.slice(0, known.id.indexOf('/'));
    if (owner !== this.#rootNamespace && !this.#allows(owner)) return false;
    return [...this.#until.keys()].some(
      (namespace) => this.#allows(namespace) && canCountIn(known.per, subject, { namespace, name: '*', serviceAccount: '*' }),
    );
  }

  maySpeakFor(_identity: unknown, { namespace }: { readonly namespace: string }): boolean {
    return this.#allows(namespace);
  }

  #allows(namespace: string): boolean {
    return (this.#until.get(namespace) ?? 0) > this.#now();
  }
}
