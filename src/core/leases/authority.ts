import { checkLimits } from '../ledger/index.ts';
import type { AccountView, LimitError, LimitSpec } from '../ledger/index.ts';
import { err, ok } from '../units/index.ts';
import type { EpochMs, MonotonicMs, Result } from '../units/index.ts';
import { answerOf, faultOf, goneAnswer, noteRecall } from './answers.ts';
import { Attention } from './attention.ts';
import { Draft } from './draft.ts';
import type { Entry, Event, ShareEntry } from './entries.ts';
import { messageFault } from './faults.ts';
import type { Lease } from './lease.ts';
import { LeaseBook } from './leasebook.ts';
import type { Answer, Join, LeaseNumber, PeriodRef, Report, SliceAnswer, SliceReport, ToAuthority, ToHolder } from './messages.ts';
import type { Figures, Pool } from './pool.ts';
import { Pools } from './pools.ts';
import { TURN_MS, queue, serve, serveSpare } from './serve.ts';
import type { Share } from './share.ts';
import { RECALL_MS } from './timing.ts';

/** Answers of a later term have higher numbers than those of an earlier one. */
const NUMBERS_PER_TERM = 2 ** 32;
/** Windows that are over are looked for so often. */
const SWEEP_MS: MonotonicMs = 60_000;
/** Of the first who asks, more than this part of what is free is kept for a moment for others, who may be about to ask. */
const MOST_PEERS = 16;
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

/** Whose report is answered by the command that is carried out. */
interface Answered {
  readonly lease: Lease;
  readonly echo: NonNullable<Answer['echo']>;
  readonly faults: readonly SliceAnswer[];
}

/**
 * The one side of all leases that decides: whose slice of each limit is how large. Deterministic; every command takes `at`
 * (wall clock: windows) and `now` (monotonic: lifetimes).
 */
export class Authority {
  readonly #term: number;
  readonly #leases: LeaseBook;
  readonly #pools = new Pools();
  #lastNumber: number;
  #lastTicket = 0;
  #sweepAt: MonotonicMs;
  /** When the first was asked, since when nobody was told that waiting for what was asked for is over. */
  #recalledAt: MonotonicMs | undefined;
  /** When to look whether a rolling window has let go what someone waits for. */
  #rollAt: MonotonicMs | undefined;
  /** When to go on serving lines in which all had a turn. */
  #serveAt: MonotonicMs | undefined;
  readonly #unserved = new Set<Pool>();
  #at: EpochMs;
  #now: MonotonicMs;
  /** Renewals that came while this process did not run are heard before leases end for want of them. */
  readonly #attention: Attention;
  #draft = new Draft();

  /**
   * With a term that no authority had before, and all that is stored. Each lease that is live gets its whole lifetime. To be
   * configured next. `firstLease`: higher than any number that was given by authorities whose stores are lost, so that who
   * still has one of those is told that it is gone, and is not taken for somebody else.
   */
  constructor(term: number, entries: Iterable<Entry>, at: EpochMs, now: MonotonicMs, firstLease: LeaseNumber = 1) {
    this.#term = term;
    this.#leases = new LeaseBook(firstLease);
    this.#lastNumber = term * NUMBERS_PER_TERM;
    this.#at = at;
    this.#now = now;
    this.#attention = new Attention(now);
    this.#sweepAt = now + SWEEP_MS;
    this.#restore([...entries]);
  }

