import type { Usage } from '../catalog/index.ts';
import type { Settled, Settlement } from '../ledger/index.ts';
import type { EpochMs, NanoUsd } from '../units/index.ts';
import type { CallHold, CallRecord, Ending } from './record.ts';

/** How a held call ended. */
export interface Ended {
  readonly at: EpochMs;
  readonly ending: Ending;
  /** 0 where no answer began. */
  readonly status: number;
  readonly servedModel: string | undefined;
  readonly usage: Usage;
  readonly basis: 'actual' | 'estimated' | 'void';
  /** `undefined`: the price is unknown. */
  readonly costNanoUsd: NanoUsd | undefined;
  readonly shrunkToTokens: number | undefined;
  /** Whether a limit counts dollars, and refuses by them. */
  readonly isUsd: (limit: string) => boolean;
}

/** What is posted for it. */
export function settlementOf({ basis, usage, costNanoUsd }: Ended): Settlement {
  if (basis === 'void') return { kind: 'void' };
  const figures = { nanoUsd: costNanoUsd ?? 0n, tokens: usage.inputTokens + usage.outputTokens, outputTokens: usage.outputTokens };
  return basis === 'actual' ? { kind: 'actual', actual: figures } : { kind: 'estimated', estimate: figures };
}

/** What is kept of it. */
export function recordOf({ holds: _holds, estimate: _estimate, ...hold }: CallHold, ended: Ended, settled: Settled): CallRecord {
  const cost = ended.basis === 'void' ? 0n : ended.costNanoUsd;
  const postedUsd = settled.posted.filter(({ limit }) => ended.isUsd(limit)).map(({ amount }) => amount);
  return {
    ...hold,
    endedAt: ended.at,
    ending: ended.ending,
    status: ended.status,
    servedModel: ended.servedModel,
    usage: ended.usage,
    estimated: ended.basis === 'estimated',
    costNanoUsd: cost,
    chargedNanoUsd: postedUsd.reduce((most, amount) => (amount > most ? amount : most), cost ?? 0n),
    posted: settled.posted,
    shrunkToTokens: ended.shrunkToTokens,
  };
}
