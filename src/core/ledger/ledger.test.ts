import { describe, expect, it } from 'vitest';
import { Ledger, MAX_SUBJECTS, MAX_WAITING, OTHER_SUBJECTS } from './index.ts';
import type { AccountRef, Granted, LimitSpec, Quote, Refused, ReserveCommand, Settlement, Waiting } from './index.ts';

/**
 * A table is a run: when, what is done, what comes of it. Every limit counts tokens unless it says otherwise; a call's
 * input is free, so its hold is its cap. `a 30 of day,hour/x` reserves 30 as "a" in two accounts (subject after the slash).
 */
type Row = readonly [seconds: number, command: string, outcome: string];

const START = Date.parse('2026-05-04T10:00:00Z');

const team: LimitSpec = {
  id: 'team', unit: 'tokens', limit: 100n, window: { kind: 'lifetime' }, mode: 'Strict', nearLimit: 'Reject', floorOutputTokens: 10, waitMs: 30_000, kind: 'budget',
};
const limit = (id: string, changes: Partial<LimitSpec> = {}): LimitSpec => ({ ...team, id, ...changes });
const minute = { kind: 'calendar', unit: 'minute', timeZone: 'UTC' } as const;
const rate = { kind: 'rate', mode: 'Bounded', waitMs: 0, window: { kind: 'rolling', durationMs: 60_000 } } as const;

function accountsOf(names: string): AccountRef[] {
  return names.split(',').map((name) => {
    const [id = '', subject = ''] = name.split('/');
    return { limit: id, subject };
  });
}

function quoteOf(cap: number, changes: Partial<Quote> = {}): Quote {
  return {
    fixedNanoUsd: 0n, outputNanoUsdPerMillion: 1_000_000n, inputTokens: 0, choices: 1, outputCap: cap, capIsDefault: false,
    estimate: { nanoUsd: BigInt(cap), tokens: cap }, ...changes,
  };
}

function reservation(id: string, cap: number, names: string, seconds = 0, quote: Partial<Quote> = {}): ReserveCommand {
  return { id, at: START + seconds * 1_000, now: seconds * 1_000, accounts: accountsOf(names), quote: quoteOf(cap, quote), profile: 'shop' };
}

function actual(tokens: number): Extract<Settlement, { kind: 'actual' }> {
  return { kind: 'actual', actual: { nanoUsd: BigInt(tokens), tokens, outputTokens: tokens } };
}

function told(outcome: Granted | Refused | Waiting): string {
  switch (outcome.kind) {
    case 'waiting': return 'waits';
    case 'refused': return `${outcome.reason} in ${outcome.account.limit}${outcome.retryAtMs === undefined ? '' : `, retry at ${(outcome.retryAtMs - START) / 1_000}`}`;
    case 'granted': return [
      `granted ${outcome.outputCap}`, ...(outcome.shrunk ? ['shrunk'] : []), ...outcome.observed.map((account) => `over ${account.limit}`),
    ].join(', ');
  }
}

class Table {
  readonly #ledger = new Ledger();

