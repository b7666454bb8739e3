import type { CallRecord, RecordQuery, SpendQuery, SpendRow } from '../../../core/call/index.ts';
import { keyOf, limitIdOf } from '../../../core/leases/index.ts';
import type { AccountEntry, Entry, LeaseEntry, LeaseNumber, ShareEntry } from '../../../core/leases/index.ts';
import type { EpochMs } from '../../../core/units/index.ts';
import type { Lead, LedgerStore, Pulse, Unaccounted } from '../../ledger/index.ts';
import { addFigures, daysOf, owedBy, spendRows, sumsTable, tallyOf, unaccountedOf } from '../rows/index.ts';
import type { OwedShare, PostedSum, PostedUnder, SubjectSum, TotalSum } from '../rows/index.ts';

/** `forget` deletes so many records at a time. */
const STEP = 1_000;

interface KeptLease {
  entry: LeaseEntry;
  goneAt?: EpochMs;
}

interface KeptShare {
  entry: ShareEntry;
  /** When its account was gone. */
  goneAt?: EpochMs;
}

interface KeptRecord {
  readonly key: string;
  readonly record: CallRecord;
}

export class MemoryStore implements LedgerStore {
  readonly #now: () => EpochMs;
  #term = 0;
  #beat = 0;
  readonly #leases = new Map<LeaseNumber, KeptLease>();
  readonly #accounts = new Map<string, AccountEntry>();
  /** By account, and then by lease. */
  readonly #shares = new Map<string, Map<LeaseNumber, KeptShare>>();
  readonly #records = new Map<string, KeptRecord>();
  readonly #totals = new Map<string, TotalSum>();
  readonly #subjects = new Map<string, SubjectSum>();
  /** By lease, and then by limit, subject and window. */
  readonly #posted = new Map<LeaseNumber, Map<string, PostedUnder>>();
  /** Under which of those keys there are shares. */
  readonly #windows = new Set<string>();

  /** `now`: the wall clock, for how old what is gone is. */
  constructor(now: () => EpochMs = Date.now) {
    this.#now = now;
  }

