import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LimitSpec } from '../ledger/index.ts';
import { Authority, LIFETIME_MS, MARGIN_MS, keyOf, limitIdentity } from './index.ts';
import { START, limit as quietLimit } from './mesh.test-support.ts';
import type { Answer, Entry, Event, Outcome, PeriodRef, Report, SliceReport, ToAuthority } from './index.ts';

const MINUTE_START = Date.parse('2026-11-24T12:00:00Z');

const limit = (id: string, changes: Partial<LimitSpec> = {}): LimitSpec => quietLimit(id, { alerts: [50, 80, 100], ...changes });

const LIMITS = [
  limit('life'),
  limit('loose', { mode: 'Bounded' }),
  limit('minute', { window: { kind: 'calendar', unit: 'minute', timeZone: 'UTC' } }),
  limit('rolling', { window: { kind: 'rolling', durationMs: 60_000 } }),
];

/** An authority, what it has stored and said, and time that is set by hand. */
class Trial {
  readonly stored = new Map<string, Entry>();
  readonly events: Event[] = [];
  limits: readonly LimitSpec[] = LIMITS;
  authority: Authority;
  at = START;
  now = 1_000;
  #term = 1;
  #answers: Answer[] = [];

  constructor() {
    this.authority = this.#begin();
  }

  restart(): void {
    this.#term += 1;
    this.authority = this.#begin();
  }

  configure(limits: readonly LimitSpec[]): Answer[] {
    this.limits = limits;
    const outcome = this.authority.configure(limits, this.at, this.now);
    if (!outcome.ok) throw new Error(outcome.error[0]?.message);
    return this.#take(outcome.value);
  }

  pass(ms: number): Answer[] {
    this.now += ms;
    this.at += ms;
    return this.#take(this.authority.advance(this.at, this.now));
  }

  join(processor: string, nonce = processor): number {
    const outcome = this.#receive(processor, { kind: 'join', nonce, sentAt: this.now });
    const joined = outcome.messages[0];
    if (joined?.kind !== 'joined') throw new Error('no lease was given');
    this.#take(outcome);
    return joined.lease;
  }

  report(processor: string, lease: number, slices: readonly (Partial<SliceReport> & { readonly limit: string })[], changes: Partial<Report> = {}): Answer[] {
    this.now += 1;
    return this.#take(this.#receive(processor, this.reportOf(lease, slices, changes)));
  }

  reportOf(lease: number, slices: readonly (Partial<SliceReport> & { readonly limit: string })[], changes: Partial<Report> = {}): Report {
    return {
      kind: 'report',
      lease,
      instance: 'i',
      sentAt: this.now,
      at: this.at,
      heard: 0,
      stage: 'open',
      slices: slices.map((slice) => this.#slice(slice)),
      ...changes,
    };
  }

  hear(processor: string, message: ToAuthority): Answer[] {
    return this.#take(this.#receive(processor, message));
  }

  figures(id: string): readonly [posted: bigint, pending: bigint, free: bigint] {
    const found = [...this.authority.figures()].find((one) => one.limit === this.#ref(id).limit);
    if (found === undefined) throw new Error(`nothing is known of ${id}`);
    expect(found.posted + found.pending + found.free).toBe(found.limitAmount);
    return [found.posted, found.pending, found.free];
  }

  allFigures(): unknown {
    return [...this.authority.figures()].map((one) => [keyOf(one), one]).toSorted();
  }

  #ref(id: string): PeriodRef {
    const spec = this.limits.find((one) => one.id === id) ?? limit(id);
    return { limit: limitIdentity(spec), subject: '', period: spec.window.kind === 'calendar' ? MINUTE_START : 0 };
  }

  #slice(changes: Partial<SliceReport> & { readonly limit: string }): SliceReport {
    return {
      returned: 0n,
      spent: 0n,
      need: 0n,
      least: changes.need ?? 0n,
      more: 0n,
      spare: 0n,
      ...this.#ref(changes.limit),
      ...changes,
      limit: this.#ref(changes.limit).limit,
    };
  }

