import { err, ok } from '../units/index.ts';
import type { EpochMs, MonotonicMs, Result } from '../units/index.ts';
import { checkLimits } from '../ledger/index.ts';
import type { LimitError, LimitSpec } from '../ledger/index.ts';
import type { Entry, Event, LeaseEntry } from './entries.ts';
import { Lease } from './lease.ts';
import type { Answer, Join, LeaseNumber, PeriodRef, Report, SliceAnswer, SliceReport, ToAuthority, ToHolder } from './messages.ts';
import type { Figures, Pool } from './pool.ts';
import { Pools } from './pools.ts';
import { isRecalling, offerTo, queue, serve, serveSpare, supplyFor } from './serve.ts';
import type { Share } from './share.ts';
import { LIFETIME_MS, MARGIN_MS, RECALL_MS, RETENTION_MS } from './timing.ts';

/** Answers of a later term have higher numbers than those of an earlier one. */
const NUMBERS_PER_TERM = 2 ** 32;
/** Windows that are over are looked for so often. */
const SWEEP_MS: MonotonicMs = 60_000;
/** Rolling windows that someone waits for are looked at so often. */
const ROLL_MS: MonotonicMs = 1_000;

/**
 * What a command has led to. The entries are to be stored, all or none, if and only if the store's term is still ours;
 * where there are none, the term is to be looked up all the same. The messages leave after that. Where the store says
 * otherwise or cannot say, this authority is over: nothing is sent, and what comes next is made from what is stored.
 */
export interface Outcome {
  readonly entries: readonly Entry[];
  /** To the holder of the lease that each names. */
  readonly messages: readonly ToHolder[];
  readonly events: readonly Event[];
}

/**
 * The one side of all leases that decides: whose slice of each limit is how large. Deterministic; every command takes `at`
 * (wall clock: windows) and `now` (monotonic: lifetimes).
 */
export class Authority {
  readonly #term: number;
  readonly #leases = new Map<LeaseNumber, Lease>();
  readonly #byNonce = new Map<string, Lease>();
  /** Live and closing, in the order in which they expire. */
  readonly #expiring = new Set<Lease>();
  readonly #pools = new Pools();
  #lastLease = 0;
  #lastNumber: number;
  #lastTicket = 0;
  #sweepAt: MonotonicMs;
  #at: EpochMs;
  #now: MonotonicMs;

  // What the command that is carried out has touched.
  #stored = new Map<object, () => Entry>();
  #told = new Map<Lease, Set<Share>>();
  #events: Event[] = [];
  #touched = new Set<Pool>();
  #recalledAt: MonotonicMs | undefined;
  /** When to look whether a rolling window has let go what someone waits for. */
  #rollAt: MonotonicMs | undefined;

  /** With a term that no authority had before, and all that is stored. Each lease that is live gets its whole lifetime. To be configured next. */
  constructor(term: number, entries: Iterable<Entry>, at: EpochMs, now: MonotonicMs) {
    this.#term = term;
    this.#lastNumber = term * NUMBERS_PER_TERM;
    this.#at = at;
    this.#now = now;
    this.#sweepAt = now + SWEEP_MS;
    this.#restore([...entries]);
  }

