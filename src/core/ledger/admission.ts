import type { EpochMs } from '../units/index.ts';
import type { Account } from './account.ts';
import type { AnswerStatistics } from './answers.ts';
import { governs } from './candidate.ts';
import { holdsUpperBound } from './demand.ts';
import type { Candidate } from './candidate.ts';
import type { Place } from './line.ts';
import type { Refused } from './types.ts';

/** The part of a scarce account that one call may take at most, beyond what its answer needs: an eighth. */
const SCARCE_SHARES = 8n;
/** Below this, a share of what is left is too small to learn from how long answers of an unknown profile are. */
const UNKNOWN_ANSWER_TOKENS = 1_024;
/** After holds stood in the way for the whole wait: when it is worth trying again. */
const RETRY_AFTER_HOLDS_MS = 5_000;

export type Verdict =
  | { readonly kind: 'fits'; readonly cap: number }
  /** Only others' holds, or those who came before, are in the way. */
  | { readonly kind: 'waits'; readonly on: Account }
  | { readonly kind: 'refused'; readonly refused: Refused };

/**
 * Weighs one reservation against all its accounts and notes what it needs in each. Changes nothing else.
 * `isLastChance`: its wait is over, so it takes what there is, or is refused.
 *
 * Order: what those who came before need is set aside, so nobody is overtaken where it would cost him; where there is
 * enough for all, nobody stands in anybody's way. Only the first in a line may take what the others wait for.
 */
export function weigh(candidate: Candidate, at: EpochMs, answers: AnswerStatistics, isLastChance: boolean): Verdict {
  const floor = floorOf(candidate);
  const cap = Math.max(floor, capFor(candidate, answers, isLastChance));
  let waitsOn: Account | undefined;
  let refused: Refused | undefined;
  for (const place of candidate.places) {
    const { account } = place;
    const room = roomFor(place);
    const need = needIn(place, cap, room, isLastChance);
    account.line.setNeed(place, need);
    if (!governs(account) || need <= room) continue;
    place.least = ends(place) ? leastIn(place) : shrinks(place) ? candidate.demand.holdAt(account.spec, floor) : need;
    const refusal = refusalOf(candidate, place, room, at, isLastChance);
    if (refusal === undefined) waitsOn ??= account;
    else refused = laterOf(refused, refusal);
  }
  if (refused) return { kind: 'refused', refused };
  return waitsOn ? { kind: 'waits', on: waitsOn } : { kind: 'fits', cap };
}

/** The shortest answer worth having: the highest floor of the accounts that shrink. */
function floorOf({ places, demand }: Candidate): number {
  let floor = 0;
  for (const place of places) if (shrinks(place)) floor = Math.max(floor, Math.min(place.account.spec.floorOutputTokens, demand.outputCap));
  return floor;
}

/** What the call would hold in one account. Where it can be ended: what is left, when no more is to be had, in place of all. */
function needIn(place: Place, cap: number, room: bigint, isLastChance: boolean): bigint {
  const need = place.candidate.demand.holdAt(place.account.spec, cap);
  if (need <= room || !ends(place) || !(isLastChance || isAlone(place))) return need;
  return room >= leastIn(place) ? room : need;
}

function leastIn({ account: { spec }, candidate: { demand } }: Place): bigint {
  return demand.holdAt(spec, Math.min(spec.floorOutputTokens, demand.outputCap));
}

/** The lowest cap that any of the accounts asks for. */
function capFor(candidate: Candidate, answers: AnswerStatistics, isLastChance: boolean): number {
  let cap = candidate.demand.outputCap;
  for (const place of candidate.places) if (shrinks(place)) cap = Math.min(cap, capIn(place, answers, isLastChance));
  return cap;
}

/**
 * The cap that one shrinking account has for a call. As asked where there is enough for all who compete for it. Where it
 * is scarce: an equal share, but at least what answers of this profile need, for which it waits while others hold
 * something. When nobody else does, or the wait is over: whatever is left.
 */
function capIn(place: Place, answers: AnswerStatistics, isLastChance: boolean): number {
  const {
    account,
    candidate: { demand },
  } = place;
  const { spec } = account;
  const room = roomFor(place) + (account.outlook?.offer ?? 0n);
  const competitors = BigInt(1 + account.holds + account.line.length - (place.queued ? 1 : 0));
  if (demand.holdAt(spec, demand.outputCap) * competitors <= room) return demand.outputCap;
  const needed = neededCap(place, answers);
  if (demand.holdAt(spec, needed) <= room) {
    return Math.max(needed, demand.capWithin(spec, room / (competitors > SCARCE_SHARES ? competitors : SCARCE_SHARES)));
  }
  return isLastChance || isAlone(place) ? demand.capWithin(spec, room) : needed;
}