  #receive(processor: string, message: ToAuthority): Outcome {
    const outcome = this.authority.receive(processor, message, this.at, this.now);
    if (!outcome.ok) throw new Error(outcome.error);
    return outcome.value;
  }

  #begin(): Authority {
    this.authority = new Authority(this.#term, this.stored.values(), this.at, this.now);
    this.configure(this.limits);
    return this.authority;
  }

  #take({ entries, messages, events }: Outcome): Answer[] {
    for (const entry of entries)
      this.stored.set(entry.kind === 'lease' ? `lease ${entry.lease}` : `${entry.kind === 'share' ? entry.lease : ''} ${keyOf(entry)}`, entry);
    this.events.push(...events);
    this.#answers = messages.filter((message) => message.kind === 'answer');
    return this.#answers;
  }
}

/** What the answers say was granted, by lease. */
const granted = (answers: readonly Answer[]) => Object.fromEntries(answers.map(({ lease, slices }) => [lease, slices[0]?.granted]));

describe('what is free', () => {
  it('is granted to whoever asks first, and counted once wherever it is', () => {
    const trial = new Trial();
    const [a, b] = [trial.join('a'), trial.join('b')];
    expect(granted(trial.report('a', a, [{ limit: 'life', need: 600n }]))).toEqual({ [a]: 600n });
    expect(trial.figures('life')).toEqual([0n, 600n, 400n]);
    expect(granted(trial.report('b', b, [{ limit: 'life', need: 300n }]))).toEqual({ [b]: 300n });
    trial.report('a', a, [{ limit: 'life', spent: 250n, returned: 100n }]);
    expect(trial.figures('life')).toEqual([250n, 550n, 200n]);
  });

  it('goes in turns to those who wait, and nobody is overtaken', () => {
    const trial = new Trial();
    const [a, b, c] = [trial.join('a'), trial.join('b'), trial.join('c')];
    trial.report('a', a, [{ limit: 'life', need: 1_000n }]);
    trial.report('b', b, [{ limit: 'life', need: 300n, more: 300n }]);
    trial.report('c', c, [{ limit: 'life', need: 100n, more: 100n }]);
    expect(granted(trial.report('a', a, [{ limit: 'life', returned: 200n }]))).toEqual({ [a]: 1_000n });
    expect(granted(trial.report('a', a, [{ limit: 'life', returned: 500n }]))).toEqual({ [a]: 1_000n, [b]: 300n, [c]: 100n });
    expect(trial.figures('life')).toEqual([0n, 900n, 100n]);
    trial.report('a', a, [{ limit: 'life', returned: 700n }]);
    expect(granted(trial.pass(10).filter(({ lease }) => lease === b))).toEqual({ [b]: 600n });
  });

  it('goes to all who ask within a moment, not to the first alone', () => {
    const trial = new Trial();
    const leases = ['a', 'b', 'c', 'd'].map((name) => trial.join(name));
    for (const [index, lease] of leases.entries()) trial.report('abcd'.charAt(index), lease, [{ limit: 'life', need: 50n, more: 950n }]);
    for (let turn = 0; turn < 10; turn += 1) trial.pass(5);
    const shares = leases.map(
      (lease) => trial.report('abcd'.charAt(lease - 1), lease, [{ limit: 'life' }]).find((one) => one.lease === lease)?.slices[0]?.granted,
    );
    expect(shares).toEqual([400n, 250n, 200n, 150n]);
  });

  it('is asked back from who has more than it holds, and a hold larger than any slice is served', () => {
    const trial = new Trial();
    const [a, b] = [trial.join('a'), trial.join('b')];
    trial.report('a', a, [{ limit: 'life', need: 100n, spare: 800n }]);
    expect(trial.figures('life')).toEqual([0n, 550n, 450n]);
    const answers = trial.report('b', b, [{ limit: 'life', need: 900n }]);
    expect(answers.map(({ lease, slices }) => [lease, slices[0]?.supply, slices[0]?.isFinal])).toEqual([
      [b, 'scarce', false],
      [a, 'yield', false],
    ]);
    expect(granted(trial.report('a', a, [{ limit: 'life', returned: 450n }], { heard: Number.MAX_SAFE_INTEGER }))).toEqual({ [a]: 550n, [b]: 900n });
  });

  it('less than anybody needs goes to the first when nothing else can come back', () => {
    const trial = new Trial();
    const [a, b] = [trial.join('a'), trial.join('b')];
    trial.report('a', a, [{ limit: 'life', need: 900n }]);
    trial.report('b', b, [{ limit: 'life', need: 300n, least: 50n }]);
    expect(granted(trial.report('a', a, [{ limit: 'life', spent: 900n }]))).toEqual({ [a]: 900n, [b]: 100n });
  });

  it('is not waited for by who needs more than is unspent', () => {
    const trial = new Trial();
    const [a, b] = [trial.join('a'), trial.join('b')];
    trial.report('a', a, [{ limit: 'life', need: 900n }]);
    expect(trial.report('b', b, [{ limit: 'life', need: 300n }]).find(({ lease }) => lease === b)?.slices[0]).toMatchObject({
      unspent: 1_000n,
      isFinal: false,
    });
    const told = trial.report('a', a, [{ limit: 'life', spent: 800n }]).find(({ lease }) => lease === b);
    expect(told?.slices[0]).toMatchObject({ granted: 0n, unspent: 200n, isFinal: true });
  });

  it('is waited for no longer than whoever was asked needs to answer', () => {
    const trial = new Trial();
    const [a, b] = [trial.join('a'), trial.join('b')];
    trial.report('a', a, [{ limit: 'life', need: 900n }]);
    trial.report('b', b, [{ limit: 'life', need: 300n }]);
    const told = trial.pass(600).find(({ lease }) => lease === b);
    expect(told?.slices[0]).toMatchObject({ granted: 0n, isFinal: true });
  });
});