  /** Replaces all limits, at once: holders are told, and asked for what is too much. On an error nothing changes. */
  configure(limits: readonly LimitSpec[], at: EpochMs, now: MonotonicMs): Result<Outcome, readonly LimitError[]> {
    const checked = checkLimits(limits);
    if (!checked.ok) return checked;
    this.#tick(at, now);
    for (const pool of this.#pools.replace(limits)) {
      this.#touched.add(pool);
      for (const share of pool.shares.values()) if (share.lease.isLive) this.#tell(share);
    }
    return ok(this.#finish());
  }

  /** An error: `processor` may not say that; nothing has changed. */
  receive(processor: string, message: ToAuthority, at: EpochMs, now: MonotonicMs): Result<Outcome, string> {
    this.#tick(at, now);
    if (message.kind === 'join') return ok(this.#join(processor, message));
    const lease = this.#leases.get(message.lease);
    if (lease === undefined) return ok(this.#finish(gone(this.#term, ++this.#lastNumber, message)));
    if (lease.processor !== processor) return err(`lease ${message.lease} is not a lease of ${JSON.stringify(processor)}`);
    return ok(this.#hear(lease, message));
  }

  /** Ends leases that were not renewed in time. Call it at `nextDeadline`. */
  advance(at: EpochMs, now: MonotonicMs): Outcome {
    this.#tick(at, now);
    for (const lease of this.#expiring) {
      if (lease.expiresAt > now) break;
      this.#expire(lease);
    }
    if (this.#recalledAt !== undefined && this.#recalledAt + RECALL_MS <= now) this.#endRecalls();
    if (this.#rollAt !== undefined && this.#rollAt <= now) this.#rollWaitedFor();
    if (this.#sweepAt <= now) this.#sweep();
    return this.#finish();
  }

  nextDeadline(): MonotonicMs {
    const [first] = this.#expiring;
    return Math.min(this.#sweepAt, this.#rollAt ?? Infinity, first?.expiresAt ?? Infinity, (this.#recalledAt ?? Infinity) + RECALL_MS);
  }

  /** Of every account's window that is known. */
  *figures(): Generator<PeriodRef & Figures> {
    for (const pool of this.#pools.all()) {
      const { limit, subject, period, figures } = pool;
      yield { limit, subject, period, ...figures };
    }
  }

  #join(processor: string, { nonce, sentAt }: Join): Outcome {
    const known = this.#byNonce.get(nonceKey(processor, nonce));
    const lease = known?.isLive ? known : new Lease(++this.#lastLease, processor, nonce);
    if (lease !== known) {
      this.#leases.set(lease.number, lease);
      this.#byNonce.set(nonceKey(processor, nonce), lease);
      this.#store(lease, () => lease.entry());
    }
    this.#renew(lease);
    return this.#finish({ kind: 'joined', term: this.#term, nonce, lease: lease.number, echo: sentAt });
  }

  #hear(lease: Lease, report: Report): Outcome {
    const isNewest = report.sentAt > lease.heardSentAt;
    if (isNewest) {
      lease.heardSentAt = report.sentAt;
      if (report.heard > lease.heardNumber) lease.heardNumber = report.heard;
    }
    if (report.stage !== 'open' && lease.state === 'live') this.#close(lease);
    const faults: SliceAnswer[] = [];
    for (const slice of report.slices) {
      const pool = this.#pools.find(slice, this.#at);
      if (typeof pool === 'string') faults.push(faultAnswer(slice, pool));
      else this.#book(pool.share(lease), slice, report, isNewest);
    }
    if (lease.state !== 'expired') this.#renew(lease);
    if (lease.state !== 'live') for (const share of lease.shares.values()) if (share.outstanding > 0n) this.#tell(share);
    if (report.stage === 'done' && this.#isSettled(lease)) {
      this.#forget(lease);
      return this.#finish(gone(this.#term, ++this.#lastNumber, report));
    }
    this.#toldOf(lease);
    return this.#finish(undefined, { lease, echo: report.sentAt, faults });
  }

  #book(share: Share, slice: SliceReport, { at, stage }: Report, isNewest: boolean): void {
    const { pool, lease } = share;
    const before = { spent: share.spent, returned: share.returned };
    const isNews = pool.change(share, () => share.book(slice));
    for (const { start, amount } of slice.buckets ?? []) {
      const rise = share.bookBucket(start, amount);
      if (rise > 0n) pool.postAged(rise, at - start, this.#at);
    }
    if (isNews || !share.isKept) this.#keepShare(share);
    if (!pool.isKept || (isNews && pool.rollingMs > 0)) this.#keepPool(pool);
    if (isNews && share.isLost) {
      const { limit, subject, period } = pool;
      this.#events.push({ kind: 'found', limit, subject, period, lease: lease.number, processor: lease.processor, spent: share.spent - before.spent, returned: share.returned - before.returned });
    }
    this.#touched.add(pool);
    this.#tell(share);
    if (!isNewest || stage !== 'open' || !lease.isLive) return;
    const isOpen = this.#pools.isOpen(pool, this.#at);
    share.need = isOpen ? slice.need : 0n;
    share.least = slice.least;
    share.more = isOpen ? slice.more : 0n;
    queue(share, this.#nextTicket);
    if (isOpen && serveSpare(share, slice.spare)) this.#keepShare(share);
  }

  #renew(lease: Lease): void {
    lease.expiresAt = this.#now + LIFETIME_MS + MARGIN_MS;
    this.#expiring.delete(lease);
    this.#expiring.add(lease);
  }

  #close(lease: Lease): void {
    lease.state = 'closing';
    this.#leaveLines(lease);
    this.#store(lease, () => lease.entry());
  }

  #expire(lease: Lease): void {
    lease.state = 'expired';
    lease.expiredAt = this.#at;
    this.#expiring.delete(lease);
    this.#leaveLines(lease);
    this.#store(lease, () => lease.entry());
    for (const share of lease.shares.values()) {
      const { pool } = share;
      pool.lose(share);
      this.#keepShare(share);
      this.#touched.add(pool);
      const { limit, subject, period } = pool;
      if (share.outstanding > 0n) {
        this.#events.push({
          kind: 'lost', limit, subject, period, lease: lease.number, processor: lease.processor, charged: share.outstanding - share.released, released: share.released,
        });
      }
    }
  }

  #leaveLines(lease: Lease): void {
    for (const share of lease.starving) {
      share.need = share.more = 0n;
      queue(share, this.#nextTicket);
      this.#touched.add(share.pool);
    }
  }

  #isSettled(lease: Lease): boolean {
    for (const { outstanding } of lease.shares.values()) if (outstanding > 0n) return false;
    return true;
  }

  /** All of it is booked for good. */
  #forget(lease: Lease): void {
    for (const share of lease.shares.values()) {
      share.pool.fold(share);
      this.#stored.delete(share);
      this.#touched.add(share.pool);
      this.#keepPool(share.pool);
    }
    this.#leases.delete(lease.number);
    this.#byNonce.delete(nonceKey(lease.processor, lease.nonce));
    this.#expiring.delete(lease);
    this.#told.delete(lease);
    this.#store(lease, () => ({ ...lease.entry(), state: 'gone' }));
  }

  /** Who was asked had its time: those who wait are told how it stands. */
  #endRecalls(): void {
    this.#recalledAt = undefined;
    for (const pool of this.#pools.all()) {
      if (pool.line.size === 0) continue;
      this.#touched.add(pool);
      for (const share of pool.line) this.#tell(share);
    }
  }

