import type { MonotonicMs } from '../units/index.ts';
import type { Pool } from './pool.ts';
import type { Share } from './share.ts';
import { RECALL_MS } from './timing.ts';

/** What is granted for calls to come is at most this part of what is free, shared by all who have something. */
const SPARE_DIVISOR = 2n;
/** After a turn, the next one comes no sooner. */
export const TURN_MS: MonotonicMs = 5;

/** To be told how it stands now, with the next answer; and to be kept, where it was granted something. */
export type Tell = (share: Share, isGrant: boolean) => void;

/** Takes a place in the line, or leaves it. One that waits already keeps its place. */
export function queue(share: Share, nextTicket: () => number): void {
  const { pool, lease } = share;
  if (share.need <= 0n) {
    pool.line.delete(share);
    lease.starving.delete(share);
  } else if (!pool.line.has(share)) {
    share.ticket = nextTicket();
    pool.line.add(share);
    lease.starving.add(share);
  }
}

/**
 * Gives what is free to those who wait, a turn each in the order of their tickets: what the first call lacks, and for the
 * calls behind it an equal part of the rest. Nobody is overtaken: what the first lacks gathers for it, and others are
 * asked to give back what they do not hold. Who waits for what cannot come any more is told so.
 *
 * `peers`: how many may come to wait here too. True where someone had a turn just now and wants another: he may be served
 * again after `TURN_MS`, so that all who ask at the same time get a turn before anybody gets two.
 */
export function serve(pool: Pool, peers: number, now: MonotonicMs, nextTicket: () => number, tell: Tell): boolean {
  dismissHopeless(pool, nextTicket, tell);
  for (let next = nextInTurn(pool, now); next !== undefined; next = nextInTurn(pool, now)) {
    if (next.need > pool.free) {
      const isAlone = pool.line.size === 1 && pool.pending === next.outstanding;
      if (pool.free > 0n && (pool.pending === 0n || isAlone)) giveRemainder(next, tell);
      else recall(pool, now, tell);
      return next.ticket > firstTicket(pool);
    }
    giveTurn(next, peers, now);
    tell(next, true);
    queue(next, nextTicket);
  }
  if (pool.free < 0n) recall(pool, now, tell);
  return pool.line.size > 0;
}

/** Something at hand for calls to come, where nobody waits: less the less there is. */
export function serveSpare(share: Share): boolean {
  const { pool, spare } = share;
  share.spare = 0n;
  if (pool.line.size > 0 || spare <= 0n) return false;
  const part = offerTo(share) / SPARE_DIVISOR;
  const amount = spare < part ? spare : part;
  if (amount <= 0n) return false;
  pool.grant(share, amount);
  return true;
}

/** What one share could have besides: an equal part of what is free, while nobody waits for it. */
export function offerTo(share: Share): bigint {
  const { pool } = share;
  if (pool.free <= 0n || pool.line.size > (pool.line.has(share) ? 1 : 0)) return 0n;
  return pool.free / BigInt(pool.active + (share.outstanding > 0n ? 0 : 1));
}

/**
 * What a share should do with what it has at hand. Where several wait, all that comes free goes through here, so that each
 * gets its turn. Only who has waited longer than all of them, for other money, keeps what it needs here.
 */
export function supplyFor(share: Share): 'ample' | 'scarce' | 'yield' {
  const { pool, lease } = share;
  if (pool.free < 0n) return 'yield';
  const [first] = pool.line;
  if (first === undefined) return 'ample';
  const keeps = pool.line.has(share) ? pool.line.size === 1 : lease.firstTicket < first.ticket;
  return keeps ? 'scarce' : 'yield';
}

/** Whether money may still come back because it was asked for. */
export function isRecalling(pool: Pool, now: MonotonicMs): boolean {
  for (const share of pool.shares.values()) {
    const { recall } = share;
    if (recall === undefined || share.outstanding === 0n || isHeard(share) || now - recall.at >= RECALL_MS) continue;
    // Who waits here himself gives back only what he is told to yield.
    if (recall.supply === 'yield' || !pool.line.has(share)) return true;
  }
  return false;
}

function nextInTurn(pool: Pool, now: MonotonicMs): Share | undefined {
  for (const share of pool.line) if (now - share.turnAt >= TURN_MS) return share;
  return undefined;
}

/** Then to the end of the line, if it needs more. */
function giveTurn(share: Share, peers: number, now: MonotonicMs): void {
  const { pool, need, more } = share;
  const part = (pool.free - need) / BigInt(peers);
  // A part of a hold serves nobody.
  const extra = more < part ? more : part - (part % need);
  pool.grant(share, need + extra);
  share.more = more - extra;
  share.need = need < share.more ? need : share.more;
  share.more -= share.need;
  share.turnAt = share.need > 0n ? now : -Infinity;
  pool.line.delete(share);
  share.lease.starving.delete(share);
}

function firstTicket(pool: Pool): number {
  const [first] = pool.line;
  return first?.ticket ?? Infinity;
}

function dismissHopeless(pool: Pool, nextTicket: () => number, tell: Tell): void {
  for (const share of pool.line) {
    if (share.least <= pool.unspent) continue;
    share.need = share.more = 0n;
    queue(share, nextTicket);
    tell(share, false);
  }
}

/** Nobody has anything that could come back, so this is all there will ever be: the call can be shortened to it. */
function giveRemainder(first: Share, tell: Tell): void {
  const { pool } = first;
  first.need -= pool.free;
  pool.grant(first, pool.free);
  tell(first, true);
}

function recall(pool: Pool, now: MonotonicMs, tell: Tell): void {
  for (const share of pool.shares.values()) {
    if (share.outstanding === 0n || !share.lease.isLive) continue;
    const supply = supplyFor(share);
    if (share.recall?.supply === supply && (isHeard(share) || now - share.recall.toldAt < RECALL_MS)) continue;
    tell(share, false);
  }
}

function isHeard({ recall, lease }: Share): boolean {
  return recall !== undefined && lease.heardNumber >= recall.number;
}