describe('counters', () => {
  const counters = fc.array(
    fc.record({ limit: fc.constantFrom('life', 'loose', 'minute'), spent: fc.bigInt({ min: 0n, max: 90n }), given: fc.bigInt({ min: 0n, max: 90n }) }),
    { maxLength: 12 },
  );

  it('are the same whatever is lost, repeated or overtaken, as long as the last is heard', () => {
    fc.assert(
      fc.property(counters, fc.array(fc.nat({ max: 30 }), { maxLength: 40 }), (steps, order) => {
        const trial = new Trial();
        const a = trial.join('a');
        trial.report(
          'a',
          a,
          ['life', 'loose', 'minute'].map((id) => ({ limit: id, need: 1_000n })),
        );
        const sums: Record<string, { spent: bigint; returned: bigint }> = {};
        const reports = steps
          .map(({ limit: id, spent, given }) => {
            const sum = sums[id] ?? { spent: 0n, returned: 0n };
            sums[id] = { spent: sum.spent + spent, returned: sum.returned + given > 1_000n - sum.spent - spent ? sum.returned : sum.returned + given };
            trial.now += 1;
            return trial.reportOf(
              a,
              Object.entries(sums).map(([one, rise]) => ({ limit: one, ...rise })),
            );
          })
          .filter((_, index) => index < 5);
        for (const index of order) if (reports[index] !== undefined) trial.hear('a', reports[index]);
        const last = reports.at(-1);
        if (last === undefined) return;
        trial.hear('a', last);
        for (const { limit: one, spent, returned } of last.slices)
          expect(trial.figures(one.split('|')[0] ?? '')).toEqual([spent, 1_000n - spent - returned, returned]);
        const before = trial.allFigures();
        trial.restart();
        expect(trial.allFigures()).toEqual(before);
      }),
    );
  });

  it('of spending beyond what was granted count as granted; nobody gives back what he never had', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 100n }]);
    trial.report('a', a, [{ limit: 'life', returned: 900n }]);
    expect(trial.figures('life')).toEqual([0n, 0n, 1_000n]);
    trial.report('a', a, [{ limit: 'life', returned: 900n, spent: 150n }]);
    expect(trial.figures('life')).toEqual([150n, 0n, 850n]);
  });
});