  /** Replaces all limits, at once: holders are told, and asked for what is too much. On an error nothing changes. */
  configure(limits: readonly LimitSpec[], at: EpochMs, now: MonotonicMs): Result<Outcome, readonly LimitError[]> {
    const checked = checkLimits(limits);
    if (!checked.ok) return checked;
    this.#tick(at, now);
    for (const pool of this.#pools.replace(limits)) {
      this.#draft.touched.add(pool);
      for (const share of pool.shares.values()) if (share.lease.isLive) this.#draft.tell(share);
    }
    return ok(this.#finish());
  }

  /** An error: no honest `processor` says that; nothing has changed. */
  receive(processor: string, message: ToAuthority, at: EpochMs, now: MonotonicMs): Result<Outcome, string> {
    const fault = messageFault(message);
    if (fault !== undefined) return err(fault);
    this.#tick(at, now);
    if (message.kind === 'join') return ok(this.#join(processor, message));
    const lease = this.#leases.get(message.lease);
    if (lease === undefined) return ok(this.#finish(goneAnswer(this.#term, ++this.#lastNumber, message)));
    if (lease.processor !== processor) return err(`lease ${message.lease} is not a lease of ${JSON.stringify(processor)}`);
    return ok(this.#hear(lease, message));
  }

  /** Ends leases that were not renewed in time, and tells those who wait what has come to nothing. Call it at `nextDeadline`, once all that has come by then was received. */
  advance(at: EpochMs, now: MonotonicMs): Outcome {
    this.#tick(at, now);
    for (let lease = this.#leases.takeExpired(at, this.#attention.listenedMs); lease; lease = this.#leases.takeExpired(at, this.#attention.listenedMs))
      this.#lose(lease);
    if (this.#recalledAt !== undefined && this.#recalledAt + RECALL_MS <= now) this.#endRecalls();
    if (this.#serveAt !== undefined && this.#serveAt <= now) this.#serveAgain();
    if (this.#rollAt !== undefined && this.#rollAt <= now) this.#rollWaitedFor();
    if (this.#sweepAt <= now) this.#sweep();
    return this.#finish();
  }

  nextDeadline(): MonotonicMs {
    const expiresAt = this.#leases.expiresAt + this.#attention.deafMs;
    return Math.min(this.#sweepAt, this.#serveAt ?? Infinity, this.#rollAt ?? Infinity, expiresAt, (this.#recalledAt ?? Infinity) + RECALL_MS);
  }

  /** Of every account's window that is known. */
  *figures(): Generator<PeriodRef & Figures> {
    for (const { limit, subject, period, figures } of this.#pools.all()) yield { limit, subject, period, ...figures };
  }

  /** What a lease was granted in one account's window, and what it said of it; `undefined` where it has no part in it. */
  shareOf(lease: LeaseNumber, of: PeriodRef): Pick<ShareEntry, 'granted' | 'returned' | 'spent' | 'allowance'> | undefined {
    return this.#pools.known(of)?.shares.get(lease);
  }

  /** Where accounts of limits in force stand, in the windows that are open now. */
  *views(at: EpochMs): Generator<AccountView> {
    for (const { spec, subject, period, until, rollingMs, figures } of this.#pools.all()) {
      if (spec === undefined || period > at || until <= at) continue;
      const { limitAmount, posted, pending, free } = figures;
      const windowStart = rollingMs > 0 ? at - rollingMs : period;
      const windowEnd = Number.isFinite(until) ? until : undefined;
      yield { limit: spec.id, subject, unit: spec.unit, mode: spec.mode, limitAmount, posted, pending, free, windowStart, windowEnd };
    }
  }

  #join(processor: string, { nonce, sentAt }: Join): Outcome {
    const known = this.#leases.joined(processor, nonce);
    const lease = known ?? this.#leases.begin(processor, nonce);
    if (known === undefined) this.#draft.keepLease(lease);
    this.#leases.renew(lease, this.#attention.listenedMs);
    return this.#finish({ kind: 'joined', term: this.#term, nonce, lease: lease.number, echo: sentAt });
  }

  #hear(lease: Lease, report: Report): Outcome {
    const isNewest = lease.heard(report);
    if (report.stage !== 'open' && lease.isLive) this.#close(lease);
    const faults: SliceAnswer[] = [];
    for (const slice of report.slices) {
      const pool = this.#pools.find(slice, this.#at);
      if (typeof pool === 'string') faults.push(faultOf(slice, pool));
      else this.#book(pool.share(lease), slice, report);
      if (isNewest && lease.isLive && typeof pool !== 'string') this.#noteWants(pool.share(lease), slice);
    }
    if (lease.state !== 'expired') this.#leases.renew(lease, this.#attention.listenedMs);
    // Who ends a lease must hear of all that is left of it.
    if (!lease.isLive) for (const share of lease.shares.values()) if (share.outstanding > 0n) this.#draft.tell(share);
    if (report.stage === 'done' && lease.isSettled) {
      this.#forget(lease);
      return this.#finish(goneAnswer(this.#term, ++this.#lastNumber, report));
    }
    this.#draft.toldOf(lease);
    return this.#finish(undefined, { lease, echo: { instance: report.instance, sentAt: report.sentAt }, faults });
  }

  #book(share: Share, slice: SliceReport, { at }: Report): void {
    const { pool, lease, spent, returned } = share;
    const isNews = pool.change(share, () => share.book(slice));
    for (const { start, amount } of slice.buckets ?? []) {
      const rise = share.bookBucket(start, amount);
      if (rise > 0n) pool.postAged(rise, at - start, this.#at);
    }
    if (isNews || !share.isKept) this.#draft.keepShare(share);
    if (!pool.isKept || (isNews && pool.rollingMs > 0)) this.#draft.keepPool(pool);
    if (isNews && share.isLost) {
      const found = { lease: lease.number, processor: lease.processor, spent: share.spent - spent, returned: share.returned - returned };
      this.#draft.events.push({ kind: 'found', ...refOf(pool), ...found });
    }
    this.#draft.touched.add(pool);
    this.#draft.tell(share);
  }

  #noteWants(share: Share, { need, least, more, spare }: SliceReport): void {
    const isOpen = this.#pools.isOpen(share.pool, this.#at);
    Object.assign(share, isOpen ? { need, least, more, spare } : { need: 0n, least: 0n, more: 0n, spare: 0n });
    queue(share, this.#nextTicket);
  }

  #close(lease: Lease): void {
    lease.state = 'closing';
    this.#leaveLines(lease);
    this.#draft.keepLease(lease);
  }

  #lose(lease: Lease): void {
    this.#leaveLines(lease);
    this.#draft.keepLease(lease);
    for (const share of lease.shares.values()) {
      const { pool } = share;
      pool.lose(share);
      this.#draft.keepShare(share);
      this.#draft.touched.add(pool);
      const lost = { lease: lease.number, processor: lease.processor, charged: share.outstanding - share.released, released: share.released };
      if (share.outstanding > 0n) this.#draft.events.push({ kind: 'lost', ...refOf(pool), ...lost });
    }
  }

  #leaveLines(lease: Lease): void {
    for (const share of lease.starving) {
      share.need = share.more = 0n;
      queue(share, this.#nextTicket);
      this.#draft.touched.add(share.pool);
    }
  }

  #forget(lease: Lease): void {
    this.#leases.forget(lease);
    this.#draft.dropLease(lease);
  }

  /** Who was asked had its time: those who wait are told how it stands. */
  #endRecalls(): void {
    this.#recalledAt = undefined;
    for (const pool of this.#pools.all()) {
      if (pool.line.size > 0) this.#draft.touched.add(pool);
      for (const share of pool.line) this.#draft.tell(share);
    }
  }

  #serveAgain(): void {
    this.#serveAt = undefined;
    for (const pool of this.#unserved) this.#draft.touched.add(pool);
    this.#unserved.clear();
  }

  /** Those who have something there, and of those who may come to ask as many as make a difference. */
  #peersOf({ active }: Pool): number {
    return Math.max(1, active, Math.min(this.#leases.size, MOST_PEERS));
  }

  #rollWaitedFor(): void {
    this.#rollAt = undefined;
    for (const pool of this.#pools.all()) if (pool.rollingMs > 0 && pool.line.size > 0) this.#draft.touched.add(pool);
  }

  #sweep(): void {
    this.#sweepAt = this.#now + SWEEP_MS;
    for (const lease of this.#leases.stale(this.#at)) this.#forget(lease);
    for (const pool of this.#pools.all()) if (pool.pending > 0n && !this.#pools.isOpen(pool, this.#at)) this.#remind(pool);
    for (const pool of this.#pools.takeOver(this.#at)) this.#draft.dropPool(pool);
  }

  /** The window is over. Who holds calls there settles them; who does not has missed a grant, and gives it back. */
  #remind({ shares }: Pool): void {
    for (const share of shares.values()) if (share.outstanding > 0n && !share.isLost) this.#draft.tell(share);
  }

  #tick(at: EpochMs, now: MonotonicMs): void {
    this.#attention.tick(this.nextDeadline(), now);
    this.#at = at;
    this.#now = now;
  }

  /** Serves what was touched, and gathers what is to be kept and said. */
  #finish(reply?: ToHolder, answered?: Answered): Outcome {
    const draft = this.#draft;
    for (const pool of draft.touched) this.#serve(pool, answered);
    // Who is asked to give back is known before anybody is told what may still come.
    const numbers = new Map([...draft.told].map(([lease, shares]) => [lease, this.#ask(shares)]));
    const messages: ToHolder[] = reply === undefined ? [] : [reply];
    for (const [lease, number] of numbers) messages.push(this.#answer(lease, number, draft.toldOf(lease), answered?.lease === lease ? answered : undefined));
    this.#draft = new Draft();
    return { entries: draft.entries(), messages, events: draft.events };
  }

  #serve(pool: Pool, answered: Answered | undefined): void {
    if (pool.roll(this.#at)) this.#draft.keepPool(pool);
    if (this.#pools.isOpen(pool, this.#at)) {
      if (serve(pool, this.#peersOf(pool), this.#now, this.#nextTicket, this.#served)) {
        this.#unserved.add(pool);
        this.#serveAt ??= this.#now + TURN_MS;
      }
      const asking = answered && pool.shares.get(answered.lease.number);
      if (asking !== undefined && serveSpare(asking)) this.#draft.keepShare(asking);
    }
    for (const percent of pool.takeReached()) {
      this.#draft.events.push({ kind: 'threshold', ...refOf(pool), percent, posted: pool.posted, limitAmount: pool.spec?.limit ?? 0n });
      this.#draft.keepPool(pool);
    }
    if (pool.rollingMs > 0 && pool.line.size > 0) this.#rollAt ??= this.#now + ROLL_MS;
  }

  /** Returns the number of the answer. */
  #ask(shares: ReadonlySet<Share>): number {
    const number = ++this.#lastNumber;
    for (const share of shares) if (noteRecall(share, number, this.#now)) this.#recalledAt ??= this.#now;
    return number;
  }

  #answer(lease: Lease, number: number, shares: ReadonlySet<Share>, answered: Answered | undefined): ToHolder {
    const slices = [...shares].map((share) => answerOf(share, this.#pools.isOpen(share.pool, this.#at), this.#now));
    const answer = { kind: 'answer', term: this.#term, lease: lease.number, number, state: lease.isLive ? 'live' : 'ended' } as const;
    return answered === undefined ? { ...answer, slices } : { ...answer, echo: answered.echo, slices: [...slices, ...answered.faults] };
  }

  readonly #nextTicket = (): number => ++this.#lastTicket;

  readonly #served = (share: Share, isGrant: boolean): void => {
    if (isGrant) this.#draft.keepShare(share);
    this.#draft.tell(share);
  };

  #restore(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind === 'lease') this.#leases.restore(entry, this.#attention.listenedMs);
      else if (entry.kind === 'account' && !entry.isGone) this.#pools.restore(entry);
    }
    for (const entry of entries) {
      if (entry.kind !== 'share') continue;
      const [lease, pool] = [this.#leases.get(entry.lease), this.#pools.known(entry)];
      if (lease === undefined || pool === undefined) continue;
      const share = pool.share(lease);
      pool.change(share, () => share.restore(entry));
    }
  }
}

function refOf({ limit, subject, period }: Pool): PeriodRef {
  return { limit, subject, period };
}
