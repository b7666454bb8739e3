import type { EpochMs, MonotonicMs } from '../units/index.ts';
import type { LeaseEntry } from './entries.ts';
import type { LeaseNumber, Report } from './messages.ts';
import type { Share } from './share.ts';

/** One incarnation of one holder, as the authority knows it. */
export class Lease {
  readonly number: LeaseNumber;
  readonly processor: string;
  readonly nonce: string;
  state: 'live' | 'closing' | 'expired';
  /** By the wall clock, for keeping and for rolling windows. */
  expiredAt: EpochMs | undefined;
  readonly shares = new Map<string, Share>();

  // What follows is not kept: a new authority gives every lease its whole lifetime anew, and hears the rest again.
  expiresAt: MonotonicMs = 0;
  #heardSentAt: MonotonicMs = -Infinity;
  /** The latest answer that the holder says it has heard. */
  heardNumber = 0;
  /** Where it waits for money, longest first. */
  readonly starving = new Set<Share>();

  constructor(number: LeaseNumber, processor: string, nonce: string, state: Lease['state'] = 'live', expiredAt?: EpochMs) {
    this.number = number;
    this.processor = processor;
    this.nonce = nonce;
    this.state = state;
    this.expiredAt = expiredAt;
  }

  /** Whether it may be granted anything. */
  get isLive(): boolean {
    return this.state === 'live';
  }

  /** Smaller is longer ago; Infinity where it waits for nothing. */
  get firstTicket(): number {
    const [first] = this.starving;
    return first?.ticket ?? Infinity;
  }

  get isSettled(): boolean {
    for (const { outstanding } of this.shares.values()) if (outstanding > 0n) return false;
    return true;
  }

  /** Whether a report is newer than all before it: only then it says what the holder wants. */
  heard({ sentAt, heard }: Report): boolean {
    if (sentAt <= this.#heardSentAt) return false;
    this.#heardSentAt = sentAt;
    this.heardNumber = Math.max(this.heardNumber, heard);
    return true;
  }

  entry(): LeaseEntry {
    const { number: lease, processor, nonce, state, expiredAt } = this;
    return { kind: 'lease', lease, processor, nonce, state, ...(expiredAt === undefined ? {} : { expiredAt }) };
  }
}
