import { describe, expect, it } from 'vitest';
import { Ledger, MAX_SUBJECTS, MAX_WAITING, OTHER_SUBJECTS } from './index.ts';
import type { ReserveCommand, Settlement } from './index.ts';
import { START, actual, limit, minute, rate, reservation, team, told } from './tables.test-support.ts';

describe('bad input', () => {
  const faulty = [
    { changes: { limit: 0n }, field: 'limit' },
    { changes: { limit: -5n }, field: 'limit' },
    { changes: { limit: 10n ** 18n + 1n }, field: 'limit' },
    { changes: { floorOutputTokens: 0 }, field: 'floorOutputTokens' },
    { changes: { floorOutputTokens: 1.5 }, field: 'floorOutputTokens' },
    { changes: { waitMs: -1 }, field: 'waitMs' },
    { changes: { waitMs: NaN }, field: 'waitMs' },
    { changes: { waitMs: 600_001 }, field: 'waitMs' },
    { changes: { window: { kind: 'rolling', durationMs: 0 } }, field: 'window.durationMs' },
    { changes: { window: { kind: 'rolling', durationMs: Infinity } }, field: 'window.durationMs' },
    { changes: { window: { ...minute, timeZone: 'Mars/Olympus' } }, field: 'window.timeZone' },
  ] as const;
  it.each(faulty)('a limit with $changes: the ledger goes on as it was', ({ changes, field }) => {
    const ledger = new Ledger();
    ledger.configure([team], START, 0);
    const outcome = ledger.configure([limit('fine'), limit('bad', changes)], START, 0);
    expect(outcome).toMatchObject({ ok: false, error: [{ limit: 'bad', field }] });
    expect(ledger.reserve(reservation('a', 30, 'team')).kind).toBe('granted');
  });

  it('two limits of one name', () => {
    expect(new Ledger().configure([team, team], START, 0)).toMatchObject({ ok: false, error: [{ limit: 'team', field: 'id' }] });
  });

  const wrong: readonly [string, ReserveCommand, RegExp][] = [
    ['an id that is held', reservation('held', 1, 'team'), /"held" exists already/],
    ['an id that waits', reservation('waits', 1, 'team'), /"waits" exists already/],
    ['an unknown limit', reservation('new', 1, 'team,unheard-of'), /no limit "unheard-of" is in force/],
    ['a limit twice', reservation('new', 1, 'team,team/x'), /a limit twice/],
    ['negative money', reservation('new', 1, 'team', 0, { fixedNanoUsd: -1n }), /negative amount of money/],
    ['a negative price', reservation('new', 1, 'team', 0, { outputNanoUsdPerMillion: -1n }), /negative amount of money/],
    ['negative tokens', reservation('new', 1, 'team', 0, { inputTokens: -1 }), /-1 is not a number of tokens/],
    ['no number of tokens', reservation('new', 1, 'team', 0, { outputCap: NaN }), /NaN is not a number of tokens/],
    ['no choices', reservation('new', 1, 'team', 0, { choices: 0 }), /0 choices/],
  ];
  it.each(wrong)('a reservation with %s is a bug and changes nothing', (_name, asked, message) => {
    const ledger = new Ledger();
    ledger.configure([team], START, 0);
    ledger.reserve(reservation('held', 60, 'team'));
    ledger.reserve(reservation('waits', 60, 'team'));
    const before = ledger.checkpoint();
    expect(() => ledger.reserve(asked)).toThrow(message);
    expect(ledger.checkpoint()).toEqual(before);
  });

  it.each([{ tokens: -1 }, { tokens: 0.5 }, { outputTokens: NaN }, { nanoUsd: -1n }])('a settlement with %o is a bug and leaves the hold', (changes) => {
    const ledger = new Ledger();
    ledger.configure([team], START, 0);
    ledger.reserve(reservation('a', 60, 'team'));
    const settlement: Settlement = { kind: 'actual', actual: { nanoUsd: 1n, tokens: 1, outputTokens: 1, ...changes } };
    expect(() => ledger.settle('a', settlement, START, 0)).toThrow(RangeError);
    expect(ledger.settle('a', actual(5), START, 0)?.posted).toMatchObject([{ amount: 5n }]);
  });

  it('what cannot be restored is said, and left', () => {
    const ledger = new Ledger();
    ledger.configure([team], START, 0);
    const posted = { limit: 'team', subject: '', windowStart: 0, amount: 5n };
    expect(ledger.restorePosted({ ...posted, limit: 'gone' }, START)).toEqual({ ok: false, error: 'no limit "gone" is in force' });
    expect(ledger.restorePosted({ ...posted, amount: -5n }, START)).toMatchObject({ ok: false });
    expect(ledger.restorePosted({ ...posted, windowStart: NaN }, START)).toMatchObject({ ok: false });
    expect(ledger.restoreHold({ id: 'a', holds: [posted, { ...posted, limit: 'gone' }] }, START).ok).toBe(true);
    expect(ledger.restoreHold({ id: 'a', holds: [posted] }, START)).toEqual({ ok: false, error: 'reservation "a" exists already' });
    expect(ledger.settle('a', actual(3), START, 0)?.posted).toEqual([{ ...posted, amount: 3n }]);
  });
});

