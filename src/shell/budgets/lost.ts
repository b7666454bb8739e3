import type { CallHold, CallRecord } from '../../core/call/index.ts';
import { Ledger } from '../../core/ledger/index.ts';
import type { Hold, LimitSpec, Settlement } from '../../core/ledger/index.ts';
import type { EpochMs } from '../../core/units/index.ts';
import type { Cover } from '../stores/sqlite/index.ts';

/** How a call ends of which nobody knows what became: by the estimate that was made of it. Each mode posts what it promises. */
export function lostSettlement({ estimate: { nanoUsd, inputTokens, outputTokens } }: CallHold): Settlement {
  return { kind: 'estimated', estimate: { nanoUsd, tokens: inputTokens + outputTokens, outputTokens } };
}

/** The record of a call that was found in flight after a restart. */
export function lostRecord(hold: CallHold, posted: readonly Hold[], isStrict: (limit: string) => boolean, endedAt: EpochMs): CallRecord {
  const { estimate, holds: _holds, ...call } = hold;
  return {
    ...call,
    endedAt,
    ending: 'lost',
    status: 0,
    servedModel: undefined,
    usage: { inputTokens: estimate.inputTokens, outputTokens: estimate.outputTokens },
    estimated: true,
    costNanoUsd: hold.priceSource === undefined ? undefined : estimate.nanoUsd,
    chargedNanoUsd: posted.some(({ limit }) => isStrict(limit)) ? hold.heldNanoUsd : estimate.nanoUsd,
    posted,
    shrunkToTokens: undefined,
  };
}

/** The record of a cover that is charged in place of what a power cut took back. */
export function lostCoverRecord({ id, at, hold, of }: Cover, posted: readonly Hold[], isUsd: boolean, endedAt: EpochMs): CallRecord {
  const nanoUsd = isUsd ? hold.amount : 0n;
  return {
    ...of,
    id,
    at,
    stream: false,
    priceSource: undefined,
    heldNanoUsd: nanoUsd,
    endedAt,
    ending: 'lost',
    status: 0,
    servedModel: undefined,
    usage: { inputTokens: 0, outputTokens: 0 },
    estimated: true,
    costNanoUsd: undefined,
    chargedNanoUsd: nanoUsd,
    posted,
    shrunkToTokens: undefined,
  };
}

/** What a lost call's holds post under limits as they were when it was held; under those that nobody knows any more, all of it. */
export function lostPostings(hold: CallHold, limits: readonly LimitSpec[], at: EpochMs): readonly Hold[] {
  const ledger = new Ledger();
  const configured = ledger.configure(limits, at, 0);
  const known = new Set(configured.ok ? limits.map(({ id }) => id) : []);
  ledger.restoreHold({ id: hold.id, holds: hold.holds }, at);
  const settled = ledger.settle(hold.id, lostSettlement(hold), at, 0);
  return [...(settled?.posted ?? []), ...hold.holds.filter(({ limit }) => !known.has(limit))];
}