describe('a lease that is not renewed', () => {
  const end = LIFETIME_MS + MARGIN_MS;

  it('is charged; what is heard of it later is booked once, as spent or given back', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 600n }]);
    trial.pass(end - 1);
    expect(trial.figures('life')).toEqual([0n, 600n, 400n]);
    trial.pass(1);
    expect(trial.figures('life')).toEqual([600n, 0n, 400n]);
    for (const _ of [1, 2]) {
      expect(trial.report('a', a, [{ limit: 'life', spent: 250n, returned: 100n }])[0]).toMatchObject({ state: 'ended', slices: [{ granted: 600n }] });
      expect(trial.figures('life')).toEqual([500n, 0n, 500n]);
    }
    expect(trial.report('a', a, [{ limit: 'life', spent: 300n, returned: 300n }], { stage: 'done' })[0]).toMatchObject({ state: 'gone' });
    expect(trial.figures('life')).toEqual([300n, 0n, 700n]);
    expect(trial.report('a', a, [{ limit: 'life', spent: 300n, returned: 300n }], { stage: 'done' })[0]).toMatchObject({ state: 'gone' });
    expect(trial.figures('life')).toEqual([300n, 0n, 700n]);
    expect(trial.events).toMatchObject([
      { kind: 'lost', charged: 600n, released: 0n },
      { kind: 'threshold', percent: 50 },
      { kind: 'found', spent: 250n, returned: 100n },
      { kind: 'found', spent: 50n, returned: 200n },
    ]);
  });

  it('of a bounded limit is released as far as it may be overdrawn', () => {
    const trial = new Trial();
    const [a, b] = [trial.join('a'), trial.join('b')];
    expect(trial.report('a', a, [{ limit: 'loose', need: 600n }])[0]?.slices[0]).toMatchObject({ allowance: 25n });
    trial.pass(20_000);
    trial.report('b', b, [{ limit: 'loose', need: 100n }]);
    trial.pass(end - 20_000);
    expect(trial.events).toMatchObject([{ kind: 'lost', charged: 543n, released: 57n }, { kind: 'threshold' }]);
    expect(trial.figures('loose')).toEqual([543n, 100n, 357n]);
    trial.report('a', a, [{ limit: 'loose', spent: 625n }]);
    expect(trial.figures('loose')).toEqual([625n, 100n, 275n]);
  });

  it('gets nothing more, and its number is never used again', () => {
    const trial = new Trial();
    const a = trial.join('a', 'first');
    trial.report('a', a, [{ limit: 'life', need: 100n }]);
    trial.pass(end);
    expect(granted(trial.report('a', a, [{ limit: 'life', need: 500n, spare: 100n }]))).toEqual({ [a]: 100n });
    const again = trial.join('a', 'first');
    expect(again).toBeGreaterThan(a);
    trial.report('a', again, [], { stage: 'done' });
    trial.restart();
    expect(trial.join('a', 'second')).toBeGreaterThan(again);
  });

  it('by a new authority is given its whole lifetime', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 100n }]);
    trial.pass(end - 1);
    trial.restart();
    trial.pass(end - 1);
    expect(trial.figures('life')).toEqual([0n, 100n, 900n]);
    trial.pass(1);
    expect(trial.figures('life')).toEqual([100n, 0n, 900n]);
  });

  it('is not lost while nobody could hear of it: its holder has as long as ever to be heard of', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 100n }]);
    trial.pass(end + 60_000);
    expect(trial.figures('life')).toEqual([0n, 100n, 900n]);
    trial.pass(end - 1);
    expect(trial.figures('life')).toEqual([0n, 100n, 900n]);
    trial.pass(1);
    expect(trial.figures('life')).toEqual([100n, 0n, 900n]);
  });

  it('is not renewed by the wall clock', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 100n }]);
    trial.at += 300_000;
    trial.pass(1);
    expect(trial.figures('life')).toEqual([0n, 100n, 900n]);
    trial.at -= 600_000;
    trial.pass(end);
    expect(trial.figures('life')).toEqual([100n, 0n, 900n]);
  });
});

