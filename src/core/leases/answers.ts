import type { MonotonicMs } from '../units/index.ts';
import type { Answer, Report, SliceAnswer, SliceReport } from './messages.ts';
import { isRecalling, offerTo, supplyFor } from './serve.ts';
import type { Share } from './share.ts';

/** What a holder is told of one share. */
export function answerOf(share: Share, isOpen: boolean, now: MonotonicMs): SliceAnswer {
  const { pool, granted, returned, spent, allowance, outstanding } = share;
  const { limit, subject, period, unspent, pending, spec } = pool;
  const answer = {
    limit,
    subject,
    period,
    granted,
    returned,
    spent,
    allowance,
    unspent,
    supply: supplyFor(share),
    limitAmount: spec?.limit ?? 0n,
    offer: isOpen ? offerTo(share) : 0n,
    elsewhere: share.isLost ? pending : pending - outstanding,
    isFinal: pool.line.size === 0 || !isRecalling(pool, now),
  };
  if (spec === undefined) return { ...answer, fault: 'unknown_limit' };
  return isOpen ? answer : { ...answer, fault: 'window_not_open' };
}

/** Nothing is booked there: not yet, or no more. */
export function faultOf({ limit, subject, period }: SliceReport, fault: NonNullable<SliceAnswer['fault']>): SliceAnswer {
  return {
    limit,
    subject,
    period,
    granted: 0n,
    returned: 0n,
    spent: 0n,
    allowance: 0n,
    limitAmount: 0n,
    unspent: 0n,
    offer: 0n,
    elsewhere: 0n,
    isFinal: true,
    supply: 'ample',
    fault,
  };
}

export function goneAnswer(term: number, number: number, { lease, instance, sentAt }: Report): Answer {
  return { kind: 'answer', term, lease, number, echo: { instance, sentAt }, state: 'gone', slices: [] };
}

/** Whether the answer with this number is the first that asks a holder to give back. How long nothing has come counts from then. */
export function noteRecall(share: Share, number: number, now: MonotonicMs): boolean {
  const supply = supplyFor(share);
  if (supply === 'ample') share.recall = undefined;
  else if (share.recall?.supply === supply) share.recall.toldAt = now;
  else {
    share.recall = { number, at: now, toldAt: now, supply };
    return share.outstanding > 0n;
  }
  return false;
}
