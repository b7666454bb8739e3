import { keyOf } from '../../src/core/leases/index.ts';
import type { AccountEntry, Entry, Figures, LeaseEntry, PeriodRef, ShareEntry } from '../../src/core/leases/index.ts';
import type { LimitSpec } from '../../src/core/ledger/index.ts';
import type { Timeline } from './timeline.ts';
import { Violation } from './violation.ts';

interface Books {
  account: AccountEntry | undefined;
  readonly shares: Map<number, ShareEntry>;
}

/** A change of a limit is in force after so long: what was decided before it may still be on its way to the store. */
const IN_FORCE_MS = 100;

const STATES = ['live', 'closing', 'expired', 'gone'];

/** What a bounded limit may be exceeded by. */
export const overdraftOf = ({ mode, limit }: LimitSpec, ceiling = limit): bigint => (mode === 'Bounded' ? ceiling / 10n : 0n);

/**
 * Reads what is stored, entry by entry, and does its own sums: counters only rise, nothing is granted that is not free, no
 * lost lease comes alive, and all together stays within the limit.
 */
export class Auditor {
  readonly #leases = new Map<number, LeaseEntry['state']>();
  readonly #accounts = new Map<string, Books>();
  /** By limit identity: the one in force, and the highest there ever was. */
  readonly limits = new Map<string, { spec: LimitSpec; ceiling: bigint; changedAt: number }>();
  readonly #time: Timeline;

  /** Windows that roll go by the authority's clock, and are held to it only where clocks are right. */
  readonly #checksRolling: boolean;

  constructor(time: Timeline, checksRolling: boolean) {
    this.#time = time;
    this.#checksRolling = checksRolling;
  }

  stateOf(lease: number): LeaseEntry['state'] | undefined {
    return this.#leases.get(lease);
  }

  /** To be called with all that one commit stores. */
  read(entries: readonly Entry[]): void {
    const before = new Map<string, { pending: bigint }>();
    const touched = new Set<string>();
    for (const entry of entries) if (entry.kind !== 'lease') touched.add(keyOf(entry));
    for (const entry of entries) {
      if (entry.kind !== 'lease') continue;
      for (const [key, { shares }] of this.#accounts) if (shares.has(entry.lease)) touched.add(key);
    }
    for (const key of touched) before.set(key, this.sums(key));
    for (const entry of entries) this.#take(entry);
    for (const key of touched) this.#check(key, before.get(key)?.pending ?? 0n);
  }

  /** Posted with what is lost, and pending; rolling windows without losses. */
  sums(key: string): { readonly posted: bigint; readonly pending: bigint; readonly lost: bigint; readonly released: bigint } {
    const { account, shares } = this.#accounts.get(key) ?? { account: undefined, shares: new Map<number, ShareEntry>() };
    let [posted, pending, lost, released] = [account?.carried ?? 0n, 0n, 0n, 0n];
    const isRolling = (account?.rollingMs ?? 0) > 0;
    for (const share of shares.values()) {
      const outstanding = share.granted - share.returned - share.spent;
      if (!isRolling) posted += share.spent;
      if (this.#leases.get(share.lease) !== 'expired') pending += outstanding;
      else {
        const forgiven = share.forgiven < outstanding ? share.forgiven : outstanding;
        released += forgiven;
        lost += outstanding - forgiven;
      }
    }
    return isRolling ? { posted, pending, lost: 0n, released: 0n } : { posted: posted + lost, pending, lost, released };
  }

  /** What an authority says must be what is stored. */
  compare(figures: Iterable<PeriodRef & Figures>): void {
    for (const { limitAmount, posted, pending, free, ...ref } of figures) {
      if (posted + pending + free !== limitAmount) throw new Violation('conservation', `${keyOf(ref)}: ${posted} + ${pending} + ${free} is not ${limitAmount}`);
      if ((this.#accounts.get(keyOf(ref))?.account?.rollingMs ?? 1) > 0) continue;
      const sums = this.sums(keyOf(ref));
      if (sums.posted !== posted || sums.pending !== pending)
        throw new Violation('restart', `${keyOf(ref)}: ${posted}, ${pending} in memory and ${sums.posted}, ${sums.pending} as stored`);
    }
  }

  keys(): Iterable<string> {
    return this.#accounts.keys();
  }

  #take(entry: Entry): void {
    if (entry.kind === 'lease') {
      const was = this.#leases.get(entry.lease);
      if (was !== undefined && STATES.indexOf(entry.state) < STATES.indexOf(was))
        throw new Violation('fencing', `lease ${entry.lease} was ${was} and is ${entry.state}`);
      this.#leases.set(entry.lease, entry.state);
      if (entry.state === 'gone') for (const { shares } of this.#accounts.values()) shares.delete(entry.lease);
      return;
    }
    const key = keyOf(entry);
    const books = this.#accounts.get(key) ?? { account: undefined, shares: new Map<number, ShareEntry>() };
    this.#accounts.set(key, books);
    if (entry.kind === 'account') {
      books.account = entry;
      if (entry.isGone) this.#accounts.delete(key);
      return;
    }
    const was = books.shares.get(entry.lease);
    if (was) {
      for (const counter of ['granted', 'returned', 'spent'] as const) {
        if (entry[counter] < was[counter])
          throw new Violation('monotone', `${counter} of lease ${entry.lease} in ${key} fell from ${was[counter]} to ${entry[counter]}`);
      }
      const rise = entry.granted - entry.returned - entry.spent - (was.granted - was.returned - was.spent);
      const isStrict = this.limits.get(entry.limit)?.spec.mode === 'Strict';
      // Nobody is billed more than was held, so a grant that only covers what was spent has another cause.
      if (isStrict && entry.granted > was.granted && this.#leases.get(entry.lease) !== 'live')
        throw new Violation('once', `lease ${entry.lease} spent more of ${key} than it had`);
      if (rise > 0n && this.#leases.get(entry.lease) !== 'live')
        throw new Violation('fencing', `lease ${entry.lease} is ${this.#leases.get(entry.lease)} and was granted ${rise}`);
    }
    if (entry.granted < entry.returned + entry.spent)
      throw new Violation('conservation', `lease ${entry.lease} gave back and spent more of ${key} than it had`);
    books.shares.set(entry.lease, entry);
  }

  #check(key: string, pendingBefore: bigint): void {
    const limit = this.limits.get(key.split('\n')[0] ?? '');
    if (limit === undefined || limit.spec.mode === 'Observe' || (limit.spec.window.kind === 'rolling' && !this.#checksRolling)) return;
    const { posted, pending } = this.sums(key);
    const total = posted + pending;
    if (total > limit.ceiling + overdraftOf(limit.spec, limit.ceiling))
      throw new Violation('limit', `${key}: ${posted} posted and ${pending} pending of ${limit.ceiling}`);
    const isInForce = this.#time.now - limit.changedAt > IN_FORCE_MS;
    if (isInForce && pending > pendingBefore && total > limit.spec.limit)
      throw new Violation('limit', `${key}: granted although ${posted} + ${pendingBefore} were taken of ${limit.spec.limit}`);
  }
}
