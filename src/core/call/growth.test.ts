import { describe, expect, it } from 'vitest';
import { Ledger } from '../ledger/index.ts';
import type { Granted, LimitSpec, Quote, ReserveCommand } from '../ledger/index.ts';
import type { BudgetPolicy } from '../policy/index.ts';
import { Growth } from './growth.ts';
import type { BudgetGate } from './ports.ts';

const AT = Date.parse('2026-05-04T10:00:00Z');

const budget = (id: string, changes: Partial<BudgetPolicy> = {}): BudgetPolicy => ({
  id,
  unit: 'tokens',
  limit: 1_000n,
  window: { kind: 'lifetime' },
  mode: 'Bounded',
  nearLimit: 'CutStream',
  floorOutputTokens: 16,
  waitMs: 1_000,
  alerts: [],
  per: [],
  models: [],
  providers: [],
  headers: [],
  ...changes,
});

const specOf = ({ id, unit, limit, window, mode, nearLimit, floorOutputTokens, waitMs }: BudgetPolicy): LimitSpec => ({
  kind: 'budget',
  id,
  unit,
  limit,
  window,
  mode,
  nearLimit,
  floorOutputTokens,
  waitMs,
});

/** Ten tokens of input; an answer is expected to have a hundred, and may have ten thousand. A token costs a nano-dollar. */
const QUOTE: Quote = {
  fixedNanoUsd: 10n,
  outputNanoUsdPerMillion: 1_000_000n,
  inputTokens: 10,
  choices: 1,
  outputCap: 10_000,
  capIsDefault: true,
  estimate: { nanoUsd: 110n, tokens: 110, outputTokens: 100 },
};

class Bench {
  readonly ledger = new Ledger();
  readonly budgets: readonly BudgetPolicy[];
  readonly #told = new Map<string, Parameters<BudgetGate['extend']>[2]>();
  nowMs = 0;

  constructor(...budgets: readonly BudgetPolicy[]) {
    this.budgets = budgets;
    expect(this.ledger.configure(budgets.map(specOf), AT, 0).ok).toBe(true);
  }

  reserve(id: string, more: Partial<ReserveCommand> = {}): Granted {
    const accounts = this.budgets.map((one) => ({ limit: one.id, subject: '' }));
    const outcome = this.ledger.reserve({ id, at: AT, now: this.nowMs, accounts, quote: QUOTE, profile: 'p', canBeEnded: true, ...more });
    if (outcome.kind !== 'granted') throw new Error(outcome.kind);
    return outcome;
  }

  stream(granted: Granted): Growth {
    const extend: BudgetGate['extend'] = (id, more, told) => {
      const outcome = this.ledger.reserve(more);
      const tell: typeof told = (decision) => {
        if (decision.kind === 'granted') expect(this.ledger.grow(id, more.id)).toBe(true);
        told(decision);
      };
      if (outcome.kind === 'waiting') this.#told.set(more.id, tell);
      else tell(outcome);
    };
    const clock = { epochMs: () => AT, monotonicMs: () => this.nowMs };
    return new Growth({ granted, quote: QUOTE, budgets: this.budgets, profile: 'p', gate: { extend }, clock });
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.ledger.advance(AT, this.nowMs);
    for (const outcome of this.ledger.takeDecided()) this.#told.get(outcome.id)?.(outcome);
  }

  pending(limit: string): bigint | undefined {
    return this.ledger.view({ limit, subject: '' }, AT)?.pending;
  }
}

/** How many tokens a stream may have that is read one by one. */
function lengthOf(growth: Growth, most = 20_000): number {
  let tokens = 0;
  while (tokens < most && growth.reached(tokens + 1, tokens + 1)) tokens += 1;
  return tokens;
}