describe('a lease that is closed', () => {
  it('is told all that is left of it, and gone when all is back', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [
      { limit: 'life', need: 100n },
      { limit: 'loose', need: 50n },
    ]);
    const [answer] = trial.report('a', a, [{ limit: 'life', spent: 30n }], { stage: 'closing' });
    expect(answer?.slices.map(({ limit: id, granted: amount, spent }) => [id, amount, spent])).toEqual([
      ['life|usd', 100n, 30n],
      ['loose|usd', 50n, 0n],
    ]);
    expect(
      trial.report(
        'a',
        a,
        [
          { limit: 'life', spent: 30n, returned: 70n },
          { limit: 'loose', returned: 50n },
        ],
        { stage: 'done' },
      )[0]?.state,
    ).toBe('gone');
    expect(trial.figures('life')).toEqual([30n, 0n, 970n]);
    trial.restart();
    expect(trial.figures('life')).toEqual([30n, 0n, 970n]);
  });
});

describe('limits', () => {
  it('that rise serve those who wait, at once', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 1_000n }]);
    trial.report('a', a, [{ limit: 'life', need: 200n, least: 100n }]);
    const [told] = trial.configure([limit('life', { limit: 1_200n }), ...LIMITS.slice(1)]);
    expect(told?.slices[0]).toMatchObject({ granted: 1_200n, limitAmount: 1_200n });
  });

  it('that fall call back what is not held, and grant nothing before all is within them', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 800n }]);
    const [told] = trial.configure([limit('life', { limit: 500n }), ...LIMITS.slice(1)]);
    expect(told?.slices[0]).toMatchObject({ granted: 800n, limitAmount: 500n, supply: 'yield' });
    expect(trial.figures('life')).toEqual([0n, 800n, -300n]);
    expect(granted(trial.report('a', a, [{ limit: 'life', returned: 250n, need: 10n, spare: 10n }]))).toEqual({ [a]: 800n });
    expect(granted(trial.report('a', a, [{ limit: 'life', returned: 320n, need: 10n }]))).toEqual({ [a]: 810n });
  });

  it('that are gone grant nothing, and book what is reported', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 800n }]);
    trial.configure(LIMITS.slice(1));
    expect(trial.report('a', a, [{ limit: 'life', spent: 300n, need: 10n }])[0]?.slices[0]).toMatchObject({
      granted: 800n,
      spent: 300n,
      fault: 'unknown_limit',
    });
    trial.configure(LIMITS);
    expect(trial.figures('life')).toEqual([300n, 500n, 200n]);
  });

  it('that are wrong change nothing', () => {
    const trial = new Trial();
    expect(trial.authority.configure([limit('life', { limit: -1n })], trial.at, trial.now)).toMatchObject({
      ok: false,
      error: [{ limit: 'life', field: 'limit' }],
    });
  });

  const faults = [
    { name: 'no such limit', slice: { limit: 'other' }, fault: 'unknown_limit' },
    { name: 'a window that begins at no such time', slice: { limit: 'minute', period: MINUTE_START + 1 }, fault: 'window_not_open' },
    { name: 'a window long over', slice: { limit: 'minute', period: MINUTE_START - 6 * 60_000 }, fault: 'window_not_open' },
    { name: 'a window far ahead', slice: { limit: 'minute', period: MINUTE_START + 7 * 60_000 }, fault: 'window_not_open' },
    { name: 'a lifetime that begins', slice: { limit: 'life', period: 60_000 }, fault: 'window_not_open' },
    { name: 'a window ahead, by a clock that may be right', slice: { limit: 'minute', period: MINUTE_START + 5 * 60_000 }, fault: undefined },
    { name: 'a window behind, by a clock that may be right', slice: { limit: 'minute', period: MINUTE_START - 4 * 60_000 }, fault: undefined },
  ];
  it.each(faults)('$name: $fault', ({ slice, fault }) => {
    const trial = new Trial();
    const a = trial.join('a');
    const [answer] = trial.report('a', a, [{ ...slice, need: 10n }]);
    expect(answer?.slices[0]?.fault).toBe(fault);
    expect(answer?.slices[0]?.granted).toBe(fault === undefined ? 10n : 0n);
  });

  it('tell of 50, 80 and 100 percent once in a window, over restarts and top-ups', () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 1_000n }]);
    for (const spent of [499n, 500n, 790n, 800n, 801n]) trial.report('a', a, [{ limit: 'life', spent }]);
    trial.restart();
    trial.configure([limit('life', { limit: 1_500n }), ...LIMITS.slice(1)]);
    trial.report('a', a, [{ limit: 'life', spent: 850n, need: 500n }]);
    trial.report('a', a, [{ limit: 'life', spent: 1_500n }]);
    expect(trial.events.map((event) => event.kind === 'threshold' && event.percent)).toEqual([50, 80, 100]);
  });
});

