import type { Entry, Event } from './entries.ts';
import type { Lease } from './lease.ts';
import type { Pool } from './pool.ts';
import type { Share } from './share.ts';

/** What one command of the authority has touched: gathered while it is carried out, written down at its end. */
export class Draft {
  /** Windows in which those who wait may have to be served. */
  readonly touched = new Set<Pool>();
  /** Who is to be told how its shares stand. */
  readonly told = new Map<Lease, Set<Share>>();
  readonly events: Event[] = [];
  readonly #kept = new Map<Lease | Pool | Share, () => Entry>();

  keepLease(lease: Lease): void {
    this.#kept.set(lease, () => lease.entry());
  }

  keepShare(share: Share): void {
    share.isKept = true;
    this.#kept.set(share, () => share.entry());
  }

  keepPool(pool: Pool): void {
    pool.isKept = true;
    this.#kept.set(pool, () => pool.entry());
  }

  /** All of it is booked for good: its shares are part of what their windows carry. */
  dropLease(lease: Lease): void {
    this.told.delete(lease);
    for (const { pool } of this.#foldAll(lease.shares.values())) this.keepPool(pool);
    this.#kept.set(lease, () => ({ ...lease.entry(), state: 'gone' }));
  }

  dropPool(pool: Pool): void {
    this.#foldAll(pool.shares.values());
    this.touched.delete(pool);
    this.#kept.set(pool, () => pool.entry(true));
  }

  /** Says with the next answer how a share stands, even where it has none. */
  tell(share: Share): void {
    this.toldOf(share.lease).add(share);
  }

  toldOf(lease: Lease): Set<Share> {
    const told = this.told.get(lease) ?? new Set<Share>();
    this.told.set(lease, told);
    return told;
  }

  entries(): Entry[] {
    return [...this.#kept.values()].map((entry) => entry());
  }

  #foldAll(shares: Iterable<Share>): Share[] {
    const folded = [...shares];
    for (const share of folded) {
      share.pool.fold(share);
      this.touched.add(share.pool);
      this.#kept.delete(share);
      this.told.get(share.lease)?.delete(share);
    }
    return folded;
  }
}
