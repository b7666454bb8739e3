import { describe, expect, it } from 'vitest';
import { Ledger } from './index.ts';
import { START, limit, quoteOf } from './tables.test-support.ts';

/** Enough for the engine to have made up its mind. */
const WARM_UP = 10_000;
const CALLS = 20_000;
const IN_FLIGHT = 200;

/** Of the processor's time, which is no longer where others use it as well; caches that others empty make it a few times longer. */
const MOST_MEAN_MS = 0.05;

const limits = [
  limit('organization', { unit: 'usd', limit: 10n ** 17n, window: { kind: 'calendar', unit: 'month', timeZone: 'Europe/Berlin' }, alerts: [50, 80, 100] }),
  limit('team', {
    unit: 'usd',
    limit: 10n ** 17n,
    window: { kind: 'calendar', unit: 'day', timeZone: 'Asia/Shanghai' },
    mode: 'Bounded',
    nearLimit: 'CutStream',
  }),
  limit('workload', { unit: 'usd', limit: 10n ** 17n, window: { kind: 'rolling', durationMs: 86_400_000 }, nearLimit: 'Shrink' }),
  limit('tokens', { limit: 10n ** 17n, window: { kind: 'calendar', unit: 'minute', timeZone: 'UTC' }, mode: 'Observe' }),
  limit('requests', { unit: 'requests', limit: 10n ** 17n, window: { kind: 'lifetime' } }),
];

class Run {
  readonly ledger = new Ledger();
  readonly #accounts = limits.map(({ id }) => ({ limit: id, subject: '' }));
  #calls = 0;

  constructor() {
    expect(this.ledger.configure(limits, START, 0).ok).toBe(true);
  }

  call(): void {
    const call = this.#calls++;
    const at = START + call;
    const command = { id: `${call}`, at, now: call, accounts: this.#accounts, quote: quoteOf(1_000), profile: 'shop', canBeEnded: true };
    const outcome = this.ledger.reserve(command);
    if (outcome.kind !== 'granted') throw new Error(outcome.kind);
    this.ledger.settle(`${call - IN_FLIGHT}`, { kind: 'actual', actual: { nanoUsd: 300n, tokens: 300, outputTokens: 300 } }, at, call);
  }
}

describe('admission with five matching budgets', () => {
  it('and settlement take less than 50 microseconds', () => {
    const run = new Run();
    for (let call = 0; call < WARM_UP; call += 1) run.call();
    const before = process.threadCpuUsage();
    for (let call = 0; call < CALLS; call += 1) run.call();
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1_000 / CALLS).toBeLessThan(MOST_MEAN_MS);
  });

  it('keeps nothing of calls that have ended', () => {
    const run = new Run();
    const kept = (): readonly number[] => {
      const { posted, held, answers } = run.ledger.checkpoint();
      return [posted.length, held.length, answers.length, run.ledger.takeAlerts().length, run.ledger.takeDecided().length];
    };
    for (let call = 0; call < 1_000; call += 1) run.call();
    const before = kept();
    expect(before[1]).toBe(IN_FLIGHT);
    for (let call = 0; call < CALLS; call += 1) run.call();
    expect(kept()).toEqual(before);
  });
});
