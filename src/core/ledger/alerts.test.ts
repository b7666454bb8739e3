import { describe, expect, it } from 'vitest';
import { Ledger } from './index.ts';
import type { LimitSpec } from './index.ts';
import { START, actual, limit, minute, reservation } from './tables.test-support.ts';

class Run {
  ledger = new Ledger();
  #calls = 0;

  constructor(...limits: readonly LimitSpec[]) {
    this.configure(...limits);
  }

  configure(...limits: readonly LimitSpec[]): void {
    expect(this.ledger.configure(limits, START, 0)).toEqual({ ok: true, value: undefined });
  }

  /** What is told when one call has used so many tokens. */
  spend(tokens: number, seconds = 0, names = 'team'): readonly string[] {
    const id = `${this.#calls++}`;
    expect(this.ledger.reserve(reservation(id, tokens, names, seconds)).kind).toBe('granted');
    this.ledger.settle(id, actual(tokens), START + seconds * 1_000, seconds * 1_000);
    return this.ledger.takeAlerts().map(({ limit: name, subject, percent, posted }) => `${name}/${subject} ${percent}% at ${posted}`);
  }
}

const alerts = [80, 50, 100];

describe('thresholds', () => {
  it('are told once each, those that are passed at once as well, lowest first', () => {
    const run = new Run(limit('team', { alerts }));
    expect(run.spend(49)).toEqual([]);
    expect(run.spend(1)).toEqual(['team/ 50% at 50']);
    expect(run.spend(10)).toEqual([]);
    expect(run.spend(40)).toEqual(['team/ 80% at 100', 'team/ 100% at 100']);
  });

  it('are each account’s own, and each window’s', () => {
    const run = new Run(limit('team', { alerts, window: minute }));
    expect(run.spend(60, 0, 'team/a')).toEqual(['team/a 50% at 60']);
    expect(run.spend(60, 1, 'team/b')).toEqual(['team/b 50% at 60']);
    expect(run.spend(60, 61, 'team/a')).toEqual(['team/a 50% at 60']);
  });

  it('are told again when what is in a rolling window has become less meanwhile', () => {
    const run = new Run(limit('team', { alerts, window: { kind: 'rolling', durationMs: 60_000 } }));
    expect(run.spend(60)).toHaveLength(1);
    expect(run.spend(10, 62)).toEqual([]);
    expect(run.spend(60, 64)).toEqual(['team/ 50% at 70']);
  });

  it('are not told again when the limit is raised, nor lowered and raised', () => {
    const run = new Run(limit('team', { alerts }));
    expect(run.spend(50)).toHaveLength(1);
    run.configure(limit('team', { alerts, limit: 200n }));
    expect(run.spend(50)).toEqual([]);
    expect(run.spend(60)).toEqual(['team/ 80% at 160']);
  });

  it('are not told again after a restart', () => {
    const run = new Run(limit('team', { alerts }));
    run.spend(60);
    const { posted } = run.ledger.checkpoint();
    run.ledger = new Ledger();
    run.configure(limit('team', { alerts }));
    for (const window of posted) run.ledger.restorePosted(window, START);
    expect(run.spend(1)).toEqual([]);
    expect(run.spend(20)).toEqual(['team/ 80% at 81']);
  });

  it('are none where a limit has none', () => {
    expect(new Run(limit('team')).spend(100)).toEqual([]);
  });

  it.each([[[0]], [[101]], [[50.5]], [[Number.NaN]], [Array.from({ length: 11 }, (_, index) => index + 1)]])('cannot be %j', (wrong) => {
    expect(new Ledger().configure([limit('team', { alerts: wrong })], START, 0)).toMatchObject({ ok: false, error: [{ field: 'alerts' }] });
  });
});