  #rollWaitedFor(): void {
    this.#rollAt = undefined;
    for (const pool of this.#pools.all()) if (pool.rollingMs > 0 && pool.line.size > 0) this.#touched.add(pool);
  }

  #sweep(): void {
    this.#sweepAt = this.#now + SWEEP_MS;
    for (const lease of this.#leases.values()) {
      if (lease.expiredAt !== undefined && lease.expiredAt + RETENTION_MS <= this.#at) this.#forget(lease);
    }
    for (const pool of this.#pools.all()) if (pool.pending > 0n && !this.#pools.isOpen(pool, this.#at)) this.#remind(pool);
    for (const pool of this.#pools.takeOver(this.#at)) {
      for (const share of pool.shares.values()) {
        pool.fold(share);
        this.#stored.delete(share);
      }
      this.#touched.delete(pool);
      this.#store(pool, () => pool.entry(true));
    }
  }

  /** The window is over. Who holds calls there settles them; who does not has missed a grant, and gives it back. */
  #remind({ shares }: Pool): void {
    for (const share of shares.values()) if (share.outstanding > 0n && !share.isLost) this.#tell(share);
  }

  #tick(at: EpochMs, now: MonotonicMs): void {
    this.#at = at;
    this.#now = now;
  }

  /** Serves what was touched, and gathers what is to be kept and said. */
  #finish(reply?: ToHolder, answered?: { readonly lease: Lease; readonly echo: MonotonicMs; readonly faults: readonly SliceAnswer[] }): Outcome {
    for (const pool of this.#touched) {
      if (pool.roll(this.#at)) this.#keepPool(pool);
      if (this.#pools.isOpen(pool, this.#at)) serve(pool, this.#now, this.#nextTicket, this.#tellGranted);
      this.#watchThresholds(pool);
      if (pool.rollingMs > 0 && pool.line.size > 0) this.#rollAt ??= this.#now + ROLL_MS;
    }
    const messages: ToHolder[] = reply === undefined ? [] : [reply];
    for (const [lease, shares] of this.#told) {
      messages.push(lease === answered?.lease ? { ...this.#answer(lease, shares, answered.faults), echo: answered.echo } : this.#answer(lease, shares, []));
    }
    const entries = [...this.#stored.values()].map((entry) => entry());
    const events = this.#events;
    this.#stored = new Map();
    this.#told = new Map();
    this.#touched = new Set();
    this.#events = [];
    return { entries, messages, events };
  }

  #answer(lease: Lease, shares: ReadonlySet<Share>, faults: readonly SliceAnswer[]): Answer {
    const number = ++this.#lastNumber;
    const slices = [...shares].map((share) => this.#sliceAnswer(share, number));
    return { kind: 'answer', term: this.#term, lease: lease.number, number, state: lease.isLive ? 'live' : 'ended', slices: [...slices, ...faults] };
  }

  #sliceAnswer(share: Share, number: number): SliceAnswer {
    const { pool, granted, returned, spent, allowance, outstanding } = share;
    const { limit, subject, period, unspent, pending } = pool;
    const supply = supplyFor(share);
    this.#noteRecall(share, supply, number);
    const isFinal = pool.line.size === 0 || !isRecalling(pool, this.#now);
    const elsewhere = share.isLost ? pending : pending - outstanding;
    const figures = { limit, subject, period, granted, returned, spent, allowance, limitAmount: pool.spec?.limit ?? 0n, unspent, offer: offerTo(share), elsewhere, isFinal, supply };
    if (pool.spec === undefined) return { ...figures, offer: 0n, fault: 'unknown_limit' };
    return this.#pools.isOpen(pool, this.#at) ? figures : { ...figures, offer: 0n, fault: 'window_not_open' };
  }

  /** It counts from when it was first told. */
  #noteRecall(share: Share, supply: SliceAnswer['supply'], number: number): void {
    if (supply === 'ample') share.recall = undefined;
    else if (share.recall?.supply === supply) share.recall.toldAt = this.#now;
    else {
      share.recall = { number, at: this.#now, toldAt: this.#now, supply };
      if (share.outstanding > 0n) this.#recalledAt ??= this.#now;
    }
  }

  #watchThresholds(pool: Pool): void {
    const percent = pool.takeCrossed();
    if (percent === undefined) return;
    const { limit, subject, period, posted, spec } = pool;
    this.#events.push({ kind: 'threshold', limit, subject, period, percent, posted, limitAmount: spec?.limit ?? 0n });
    this.#keepPool(pool);
  }

  readonly #nextTicket = (): number => ++this.#lastTicket;

  readonly #tellGranted = (share: Share): void => {
    this.#keepShare(share);
    this.#tell(share);
  };

  #tell(share: Share): void {
    this.#toldOf(share.lease).add(share);
  }

  #toldOf(lease: Lease): Set<Share> {
    const told = this.#told.get(lease) ?? new Set<Share>();
    this.#told.set(lease, told);
    return told;
  }

  #store(what: object, entry: () => Entry): void {
    this.#stored.set(what, entry);
  }

  #keepShare(share: Share): void {
    share.isKept = true;
    this.#store(share, () => share.entry());
  }

  #keepPool(pool: Pool): void {
    pool.isKept = true;
    this.#store(pool, () => pool.entry());
  }

  #restore(entries: readonly Entry[]): void {
    for (const entry of entries) if (entry.kind === 'lease') this.#restoreLease(entry);
    for (const entry of entries) if (entry.kind === 'account' && !entry.isGone) this.#pools.restore(entry);
    for (const entry of entries) {
      const lease = entry.kind === 'share' ? this.#leases.get(entry.lease) : undefined;
      const pool = entry.kind === 'share' ? this.#pools.known(entry) : undefined;
      if (entry.kind !== 'share' || lease === undefined || pool === undefined) continue;
      const share = pool.share(lease);
      pool.change(share, () => share.restore(entry));
    }
  }

  #restoreLease({ lease: number, processor, nonce, state, expiredAt }: LeaseEntry): void {
    this.#lastLease = Math.max(this.#lastLease, number);
    if (state === 'gone') return;
    const lease = new Lease(number, processor, nonce, state, expiredAt);
    this.#leases.set(number, lease);
    this.#byNonce.set(nonceKey(processor, nonce), lease);
    if (state !== 'expired') this.#renew(lease);
  }
}

function nonceKey(processor: string, nonce: string): string {
  return `${processor}\n${nonce}`;
}

function gone(term: number, number: number, { lease, sentAt }: Report): Answer {
  return { kind: 'answer', term, lease, number, echo: sentAt, state: 'gone', slices: [] };
}

/** Nothing is booked there: not yet, or no more. */
function faultAnswer({ limit, subject, period }: SliceReport, fault: NonNullable<SliceAnswer['fault']>): SliceAnswer {
  return {
    limit, subject, period, granted: 0n, returned: 0n, spent: 0n, allowance: 0n, limitAmount: 0n, unspent: 0n, offer: 0n, elsewhere: 0n, isFinal: true, supply: 'ample', fault,
  };
}