  async lead(): Promise<Lead> {
    this.#term += 1;
    this.#beat += 1;
    return { term: this.#term, entries: [...this.#entries()] };
  }

  async commit(term: number, entries: readonly Entry[]): Promise<'stored' | 'deposed'> {
    if (term !== this.#term) return 'deposed';
    this.#beat += 1;
    for (const entry of entries) this.#keep(entry);
    return 'stored';
  }

  async pulse(): Promise<Pulse> {
    return { term: this.#term, beat: this.#beat };
  }

  async addRecords(processor: string, records: readonly CallRecord[]): Promise<void> {
    const added = records.filter((record) => {
      const key = JSON.stringify([processor, record.id]);
      if (this.#records.has(key)) return false;
      this.#records.set(key, { key, record });
      return true;
    });
    const { totals, subjects, posted } = tallyOf(added);
    for (const sum of totals) count(this.#totals, [sum.day, sum.namespace, sum.workload, sum.model, sum.provider], sum);
    for (const sum of subjects) count(this.#subjects, [sum.day, sum.budget, sum.subject], sum);
    for (const sum of posted) if (this.#leases.get(sum.lease)?.entry.processor === processor) this.#post(sum);
  }

  async spend(query: SpendQuery): Promise<SpendRow[]> {
    const { from, to } = daysOf(query);
    const sums = sumsTable(query.by) === 'subjects' ? this.#subjects : this.#totals;
    return spendRows(
      query.by,
      [...sums.values()].filter(({ day }) => day >= from && day <= to),
    );
  }

  async records({ sinceMs, untilMs = Infinity, after, count: most }: RecordQuery): Promise<CallRecord[]> {
    return [...this.#records.values()]
      .map(({ record }) => record)
      .filter((record) => record.endedAt >= sinceMs && record.endedAt < untilMs && (after === undefined || inOrder(after, record) < 0))
      .toSorted(inOrder)
      .slice(0, most);
  }

  async unaccounted(): Promise<readonly Unaccounted[]> {
    return unaccountedOf(
      this.#owedShares(),
      [...this.#posted.values()].flatMap((posted) => [...posted.values()]),
    );
  }

  async forget(beforeMs: EpochMs): Promise<boolean> {
    const old = [...this.#records.values()].filter(({ record }) => record.endedAt < beforeMs);
    for (const { key } of old.slice(0, STEP)) this.#records.delete(key);
    for (const shares of this.#shares.values()) {
      for (const { entry, goneAt = Infinity } of shares.values()) {
        const lease = this.#leases.get(entry.lease);
        if (Math.min(goneAt, lease?.goneAt ?? Infinity) < beforeMs) this.#forgetShare(entry);
      }
    }
    const last = Math.max(...this.#leases.keys());
    for (const [number, { goneAt = Infinity }] of this.#leases) {
      if (goneAt >= beforeMs) continue;
      this.#posted.delete(number);
      if (number !== last) this.#leases.delete(number);
    }
    return old.length > STEP;
  }

  /** Nothing to let go: others may still use it. */
  async close(): Promise<void> {}

  *#entries(): Generator<Entry> {
    const last = Math.max(...this.#leases.keys());
    for (const [number, { entry }] of this.#leases) if (entry.state !== 'gone' || number === last) yield entry;
    yield* this.#accounts.values();
    for (const { entry, goneAt } of this.#allShares()) {
      const lease = this.#leases.get(entry.lease)?.entry;
      if (goneAt === undefined && lease !== undefined && lease.state !== 'gone') yield entry;
    }
  }

  #keep(entry: Entry): void {
    switch (entry.kind) {
      case 'lease':
        this.#leases.set(entry.lease, { entry, ...(entry.state === 'gone' ? { goneAt: this.#now() } : {}) });
        return;
      case 'account':
        if (entry.isGone) this.#forgetAccount(keyOf(entry));
        else this.#accounts.set(keyOf(entry), entry);
        return;
      case 'share':
        return this.#keepShare(entry);
    }
  }

  #keepShare(entry: ShareEntry): void {
    const account = keyOf(entry);
    const shares = this.#shares.get(account) ?? new Map<LeaseNumber, KeptShare>();
    if (!shares.has(entry.lease)) {
      this.#shares.set(account, shares);
      this.#windows.add(windowOf(entry));
    }
    shares.set(entry.lease, { entry });
  }

  *#allShares(): Generator<KeptShare> {
    for (const shares of this.#shares.values()) yield* shares.values();
  }

  #forgetAccount(account: string): void {
    this.#accounts.delete(account);
    for (const share of this.#shares.get(account)?.values() ?? []) share.goneAt ??= this.#now();
  }

  /** What was posted from it goes with it, so that it does not count in others. */
  #forgetShare(entry: ShareEntry): void {
    const account = keyOf(entry);
    this.#shares.get(account)?.delete(entry.lease);
    if (this.#shares.get(account)?.size === 0) this.#shares.delete(account);
    this.#windows.delete(windowOf(entry));
    this.#posted.get(entry.lease)?.delete(windowOf(entry));
  }

  *#owedShares(): Generator<OwedShare> {
    for (const { entry } of this.#allShares()) {
      const lease = this.#leases.get(entry.lease)?.entry;
      if (lease === undefined) continue;
      const { limit, subject, period } = entry;
      const { processor, state, expiredAt } = lease;
      yield { lease: lease.lease, processor, state, limit, subject, period, owed: owedBy(entry, expiredAt !== undefined) };
    }
  }

  /** Windows that no share has are counted together: buckets of rolling ones are many. */
  #post({ lease, limit, subject, windowStart, amount }: PostedSum): void {
    const window = this.#windows.has(windowKey(lease, limit, subject, windowStart)) ? windowStart : 0;
    const key = windowKey(lease, limit, subject, window);
    const posted = this.#posted.get(lease) ?? new Map<string, PostedUnder>();
    posted.set(key, { lease, limit, subject, window, amount: amount + (posted.get(key)?.amount ?? 0n) });
    this.#posted.set(lease, posted);
  }
}

function windowOf({ lease, limit, subject, period }: ShareEntry): string {
  return windowKey(lease, limitIdOf(limit), subject, period);
}

function windowKey(lease: LeaseNumber, limitId: string, subject: string, window: EpochMs): string {
  return JSON.stringify([lease, limitId, subject, window]);
}

function count<Sum extends TotalSum | SubjectSum>(sums: Map<string, Sum>, key: readonly unknown[], sum: Sum): void {
  const name = JSON.stringify(key);
  const known = sums.get(name);
  sums.set(name, known === undefined ? sum : { ...sum, figures: addFigures(known.figures, sum.figures) });
}

function inOrder(left: Pick<CallRecord, 'endedAt' | 'id'>, right: Pick<CallRecord, 'endedAt' | 'id'>): number {
  if (left.endedAt !== right.endedAt) return left.endedAt - right.endedAt;
  if (left.id === right.id) return 0;
  return left.id < right.id ? -1 : 1;
}
