import { randomUUID } from 'node:crypto';
import type { CallHold, CallRecord, Clock } from '../../core/call/index.ts';
import { Ledger } from '../../core/ledger/index.ts';
import type { Hold, LimitSpec } from '../../core/ledger/index.ts';
import { Holder } from '../../core/leases/index.ts';
import type { UnfinishedHold, UnfinishedLease } from '../../core/leases/index.ts';
import type { BooksState, KeptLease } from '../stores/sqlite/index.ts';
import type { Bookkeeper } from './bookkeeper.ts';
import { DurableBudgets } from './durable.ts';
import type { BudgetEvents } from './durable.ts';
import { lostCoverRecord, lostPostings, lostRecord } from './lost.ts';
import { refOf } from './tenancy.ts';
import type { LeasedFrom } from './tenancy.ts';

interface Parts {
  readonly bookkeeper: Bookkeeper;
  readonly clock: Clock;
  readonly events: BudgetEvents;
  readonly unacceptedLoss: string | undefined;
  readonly useCovers: boolean;
}

/** What a former process has left. */
type Former = BooksState & {
  /** Ids of holds that go on, as their batches do. */
  readonly bound: ReadonlySet<string>;
  readonly wasPowerCut: boolean;
};

/** Budgets with all of each limit here: what was posted and held is so again, and what was in flight is ended. */
export function resumeWhole(parts: Parts, limits: readonly LimitSpec[], former: Former): DurableBudgets {
  const ledger = new Ledger();
  const budgets = new DurableBudgets({ ...parts, accounts: { kind: 'whole', ledger } });
  configure(budgets, limits);
  const at = parts.clock.epochMs();
  const known = new Set(limits.map(({ id }) => id));
  for (const window of former.posted) if (known.has(window.limit)) ledger.restorePosted(window, at);
  for (const hold of former.holds) ledger.restoreHold({ id: hold.id, holds: hold.holds }, at);
  for (const cover of former.covers) ledger.restoreHold({ id: cover.id, holds: [cover.hold] }, at);
  budgets.recover(former.holds.filter(({ id }) => !former.bound.has(id)));
  budgets.recoverCovers(former.covers, former.wasPowerCut);
  return budgets;
}

/**
 * Budgets shared by leases: what was in flight is ended under the leases of the former process, which are then told and
 * given back, while new calls come under a new one.
 */
export function resumeLeased(parts: Parts, limits: readonly LimitSpec[], former: Former, from: LeasedFrom): DurableBudgets {
  const { clock } = parts;
  const [at, now] = [clock.epochMs(), clock.monotonicMs()];
  const spent = new Map(
    former.leases.map((lease) => [lease.lease, [...lease.posted.map((posted) => ({ ...posted, lease: lease.lease })), ...endLost(parts, former, lease)]]),
  );
  endOthers(parts, former);
  const holder = new Holder({ instance: randomUUID(), unfinished: former.leases.map((lease) => unfinished(lease, spent.get(lease.lease) ?? [])), at, now });
  const budgets = new DurableBudgets({ ...parts, accounts: { kind: 'leased', holder, from } });
  configure(budgets, limits);
  for (const lease of former.leases) for (const hold of holdsThatGoOn(former, lease)) holder.restoreHold(hold, at, now);
  return budgets;
}

function configure(budgets: DurableBudgets, limits: readonly LimitSpec[]): void {
  const configured = budgets.configure(limits);
  if (!configured.ok) throw new Error(configured.error.map(({ limit, field, message }) => `${limit} ${field}: ${message}`).join('; '));
}

/** Ends calls and covers that were held under a lease. Returns what that posted. */
function endLost({ bookkeeper, clock, events }: Parts, former: Former, { lease, limits }: KeptLease): Hold[] {
  const at = clock.epochMs();
  const posted: Hold[] = [];
  const settle = (record: CallRecord): void => {
    events.recovered(record);
    bookkeeper.append({ kind: 'settle', record }, 'lazy');
    posted.push(...record.posted);
  };
  const isStrict = (id: string): boolean => limits.find((limit) => limit.id === id)?.mode !== 'Bounded';
  for (const hold of former.holds) {
    if (isUnder(hold.holds, lease) && !former.bound.has(hold.id)) settle(lostRecord(hold, lostPostings(hold, limits, at), isStrict, at));
  }
  for (const cover of former.covers) {
    if (cover.hold.lease !== lease) continue;
    const isUsd = limits.find(({ id }) => id === cover.hold.limit)?.unit === 'usd';
    if (former.wasPowerCut) settle(lostCoverRecord(cover, [cover.hold], isUsd, at));
    else bookkeeper.append({ kind: 'uncover', id: cover.id }, 'lazy');
  }
  return posted;
}

/** What was held before there was a lease, or before limits were shared: nothing is left of it but a record. */
function endOthers({ bookkeeper, clock, events }: Parts, former: Former): void {
  const known = new Set(former.leases.map(({ lease }) => lease));
  const at = clock.epochMs();
  for (const hold of former.holds) {
    if (hold.holds.some(({ lease = 0 }) => known.has(lease)) || former.bound.has(hold.id)) continue;
    const record = lostRecord(hold, hold.holds, () => true, at);
    events.recovered(record);
    bookkeeper.append({ kind: 'settle', record }, 'lazy');
  }
  for (const { id, hold } of former.covers) if (!known.has(hold.lease ?? 0)) bookkeeper.append({ kind: 'uncover', id }, 'lazy');
}

function unfinished({ lease, limits }: KeptLease, posted: readonly Hold[]): UnfinishedLease {
  const spent = posted.flatMap(({ limit: id, subject, windowStart, amount }) => {
    const limit = limits.find((known) => known.id === id);
    return limit === undefined ? [] : [{ ...refOf(limit, windowStart), subject, windowStart, amount }];
  });
  return { lease, spent };
}

function holdsThatGoOn(former: Former, { lease, limits }: KeptLease): UnfinishedHold[] {
  return former.holds
    .filter(({ id, holds }) => former.bound.has(id) && isUnder(holds, lease))
    .map(({ id, holds }) => ({
      id,
      lease,
      holds: holds.flatMap((hold) => {
        const limit = limits.find((known) => known.id === hold.limit);
        return limit === undefined ? [] : [{ ...refOf(limit, hold.windowStart), hold }];
      }),
    }));
}

const isUnder = (holds: CallHold['holds'], lease: number): boolean => holds.some((hold) => hold.lease === lease);