describe('a hold in a bounded budget', () => {
  it('begins at what is expected, and grows in steps that come before they are needed', () => {
    const bench = new Bench(budget('b', { limit: 100_000n }));
    const growth = bench.stream(bench.reserve('one'));
    expect(bench.pending('b')).toBe(110n);
    expect(growth.reached(60, 60)).toBe(true);
    expect(bench.pending('b')).toBe(110n);
    expect(growth.reached(70, 70)).toBe(true);
    expect(bench.pending('b')).toBe(174n);
    expect(growth.reached(1_000, 1_000)).toBe(true);
    expect(bench.pending('b')).toBeGreaterThan(1_010n);
    bench.ledger.settle('one', { kind: 'actual', actual: { nanoUsd: 0n, tokens: 1_010, outputTokens: 1_000 } }, AT, 0);
    expect(bench.ledger.view({ limit: 'b', subject: '' }, AT)).toMatchObject({ posted: 1_010n, pending: 0n });
  });

  it('never grows beyond what the cap allows', () => {
    const bench = new Bench(budget('b', { limit: 100_000n }));
    expect(lengthOf(bench.stream(bench.reserve('one')))).toBe(10_000);
    expect(bench.pending('b')).toBeLessThanOrEqual(10_010n);
  });

  it('starts at what answers of this workload and model have used', () => {
    const bench = new Bench(budget('b', { limit: 100_000n }));
    for (let call = 0; call < 40; call += 1) {
      bench.reserve(`${call}`);
      bench.ledger.settle(`${call}`, { kind: 'actual', actual: { nanoUsd: 510n, tokens: 510, outputTokens: 500 } }, AT, 0);
    }
    bench.reserve('next');
    expect(bench.pending('b')).toBeGreaterThan(450n);
    expect(bench.pending('b')).toBeLessThan(550n);
  });

  it.each(['tokens', 'usd'] as const)('of %s lets a stream have all that is left, and not a token more', (unit) => {
    const bench = new Bench(budget('b', { unit }));
    expect(lengthOf(bench.stream(bench.reserve('one')))).toBe(990);
    expect(bench.pending('b')).toBe(1_000n);
  });

  it('is what is left where not even what is expected is left, and no less than the floor', () => {
    const bench = new Bench(budget('b', { limit: 60n }));
    const granted = bench.reserve('one');
    expect(granted.holds[0]?.amount).toBe(60n);
    expect(granted.outputCap).toBe(10_000);
    expect(lengthOf(bench.stream(granted))).toBe(50);
    const scarce = new Bench(budget('b', { limit: 25n }));
    expect(() => scarce.reserve('one')).toThrow('refused');
  });

  it('waits for what others hold, and is told when it is there', () => {
    const bench = new Bench(budget('b', { limit: 220n }));
    const one = bench.stream(bench.reserve('one'));
    bench.reserve('two');
    expect(one.reached(100, 100)).toBe(true);
    bench.ledger.settle('two', { kind: 'void' }, AT, 0);
    bench.pass(1);
    expect(bench.pending('b')).toBe(174n);
    expect(lengthOf(one)).toBe(210);
  });

  it('that waited in vain is all that the stream gets', () => {
    const bench = new Bench(budget('b', { limit: 220n }));
    const one = bench.stream(bench.reserve('one'));
    bench.reserve('two');
    expect(one.reached(100, 100)).toBe(true);
    bench.pass(500);
    expect(one.reached(101, 101)).toBe(false);
    expect(bench.pending('b')).toBe(220n);
  });

  it.each(['Shrink', 'Reject'] as const)('with %s goes on beyond it, into what is an overdraft', (nearLimit) => {
    const bench = new Bench(budget('b', { nearLimit }));
    const growth = bench.stream(bench.reserve('one', { quote: { ...QUOTE, estimate: { nanoUsd: 110n, tokens: 110 } } }));
    expect(lengthOf(growth, 5_000)).toBe(5_000);
    const settled = bench.ledger.settle('one', { kind: 'actual', actual: { nanoUsd: 0n, tokens: 1_300, outputTokens: 1_290 } }, AT, 0);
    expect(settled?.overdrawn).toMatchObject([{ limit: 'b', amount: 300n }]);
  });

  it('does not keep another from growing that gives no more', () => {
    const bench = new Bench(budget('scarce', { limit: 200n, nearLimit: 'Reject' }), budget('ample', { limit: 5_000n }));
    expect(lengthOf(bench.stream(bench.reserve('one')))).toBe(4_990);
  });
});

describe('a strict budget', () => {
  it('holds all from the beginning, and ends a stream only beyond its cap, surely', () => {
    const bench = new Bench(budget('b', { mode: 'Strict', limit: 20_000n }));
    const granted = bench.reserve('one');
    expect(bench.pending('b')).toBe(10_010n);
    const growth = bench.stream(granted);
    // Many bytes are no proof of many tokens.
    expect(growth.reached(9_000, 15_000)).toBe(true);
    expect(growth.reached(10_000, 15_000)).toBe(true);
    expect(growth.reached(10_001, 10_001)).toBe(false);
    expect(bench.pending('b')).toBe(10_010n);
  });

  it('that ends streams caps them all the same: the cap is no higher than the hold', () => {
    const bench = new Bench(budget('b', { mode: 'Strict', limit: 510n }));
    const granted = bench.reserve('one');
    expect([granted.outputCap, granted.shrunk, bench.pending('b')]).toEqual([500, true, 510n]);
  });
});
