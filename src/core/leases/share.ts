import type { EpochMs, MonotonicMs } from '../units/index.ts';
import type { ShareEntry } from './entries.ts';
import type { Lease } from './lease.ts';
import type { SliceReport } from './messages.ts';
import type { Pool } from './pool.ts';

/** One lease's part in one account's window, as the authority has it booked. All counters only rise, except as said. */
export class Share {
  readonly lease: Lease;
  readonly pool: Pool;
  granted = 0n;
  returned = 0n;
  spent = 0n;
  /** Rolling windows: the holder's counters by its own bucket, to book the difference. */
  readonly buckets = new Map<EpochMs, bigint>();
  /** Falls as it is used. */
  allowance = 0n;
  forgiven = 0n;
  /** Its lease was not heard of in time: what is outstanding counts as spent, but for what is forgiven. */
  isLost: boolean;
  /** Rolling windows: the loss is as old as the window is long, and counts no more. */
  isWrittenOff = false;

  /** Whether the store has it, or will with what is stored next. */
  isKept = false;

  // What it asks for: heard again after a restart.
  need = 0n;
  least = 0n;
  more = 0n;
  spare = 0n;
  /** Its place among all that wait, in any account; larger came later. */
  ticket = Infinity;
  /** When it last had a turn in the line that left it wanting. */
  turnAt: MonotonicMs = -Infinity;
  /** The answer that asked it to give back what it does not need, and when. */
  recall: { readonly number: number; readonly at: MonotonicMs; readonly supply: 'scarce' | 'yield'; toldAt: MonotonicMs } | undefined;

  constructor(lease: Lease, pool: Pool) {
    this.lease = lease;
    this.pool = pool;
    this.isLost = lease.state === 'expired';
  }

  /** Granted, and neither spent nor given back: held by calls, or at hand. */
  get outstanding(): bigint {
    return this.granted - this.returned - this.spent;
  }

  /** Of the outstanding amount of a lost lease: what others may spend. The rest counts as spent. */
  get released(): bigint {
    return this.forgiven < this.outstanding ? this.forgiven : this.outstanding;
  }

  /** Takes over what a report says; false where it says nothing new. What was spent beyond the grant counts as granted. */
  book({ returned, spent }: SliceReport): boolean {
    const before = this.spent + this.returned;
    // Nobody can give back more than he has.
    const most = this.granted - this.spent;
    if (returned > this.returned) this.returned = returned < most ? returned : most;
    if (spent > this.spent) this.spent = spent;
    const over = -this.outstanding;
    if (over > 0n) {
      this.granted += over;
      this.allowance = this.allowance > over ? this.allowance - over : 0n;
    }
    return this.spent + this.returned > before;
  }

  /** What the counter of a bucket rose by. */
  bookBucket(start: EpochMs, amount: bigint): bigint {
    const before = this.buckets.get(start) ?? 0n;
    if (amount <= before) return 0n;
    this.buckets.set(start, amount);
    return amount - before;
  }

  entry(): ShareEntry {
    const {
      pool: { limit, subject, period },
      lease: { number: lease },
      granted,
      returned,
      spent,
      allowance,
      forgiven,
    } = this;
    const buckets = [...this.buckets].map(([start, amount]) => ({ start, amount }));
    return { kind: 'share', lease, limit, subject, period, granted, returned, spent, buckets, allowance, forgiven };
  }

  restore({ granted, returned, spent, allowance, forgiven, buckets }: ShareEntry): void {
    Object.assign(this, { isKept: true, granted, returned, spent, allowance, forgiven });
    for (const { start, amount } of buckets) this.buckets.set(start, amount);
  }
}