describe('bounds', () => {
  it(`at most ${MAX_WAITING} wait`, () => {
    const ledger = new Ledger();
    ledger.configure([team], START, 0);
    ledger.reserve(reservation('held', 60, 'team'));
    for (let count = 0; count < MAX_WAITING; count += 1) expect(ledger.reserve(reservation(`w${count}`, 60, 'team')).kind).toBe('waiting');
    expect(told(ledger.reserve(reservation('one more', 60, 'team')))).toBe('too_many_waiting in team, retry at 5');
    ledger.advance(START + 30_000, 30_000);
    expect(ledger.takeDecided()).toHaveLength(MAX_WAITING);
    expect(ledger.nextDeadline()).toBeUndefined();
  });

  it('made-up subjects bring no new money: beyond the bound they share one account', () => {
    const ledger = new Ledger();
    ledger.configure([team], START, 0);
    for (let count = 0; count < MAX_SUBJECTS; count += 1) ledger.reserve(reservation(`r${count}`, 60, `team/${count}`));
    const outcome = ledger.reserve(reservation('x', 60, 'team/x'));
    expect(outcome).toMatchObject({ kind: 'granted', holds: [{ subject: OTHER_SUBJECTS }] });
    expect(ledger.reserve(reservation('y', 60, 'team/y')).kind).toBe('waiting');
  });

  it('accounts whose windows are over and empty are dropped', () => {
    const ledger = new Ledger();
    ledger.configure([limit('team', { window: minute })], START, 0);
    for (let count = 0; count < 50_000; count += 1) {
      ledger.reserve(reservation(`r${count}`, 60, `team/${count}`, count));
      ledger.settle(`r${count}`, actual(1), START + count * 1_000, count * 1_000);
    }
    expect(ledger.views(START + 50_000_000).length).toBeLessThan(2_000);
  });
});

describe('a call that needs more than it holds', () => {
  const free = (ledger: Ledger) => ledger.view({ limit: 'team', subject: '' }, START)?.free;

  it('has it by further reservations, which end with it', () => {
    const ledger = new Ledger();
    ledger.configure([limit('team', { mode: 'Bounded' })], START, 0);
    ledger.reserve(reservation('a', 20, 'team'));
    ledger.reserve(reservation('a+1', 30, 'team'));
    ledger.reserve(reservation('b', 60, 'team'));
    expect(ledger.grow('a', 'a+1')).toBe(true);
    expect(free(ledger)).toBe(50n);
    expect(ledger.settle('a', actual(40), START, 0)?.posted).toMatchObject([{ amount: 40n }]);
    expect(ledger.takeDecided()).toMatchObject([{ kind: 'granted', id: 'b' }]);
    expect(free(ledger)).toBe(0n);
    expect(ledger.settle('a+1', actual(40), START, 0)).toBeUndefined();
  });

  it.each([
    ['a', 'gone'],
    ['gone', 'a'],
    ['a', 'a'],
    ['a', 'waits'],
  ])('but not %s by %s', (id, by) => {
    const ledger = new Ledger();
    ledger.configure([team], START, 0);
    ledger.reserve(reservation('a', 20, 'team'));
    ledger.reserve(reservation('waits', 90, 'team'));
    expect(ledger.grow(id, by)).toBe(false);
    ledger.settle('a', actual(5), START, 0);
    ledger.settle('waits', actual(5), START, 0);
    expect(free(ledger)).toBe(90n);
  });

  it('keeps what it grew by over a restart', () => {
    const ledger = new Ledger();
    ledger.configure([team], START, 0);
    ledger.reserve(reservation('a', 20, 'team'));
    ledger.reserve(reservation('a+1', 30, 'team'));
    ledger.grow('a', 'a+1');
    expect(ledger.checkpoint().held.map(({ id, holds }) => [id, holds[0]?.amount])).toEqual([
      ['a', 20n],
      ['a+1', 30n],
    ]);
  });
});

describe('what headers say', () => {
  it('remaining, and when the account is whole again', () => {
    const ledger = new Ledger();
    ledger.configure([limit('rate', { ...rate, unit: 'requests', limit: 3n }), team], START, 0);
    const account = { limit: 'rate', subject: '' };
    expect(ledger.rateView(account, START)).toEqual({ limitAmount: 3n, remaining: 3n, resetAtMs: undefined });
    ledger.reserve(reservation('a', 1, 'rate'));
    ledger.reserve(reservation('b', 1, 'rate', 10));
    expect(ledger.rateView(account, START + 10_000)).toEqual({ limitAmount: 3n, remaining: 1n, resetAtMs: START + 71_000 });
    expect(ledger.rateView(account, START + 70_999)).toEqual({ limitAmount: 3n, remaining: 2n, resetAtMs: START + 71_000 });
    expect(ledger.rateView({ limit: 'gone', subject: '' }, START)).toBeUndefined();
  });

  it('an account that was never used shows its limit', () => {
    const ledger = new Ledger();
    ledger.configure([limit('day', { window: { kind: 'calendar', unit: 'day', timeZone: 'Asia/Shanghai' } })], START, 0);
    expect(ledger.views(START)).toEqual([]);
    expect(ledger.view({ limit: 'day', subject: 'x' }, START)).toMatchObject({
      posted: 0n,
      pending: 0n,
      free: 100n,
      windowStart: Date.parse('2026-05-03T16:00:00Z'),
      windowEnd: Date.parse('2026-05-04T16:00:00Z'),
    });
    expect(ledger.views(START)).toEqual([]);
  });
});