  constructor(limits: readonly LimitSpec[]) {
    expect(this.#ledger.configure(limits, START, 0)).toEqual({ ok: true, value: undefined });
  }

  outcomeOf(seconds: number, command: string): string {
    const [at, now] = [START + seconds * 1_000, seconds * 1_000];
    const first = this.#carryOut(command.split(' '), seconds, at, now);
    return [first, ...this.#ledger.takeDecided().map((outcome) => `${outcome.id} ${told(outcome)}`)].filter((text) => text !== '').join('; ');
  }

  #carryOut([word = '', ...rest]: string[], seconds: number, at: number, now: number): string {
    const [name = '', amount = '0', names = '', flag] = rest;
    switch (word) {
      case 'settle': return this.#settle(name, actual(Number(amount)), at, now);
      case 'estimate': return this.#settle(name, { kind: 'estimated', estimate: actual(Number(amount)).actual }, at, now);
      case 'void': return this.#settle(name, { kind: 'void' }, at, now);
      case 'cancel': return this.#ledger.cancel(name, at, now) ? 'left' : 'nothing';
      case 'advance': this.#ledger.advance(at, now); return '';
      case 'next': return String((this.#ledger.nextDeadline() ?? NaN) / 1_000);
      case 'view': {
        const [view] = accountsOf(name).map((account) => this.#ledger.view(account, at));
        return view ? `${view.posted} ${view.pending} ${view.free}` : 'nothing';
      }
      case 'limit': {
        const limits = amount === '0' ? [limit('other')] : [limit(name, { limit: BigInt(amount) }), limit('other')];
        return this.#ledger.configure(limits, at, now).ok ? '' : 'refused';
      }
      // <id> <cap> of <accounts> [default]
      default: return told(this.#ledger.reserve(reservation(word, Number(name), names, seconds, { capIsDefault: flag === 'default' })));
    }
  }

  #settle(id: string, settlement: Settlement, at: number, now: number): string {
    const settled = this.#ledger.settle(id, settlement, at, now);
    if (!settled) return 'nothing';
    return [`posted ${settled.posted.map(({ amount }) => amount).join('+')}`, ...(settled.overrun ?? []).map(({ amount }) => `${amount} over`)].join(', ');
  }
}

function table(name: string, limits: readonly LimitSpec[], rows: readonly Row[]): void {
  it(name, () => {
    const run = new Table(limits);
    expect(rows.map(([seconds, command]) => [seconds, command, run.outcomeOf(seconds, command)])).toEqual(rows);
  });
}

describe('holding and settling', () => {
  table('what is not used comes back, once', [team], [
    [0, 'a 60 of team', 'granted 60'],
    [0, 'view team', '0 60 40'],
    [1, 'settle a 25', 'posted 25'],
    [1, 'view team', '25 0 75'],
    [1, 'settle a 25', 'nothing'],
    [1, 'void a', 'nothing'],
    [1, 'settle unheard-of 5', 'nothing'],
    [1, 'view team', '25 0 75'],
  ]);
  table('void posts nothing; estimated posts the whole hold where it is strict', [team, limit('bounded', { mode: 'Bounded' }), limit('calls', { unit: 'requests' })], [
    [0, 'a 40 of team,bounded,calls', 'granted 40'],
    [0, 'void a', 'posted 0+0+0'],
    [0, 'b 40 of team,bounded,calls', 'granted 40'],
    [0, 'estimate b 7', 'posted 40+7+1'],
    [0, 'view calls', '1 0 99'],
  ]);
  table('a provider that bills more than the bound is posted in full, and told of', [team], [
    [0, 'a 90 of team', 'granted 90'],
    [0, 'settle a 130', 'posted 130, 40 over'],
    [0, 'view team', '130 0 -30'],
    [0, 'b 10 of team', 'exhausted in team'],
  ]);
  table('all accounts or none, each subject its own', [team, limit('each', { limit: 50n })], [
    [0, 'a 50 of team,each/x', 'granted 50'],
    [0, 'settle a 50', 'posted 50+50'],
    [0, 'b 50 of team,each/x', 'exhausted in each'],
    [0, 'view team', '50 0 50'],
    [0, 'c 50 of team,each/y', 'granted 50'],
  ]);
  table('Observe counts, never refuses, and says what it would have refused', [limit('team', { mode: 'Observe', limit: 50n })], [
    [0, 'a 40 of team', 'granted 40'],
    [0, 'b 40 of team', 'granted 40, over team'],
    [0, 'settle a 40', 'posted 40'],
    [0, 'settle b 30', 'posted 30'],
    [0, 'view team', '70 0 -20'],
    [0, 'c 900 of team', 'granted 900, over team'],
  ]);
});

describe('waiting', () => {
  table('only for others’ holds; first come, first served', [team], [
    [0, 'a 80 of team', 'granted 80'],
    [1, 'b 50 of team', 'waits'],
    [2, 'c 30 of team', 'waits'],
    [3, 'd 10 of team', 'waits'],
    [4, 'next', '31'],
    [4, 'settle a 20', 'posted 20; b granted 50; c granted 30'],
    [5, 'cancel d', 'left'],
    [5, 'cancel d', 'nothing'],
    [5, 'cancel b', 'nothing'],
    [5, 'view team', '20 80 0'],
    [5, 'next', 'NaN'],
  ]);
  table('no longer than allowed', [team], [
    [0, 'a 80 of team', 'granted 80'],
    [1, 'b 50 of team', 'waits'],
    [2, 'c 60 of team', 'waits'],
    [30.999, 'advance', ''],
    [31, 'advance', 'b wait_timeout in team, retry at 36'],
    [32, 'advance', 'c wait_timeout in team, retry at 37'],
  ]);
  table('not where it is of no use', [team], [
    [0, 'a 60 of team', 'granted 60'],
    [0, 'settle a 60', 'posted 60'],
    [0, 'b 30 of team', 'granted 30'],
    [0, 'c 41 of team', 'exhausted in team'],
    [0, 'd 101 of team', 'too_small_for_call in team'],
    [0, 'e 40 of team', 'waits'],
    [1, 'estimate b 1', 'posted 30; e exhausted in team'],
  ]);
  table('not where the budget refuses at once', [limit('team', { waitMs: 0 })], [
    [0, 'a 60 of team', 'granted 60'],
    [0, 'b 60 of team', 'exhausted in team, retry at 5'],
  ]);
  table('in the way of nobody who has other accounts, nor where there is enough for both', [team, limit('x', { limit: 50n }), limit('y', { limit: 50n })], [
    [0, 'a 50 of team,x', 'granted 50'],
    [0, 'b 30 of team,x', 'waits'],
    [0, 'c 50 of y', 'granted 50'],
    [0, 'd 20 of team', 'granted 20'],
    // The 30 that are left are what b needs as soon as x has room for it.
    [0, 'e 10 of team', 'waits'],
    [1, 'settle a 20', 'posted 20+20; b granted 30; e granted 10'],
  ]);
  table('when the first leaves, those behind move up', [team], [
    [0, 'a 80 of team', 'granted 80'],
    [0, 'b 90 of team', 'waits'],
    [0, 'c 20 of team', 'waits'],
    [1, 'cancel b', 'left; c granted 20'],
  ]);
  table('a change of the limit is felt at once, up and down', [team, limit('other')], [
    [0, 'a 80 of team', 'granted 80'],
    [0, 'b 50 of team', 'waits'],
    [0, 'c 20 of team', 'waits'],
    [1, 'limit team 150', 'b granted 50; c granted 20'],
    [1, 'limit team 60', ''],
    [1, 'view team', '0 150 -90'],
    [1, 'd 61 of team', 'too_small_for_call in team'],
    [2, 'e 50 of team', 'waits'],
    [2, 'limit team 40', 'e too_small_for_call in team'],
    [3, 'settle b 5', 'posted 5'],
    // Taken away: who waited for it alone has nothing to wait for; and it remembers.
    [3, 'f 30 of team', 'waits'],
    [4, 'limit team 0', 'f granted 30'],
    [4, 'settle a 7', 'posted 7'],
    [4, 'limit team 100', ''],
    [4, 'view team', '12 20 68'],
  ]);
});

describe('windows', () => {
  table('a settlement belongs to its hold’s window', [limit('team', { window: minute })], [
    [50, 'a 80 of team', 'granted 80'],
    [59, 'b 80 of team', 'waits'],
    [59, 'next', '60'],
    [60, 'advance', 'b granted 80'],
    [61, 'settle a 80', 'posted 80'],
    [61, 'view team', '0 80 20'],
    [62, 'settle b 80', 'posted 80'],
    [62, 'c 30 of team', 'exhausted in team, retry at 120'],
    [119.999, 'c 30 of team', 'exhausted in team, retry at 120'],
    [120, 'c 30 of team', 'granted 30'],
  ]);
  table('a clock that is set back a little changes nothing; one that is set back far is followed', [limit('team', { window: minute })], [
    [7_200, 'a 80 of team', 'granted 80'],
    [7_200, 'settle a 80', 'posted 80'],
    [7_190, 'view team', '80 0 20'],
    [10, 'view team', '80 0 20'],
    [10, 'b 30 of team', 'exhausted in team, retry at 60'],
    [60, 'b 30 of team', 'granted 30'],
  ]);
  table('rolling: whatever was admitted in the last minute counts', [limit('team', { window: { kind: 'rolling', durationMs: 60_000 } })], [
    [0.5, 'a 60 of team', 'granted 60'],
    [0.5, 'settle a 60', 'posted 60'],
    [30, 'b 40 of team', 'granted 40'],
    [30, 'settle b 40', 'posted 40'],
    [60.5, 'c 10 of team', 'exhausted in team, retry at 61'],
    [60.999, 'd 70 of team', 'exhausted in team, retry at 91'],
    [61, 'd 60 of team', 'granted 60'],
    [61, 'e 1 of team', 'waits'],
    [91, 'advance', 'e granted 1'],
  ]);
  table('rate limits refuse at once and say when to come back', [limit('rate', { ...rate, unit: 'requests', limit: 2n })], [
    [0, 'a 5 of rate', 'granted 5'],
    [10, 'b 5 of rate', 'granted 5'],
    [20, 'c 5 of rate', 'rate_limited in rate, retry at 61'],
    // A call of long ago counts no more, though it still runs.
    [61, 'c 5 of rate', 'granted 5'],
    [61, 'settle a 5', 'posted 1'],
    [61, 'view rate', '0 2 0'],
  ]);
});

describe('near the limit', () => {
  const shrink = limit('team', { nearLimit: 'Shrink' });
  table('Shrink lowers the cap to what is left, no further than the floor', [shrink], [
    [0, 'a 70 of team', 'granted 70'],
    [0, 'settle a 70', 'posted 70'],
    [0, 'b 80 of team', 'granted 30, shrunk'],
    [0, 'settle b 15', 'posted 15'],
    [0, 'c 80 of team', 'granted 15, shrunk'],
    [0, 'settle c 6', 'posted 6'],
    [0, 'd 80 of team', 'exhausted in team'],
    [0, 'e 9 of team', 'granted 9'],
  ]);
  table('an answer of a length that is known waits for what it needs, not for what it asks', [shrink], [
    [0, 'a 60 of team', 'granted 60'],
    [1, 'settle a 10', 'posted 10'],
    [1, 'b 60 of team', 'granted 60'],
    [2, 'c 60 of team', 'waits'],
    [3, 'settle b 10', 'posted 10; c granted 60'],
    [3, 'd 60 of team', 'waits'],
    [4, 'settle c 10', 'posted 10; d granted 60'],
    [4, 'settle d 10', 'posted 10'],
    [5, 'e 60 of team', 'granted 60'],
    [5, 'settle e 10', 'posted 10'],
    [5, 'f 60 of team', 'granted 17, shrunk'],
    [5, 'g 60 of team', 'granted 17, shrunk'],
    [5, 'h 60 of team', 'waits'],
  ]);
  table('without a cap and without knowledge, some run at once', [shrink], [
    [0, 'a 9000 of team default', 'granted 100, shrunk'],
    [0, 'b 9000 of team default', 'waits'],
    [1, 'settle a 10', 'posted 10; b granted 33, shrunk'],
  ]);
  table('at the end of its wait a call takes what there is', [shrink], [
    [0, 'a 70 of team', 'granted 70'],
    [0, 'b 60 of team', 'waits'],
    [30, 'advance', 'b granted 30, shrunk'],
  ]);
  table('with two budgets the lower cap wins; Reject takes it as it is', [shrink, limit('other', { limit: 50n }), limit('third', { limit: 40n, nearLimit: 'Shrink' })], [
    [0, 'a 60 of team,other', 'too_small_for_call in other'],
    [0, 'b 60 of team,other,third', 'granted 40, shrunk'],
    [0, 'view other', '0 40 10'],
  ]);
});

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

  it.each([['a', 'gone'], ['gone', 'a'], ['a', 'a'], ['a', 'waits']])('but not %s by %s', (id, by) => {
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
    expect(ledger.checkpoint().held.map(({ id, holds }) => [id, holds[0]?.amount])).toEqual([['a', 20n], ['a+1', 30n]]);
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
      posted: 0n, pending: 0n, free: 100n, windowStart: Date.parse('2026-05-03T16:00:00Z'), windowEnd: Date.parse('2026-05-04T16:00:00Z'),
    });
    expect(ledger.views(START)).toEqual([]);
  });
});
