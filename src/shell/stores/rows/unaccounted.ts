import { limitIdOf } from '../../../core/units/index.ts';
import type { LeaseEntry, LeaseNumber, PeriodRef, ShareEntry } from '../../../core/leases/index.ts';
import type { EpochMs } from '../../../core/units/index.ts';
import type { Unaccounted } from '../../ledger/index.ts';

/** What a share's lease has spent of it, or is charged with since it was lost: records have to tell of so much. */
export interface OwedShare extends PeriodRef {
  readonly lease: LeaseNumber;
  readonly processor: string;
  readonly state: LeaseEntry['state'];
  readonly owed: bigint;
}

/** What records have told. `limit` is the limit's id; `window` the start of the calendar window, else 0. */
export interface PostedUnder {
  readonly lease: LeaseNumber;
  readonly limit: string;
  readonly subject: string;
  readonly window: EpochMs;
  readonly amount: bigint;
}

/** Of a lost lease, what is outstanding counts as spent, but for what is forgiven: as the authority has it. */
export function owedBy({ granted, returned, spent, forgiven }: ShareEntry, isLost: boolean): bigint {
  const outstanding = granted - returned - spent;
  if (!isLost || outstanding <= forgiven) return spent;
  return spent + outstanding - forgiven;
}

/**
 * What is owed less what records tell, where anything is left.
 *
 * A record's posting names its lease, the limit by its id, the subject, and the start of a window: of a calendar window the
 * same as the share's period, of a rolling one a bucket's, where the share's period is 0. Under one lease an id means one
 * limit (`Holder.configure`), so its postings belong to the shares of that lease, id and subject. They count in the share
 * of their window first. What is more, or has none, counts in the others, the oldest first: it was spent of a window
 * for which the lease had no share yet.
 */
export function unaccountedOf(shares: Iterable<OwedShare>, posted: Iterable<PostedUnder>): Unaccounted[] {
  const told = new Map<string, PostedUnder[]>();
  for (const posting of posted) append(told, groupOf(posting.lease, posting.limit, posting.subject), posting);
  const groups = new Map<string, OwedShare[]>();
  for (const share of shares) append(groups, groupOf(share.lease, limitIdOf(share.limit), share.subject), share);
  return [...groups].flatMap(([group, owed]) => subtract(owed, told.get(group) ?? []));
}

function subtract(shares: readonly OwedShare[], posted: readonly PostedUnder[]): Unaccounted[] {
  const byWindow = new Map<EpochMs, bigint>();
  for (const { window, amount } of posted) byWindow.set(window, (byWindow.get(window) ?? 0n) + amount);
  const left = shares
    .toSorted((one, other) => one.period - other.period)
    .map((share) => {
      const told = take(byWindow, share.period, share.owed);
      return { share, amount: share.owed - told };
    });
  let spare = [...byWindow.values()].reduce((sum, amount) => sum + amount, 0n);
  return left.flatMap(({ share: { lease, processor, state, limit, subject, period }, amount }) => {
    const told = amount < spare ? amount : spare;
    spare -= told;
    return amount > told ? [{ lease, processor, state, limit, subject, period, amount: amount - told }] : [];
  });
}

/** Takes at most `most` of a window's amount. */
function take(amounts: Map<EpochMs, bigint>, window: EpochMs, most: bigint): bigint {
  const there = amounts.get(window) ?? 0n;
  const taken = there < most ? there : most;
  amounts.set(window, there - taken);
  return taken;
}

function groupOf(lease: LeaseNumber, limitId: string, subject: string): string {
  return JSON.stringify([lease, limitId, subject]);
}

function append<T>(groups: Map<string, T[]>, group: string, member: T): void {
  const members = groups.get(group);
  if (members === undefined) groups.set(group, [member]);
  else members.push(member);
}