describe('a rolling window', () => {
  it("counts what was spent until it is as old as the window is long, by the holder's clock and not by its skew", () => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'rolling', need: 700n }]);
    const skewed = trial.at + 200_000;
    const slice = { limit: 'rolling', spent: 700n, buckets: [{ start: skewed - 20_000, amount: 700n }] };
    for (const _ of [1, 2]) {
      trial.report('a', a, [slice], { at: skewed });
      expect(trial.figures('rolling')).toEqual([700n, 0n, 300n]);
    }
    trial.pass(30_000);
    trial.report('a', a, [{ ...slice, need: 400n, least: 300n }], { at: skewed + 30_000 });
    expect(trial.figures('rolling')).toEqual([700n, 300n, 0n]);
    trial.restart();
    trial.report('a', a, [{ ...slice, need: 100n, least: 300n }], { at: skewed + 30_000 });
    trial.pass(12_000);
    expect(trial.figures('rolling')).toEqual([0n, 400n, 600n]);
  });
});

describe('what no honest holder says', () => {
  const bad: readonly (readonly [string, (trial: Trial) => ToAuthority])[] = [
    ['a negative counter', (trial) => trial.reportOf(1, [{ limit: 'life', spent: -1n }])],
    ['a negative wish', (trial) => trial.reportOf(1, [{ limit: 'life', need: -5n }])],
    ['an enormous amount', (trial) => trial.reportOf(1, [{ limit: 'life', returned: 2n ** 200n }])],
    ['a time that is none', (trial) => trial.reportOf(1, [], { sentAt: NaN })],
    ['a wall clock before 1970', (trial) => trial.reportOf(1, [], { at: -1 })],
    ['half a lease', (trial) => trial.reportOf(0.5, [])],
    ['a window that begins at no time', (trial) => trial.reportOf(1, [{ limit: 'life', period: NaN }])],
    ['a negative bucket', (trial) => trial.reportOf(1, [{ limit: 'rolling', buckets: [{ start: 0, amount: -1n }] }])],
    ['too many buckets', (trial) => trial.reportOf(1, [{ limit: 'rolling', buckets: Array.from({ length: 300 }, (_, start) => ({ start, amount: 1n })) }])],
    [
      'too many slices',
      (trial) =>
        trial.reportOf(
          1,
          Array.from({ length: 1_001 }, () => ({ limit: 'life' })),
        ),
    ],
    ['a name without end', (trial) => trial.reportOf(1, [{ limit: 'life', subject: 'x'.repeat(2_000) }])],
    ['a nonce without end', () => ({ kind: 'join', nonce: 'x'.repeat(2_000), sentAt: 0 })],
  ];
  it.each(bad)('%s', (_name, make) => {
    const trial = new Trial();
    const a = trial.join('a');
    trial.report('a', a, [{ limit: 'life', need: 100n }]);
    const before = trial.allFigures();
    expect(trial.authority.receive('a', make(trial), trial.at, trial.now).ok).toBe(false);
    expect(trial.allFigures()).toEqual(before);
    expect(granted(trial.report('a', a, [{ limit: 'life', need: 100n }]))).toEqual({ [a]: 200n });
  });
});

describe('a processor', () => {
  it('may not speak for another', () => {
    const trial = new Trial();
    const a = trial.join('a');
    expect(() => trial.report('b', a, [{ limit: 'life', need: 100n }])).toThrow('not a lease of "b"');
  });

  it('that asks twice for a lease gets one', () => {
    const trial = new Trial();
    expect(trial.join('a', 'x')).toBe(trial.join('a', 'x'));
    expect(trial.join('b', 'x')).not.toBe(trial.join('a', 'x'));
  });

  it('is told that a lease is gone which nobody knows', () => {
    const trial = new Trial();
    expect(trial.report('a', 77, [{ limit: 'life', need: 100n }])[0]).toMatchObject({ lease: 77, state: 'gone', slices: [] });
  });
});
