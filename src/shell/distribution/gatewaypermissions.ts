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
  /** The one that allows it for longest; empty: none does. */
  #lasting = '';
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
    this.#lasting = [...this.#until.keys()].reduce((longest, each) => (this.#endOf(each) > this.#endOf(longest) ? each : longest), '');
    this.#limits = limitsIn(policies);
  }

  mayUse(_identity: unknown, limit: string, subject: string): boolean {
    const known = this.#limits.get(limit);
    if (known === undefined) return false;
    const owner = known.id.slice(0, known.id.indexOf('/'));
    if (owner !== this.#rootNamespace && !this.#allows(owner)) return false;
    // Where a subject names nobody, it is anybody's.
    return [...new Set([...namespacesIn(subject), this.#lasting])].some(
      (namespace) => this.#allows(namespace) && canCountIn(known.per, subject, { namespace, name: '*', serviceAccount: '*' }),
    );
  }

  maySpeakFor(_identity: unknown, { namespace }: { readonly namespace: string }): boolean {
    return this.#allows(namespace);
  }

  #allows(namespace: string): boolean {
    return this.#endOf(namespace) > this.#now();
  }

  #endOf(namespace: string): MonotonicMs {
    return this.#until.get(namespace) ?? 0;
  }
}

/** All that a subject can name: `namespace`, `namespace/workload` or `namespace/serviceAccount`, among others' parts, which may look alike. */
const namespacesIn = (subject: string): readonly string[] => subject.split('|').map((part) => part.split('/', 1)[0] ?? '');