/** Nobody else holds anything there, or comes first. */
function isAlone(place: Place): boolean {
  const { candidate, account } = place;
  const { pending, outlook, line } = account;
  return pending === candidate.heldIn(account) && (outlook?.elsewhere ?? 0n) === 0n && (line.head === undefined || line.head === place);
}

/**
 * The cap that an answer needs so as not to be cut short, as far as is known. Of an unknown profile: as asked if the
 * caller named it and it can be had; otherwise an eighth of what is not spent, so that some run at once and teach.
 */
function neededCap({ account, candidate: { command, demand } }: Place, answers: AnswerStatistics): number {
  const ample = answers.ampleCap(command.profile);
  if (ample !== undefined) return Math.min(demand.outputCap, Math.max(ample, account.spec.floorOutputTokens));
  const { unspent } = account;
  if (!command.quote.capIsDefault && demand.holdAt(account.spec, demand.outputCap) <= unspent) return demand.outputCap;
  const slice = demand.capWithin(account.spec, unspent / SCARCE_SHARES);
  return Math.min(demand.outputCap, Math.max(slice, UNKNOWN_ANSWER_TOKENS));
}

/** What a reservation may take from an account: all that is free for the first in line; for others, what is left when the rest of the line has what it needs. */
function roomFor(place: Place): bigint {
  const { account } = place;
  const { free, line } = account;
  if (line.head === place) return free;
  return place.queued ? free - (line.earmarked - place.need) : free - line.earmarked;
}

/** As last weighed, does it lack something here? */
export function isShort(place: Place): boolean {
  return place.need > roomFor(place);
}

/** Why waiting is of no use, where it is not. In a shared account it is of use until no more can come from elsewhere. */
function refusalOf(candidate: Candidate, place: Place, room: bigint, at: EpochMs, isLastChance: boolean): Refused | undefined {
  const { id } = candidate.command;
  const { account, least } = place;
  const { spec, outlook } = account;
  if (outlook !== undefined && !isLastChance && (!outlook.isFinal || (least <= room + outlook.offer && least <= outlook.limitAmount))) return undefined;
  const refuse = (reason: Refused['reason'], retryAtMs: EpochMs | undefined): Refused => ({
    kind: 'refused',
    id,
    account: { limit: account.limit, subject: account.subject },
    reason,
    retryAtMs,
  });
  const isRate = spec.kind === 'rate';
  if (least > (outlook?.limitAmount ?? spec.limit)) return refuse('too_small_for_call', undefined);
  // What the call itself holds does not come free for it.
  if (least > account.unspent - candidate.heldIn(account)) return refuse(isRate ? 'rate_limited' : 'exhausted', account.enoughAt(least, at));
  if (spec.waitMs > 0 && !isLastChance) return undefined;
  if (isRate) return refuse('rate_limited', account.enoughAt(least, at));
  return refuse(spec.waitMs > 0 ? 'wait_timeout' : 'exhausted', retryAfterHolds(account, at));
}

/** Holds end at any moment; the window's end helps if that is sooner. */
export function retryAfterHolds(account: Account, at: EpochMs): EpochMs {
  return Math.min(at + RETRY_AFTER_HOLDS_MS, Math.max(at, account.rollsAt));
}

/** Of several refusals the one that lasts longest is told: retrying before its end is of no use. */
function laterOf(one: Refused | undefined, other: Refused): Refused {
  if (one === undefined || one.retryAtMs === undefined) return one ?? other;
  return other.retryAtMs === undefined || other.retryAtMs > one.retryAtMs ? other : one;
}

/** Whether less than a whole hold will do there, as the answer is capped to it. */
function shrinks(place: Place): boolean {
  return governs(place.account) && place.account.spec.nearLimit !== 'Reject' && !ends(place);
}

/** Whether less than a whole hold will do there, as the answer is ended when it is used. That keeps no strict promise: what was generated by then is billed. */
function ends({ account, candidate: { command } }: Place): boolean {
  return governs(account) && account.spec.nearLimit === 'CutStream' && command.canBeEnded === true && !holdsUpperBound(account.spec);
}
