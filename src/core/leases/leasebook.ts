import type { EpochMs, MonotonicMs } from '../units/index.ts';
import type { LeaseEntry } from './entries.ts';
import { Lease } from './lease.ts';
import type { LeaseNumber } from './messages.ts';
import { LIFETIME_MS, MARGIN_MS, RETENTION_MS } from './timing.ts';

/** All leases of which something is not booked, and which of them expires next. Times are those that the authority has listened (`Attention`). */
export class LeaseBook {
  readonly #leases = new Map<LeaseNumber, Lease>();
  readonly #byNonce = new Map<string, Lease>();
  /** Those that can expire, in that order: each renewal gives the same time. */
  readonly #expiring = new Set<Lease>();
  #last: LeaseNumber;

  /** No lease gets a number below `first`. */
  constructor(first: LeaseNumber) {
    this.#last = first - 1;
  }

  get(number: LeaseNumber): Lease | undefined {
    return this.#leases.get(number);
  }

  /** The live lease that this nonce has got before. */
  joined(processor: string, nonce: string): Lease | undefined {
    const lease = this.#byNonce.get(nonceKey(processor, nonce));
    return lease?.isLive === true ? lease : undefined;
  }

  /** A lease with a number that none has had. */
  begin(processor: string, nonce: string): Lease {
    return this.#add(new Lease(this.#last + 1, processor, nonce));
  }

  restore({ lease: number, processor, nonce, state, expiredAt }: LeaseEntry, listenedMs: MonotonicMs): void {
    if (state === 'gone') {
      this.#last = Math.max(this.#last, number);
      return;
    }
    const lease = this.#add(new Lease(number, processor, nonce, state, expiredAt));
    if (state !== 'expired') this.renew(lease, listenedMs);
  }

  renew(lease: Lease, listenedMs: MonotonicMs): void {
    lease.expiresAt = listenedMs + LIFETIME_MS + MARGIN_MS;
    this.#expiring.delete(lease);
    this.#expiring.add(lease);
  }

  /** Holders that may ask for something. */
  get size(): number {
    return this.#expiring.size;
  }

  /** When the next one expires. */
  get expiresAt(): MonotonicMs {
    const [first] = this.#expiring;
    return first?.expiresAt ?? Infinity;
  }

  /** One that was not renewed in time, and is lost. */
  takeExpired(at: EpochMs, listenedMs: MonotonicMs): Lease | undefined {
    const [first] = this.#expiring;
    if (first === undefined || first.expiresAt > listenedMs) return undefined;
    this.#expiring.delete(first);
    first.state = 'expired';
    first.expiredAt = at;
    return first;
  }

  /** Lost so long ago that the loss stands. */
  *stale(at: EpochMs): Generator<Lease> {
    for (const lease of this.#leases.values()) if (lease.expiredAt !== undefined && lease.expiredAt + RETENTION_MS <= at) yield lease;
  }

  forget(lease: Lease): void {
    this.#leases.delete(lease.number);
    this.#byNonce.delete(nonceKey(lease.processor, lease.nonce));
    this.#expiring.delete(lease);
  }

  #add(lease: Lease): Lease {
    this.#last = Math.max(this.#last, lease.number);
    this.#leases.set(lease.number, lease);
    this.#byNonce.set(nonceKey(lease.processor, lease.nonce), lease);
    return lease;
  }
}

function nonceKey(processor: string, nonce: string): string {
  return `${processor}\n${nonce}`;
}
