import type { Account, Counter } from './account.ts';
import { assertTokens } from './demand.ts';
import type { Actual, HeldAnswer, Hold, ReservationId, Settled, Settlement } from './types.ts';

/** A hold, and where it is counted. */
export interface HeldPart {
  readonly account: Account;
  readonly counter: Counter;
  readonly hold: Hold;
  /** Held as an upper bound, by the limit's mode when it was granted. */
  readonly isBound: boolean;
}

export interface Held {
  readonly parts: readonly HeldPart[];
  readonly answer: HeldAnswer | undefined;
  /** Reservations that are released with it: what it needed besides. */
  grownBy?: ReservationId[];
}

/** Ends each hold in the window where it was made. Only where the hold was an upper bound is going beyond it an overrun. */
export function settleParts(id: ReservationId, { parts }: Held, settlement: Settlement): Settled {
  const posted: Hold[] = [];
  const overrun: Hold[] = [];
  for (const { account, counter, hold, isBound } of parts) {
    const amount = postingOf(account.spec.unit, hold.amount, isBound, settlement);
    account.settle(counter, hold.amount, amount);
    posted.push({ ...hold, amount });
    if (isBound && amount > hold.amount) overrun.push({ ...hold, amount: amount - hold.amount });
  }
  return overrun.length === 0 ? { kind: 'settled', id, posted } : { kind: 'settled', id, posted, overrun };
}

/** After all that a call held is released: how far it went beyond that, where nothing was free for it. */
export function overdrawnBy({ parts }: Held, grown: readonly Held[], { posted }: Settled): Hold[] {
  return parts.flatMap(({ account, hold, isBound }, index) => {
    let beyond = (posted[index]?.amount ?? 0n) - hold.amount;
    for (const more of grown) for (const part of more.parts) if (part.account === account) beyond -= part.hold.amount;
    const lacking = -account.free;
    const amount = beyond < lacking ? beyond : lacking;
    return isBound || account.spec.kind !== 'budget' || account.spec.mode === 'Observe' || amount <= 0n ? [] : [{ ...hold, amount }];
  });
}

/** Throws on amounts that no provider can mean: a bug of the meter, found before anything is changed. */
export function assertSettlement(settlement: Settlement): void {
  const used = usedBy(settlement);
  if (used === undefined) return;
  if (used.nanoUsd < 0n) throw new RangeError('a settlement has a negative amount of money');
  assertTokens(used.tokens);
  assertTokens(used.outputTokens);
}

function postingOf(unit: 'usd' | 'tokens' | 'requests', held: bigint, isBound: boolean, settlement: Settlement): bigint {
  const used = usedBy(settlement);
  if (used === undefined) return 0n;
  if (unit === 'requests' || (settlement.kind === 'estimated' && isBound)) return held;
  return unit === 'usd' ? used.nanoUsd : BigInt(used.tokens);
}

function usedBy(settlement: Settlement): Actual | undefined {
  switch (settlement.kind) {
    case 'void':
      return undefined;
    case 'actual':
      return settlement.actual;
    case 'estimated':
      return settlement.estimate;
  }
}
