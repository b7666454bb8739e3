import type { LimitSpec } from '../../src/core/ledger/index.ts';
import type { Prng } from './prng.ts';

/** What one run is made of; all of it follows from the seed. */
export interface Scenario {
  readonly holders: number;
  readonly limits: readonly LimitSpec[];
  readonly faults: Faults;
  /** Between two calls of one holder, on average. */
  readonly callEveryMs: number;
}

/** In percent of messages, or on average once in so many milliseconds (0: never). */
export interface Faults {
  readonly lossPercent: number;
  readonly duplicatePercent: number;
  readonly slowPercent: number;
  readonly partitionEveryMs: number;
  readonly killEveryMs: number;
  readonly powerCutEveryMs: number;
  readonly diskLossEveryMs: number;
  readonly failoverEveryMs: number;
  readonly storeOutageEveryMs: number;
  readonly rivalEveryMs: number;
  readonly clockJumpEveryMs: number;
  readonly limitChangeEveryMs: number;
  readonly skewMs: number;
}

export const NO_FAULTS: Faults = {
  lossPercent: 0,
  duplicatePercent: 0,
  slowPercent: 0,
  partitionEveryMs: 0,
  killEveryMs: 0,
  powerCutEveryMs: 0,
  diskLossEveryMs: 0,
  failoverEveryMs: 0,
  storeOutageEveryMs: 0,
  rivalEveryMs: 0,
  clockJumpEveryMs: 0,
  limitChangeEveryMs: 0,
  skewMs: 0,
};

const common = { nearLimit: 'Reject', floorOutputTokens: 4, waitMs: 5_000, kind: 'budget', mode: 'Strict', unit: 'usd', alerts: [50, 80, 100] } as const;

const LIMITS: readonly LimitSpec[] = [
  { ...common, id: 'life', limit: 60_000n, window: { kind: 'lifetime' } },
  { ...common, id: 'life-shrink', limit: 60_000n, window: { kind: 'lifetime' }, nearLimit: 'Shrink' },
  { ...common, id: 'minute', limit: 20_000n, window: { kind: 'calendar', unit: 'minute', timeZone: 'UTC' }, nearLimit: 'Shrink' },
  { ...common, id: 'hour', limit: 90_000n, window: { kind: 'calendar', unit: 'hour', timeZone: 'Europe/Berlin' } },
  { ...common, id: 'tokens', unit: 'tokens', limit: 9_000n, window: { kind: 'calendar', unit: 'minute', timeZone: 'UTC' } },
  { ...common, id: 'rolling', limit: 15_000n, window: { kind: 'rolling', durationMs: 30_000 } },
  { ...common, id: 'rate', unit: 'requests', limit: 60n, window: { kind: 'calendar', unit: 'minute', timeZone: 'UTC' }, kind: 'rate', waitMs: 0 },
  { ...common, id: 'bounded', limit: 120_000n, window: { kind: 'lifetime' }, mode: 'Bounded', nearLimit: 'Shrink' },
  { ...common, id: 'bounded-cut', limit: 40_000n, window: { kind: 'lifetime' }, mode: 'Bounded', nearLimit: 'CutStream' },
  { ...common, id: 'seen', limit: 1_000n, window: { kind: 'lifetime' }, mode: 'Observe' },
];

/** Calm runs, and runs with some of all faults, at different rates. */
export function scenarioOf(prng: Prng): Scenario {
  const wild = prng.percent(90);
  const often = (probability: number, fromMs: number, toMs: number) => (wild && prng.percent(probability) ? prng.between(fromMs, toMs) : 0);
  return {
    holders: 2 + prng.below(prng.percent(20) ? 7 : 3),
    limits: LIMITS.filter(() => prng.percent(50))
      .concat(LIMITS.slice(0, 1))
      .filter((spec, index, all) => all.findIndex(({ id }) => id === spec.id) === index),
    callEveryMs: prng.percent(15) ? prng.between(3_000, 20_000) : prng.between(60, 600),
    faults: {
      lossPercent: wild ? prng.between(0, 15) : 0,
      duplicatePercent: wild ? prng.between(0, 15) : 0,
      slowPercent: wild ? prng.between(0, 10) : 0,
      partitionEveryMs: often(70, 10_000, 60_000),
      killEveryMs: often(60, 8_000, 90_000),
      powerCutEveryMs: often(40, 20_000, 90_000),
      diskLossEveryMs: often(40, 20_000, 120_000),
      failoverEveryMs: often(60, 8_000, 90_000),
      storeOutageEveryMs: often(50, 10_000, 90_000),
      rivalEveryMs: often(60, 8_000, 90_000),
      clockJumpEveryMs: often(50, 5_000, 60_000),
      limitChangeEveryMs: often(60, 5_000, 60_000),
      skewMs: wild && prng.percent(60) ? 300_000 : 0,
    },
  };
}
