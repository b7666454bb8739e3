import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ledger } from './index.ts';
import type { AccountRef, Granted, Hold, LimitSpec, Quote, Refused, ReservationId, ReserveCommand, Settled, Settlement, Waiting } from './index.ts';

/** Any order of commands, checked after each against a model that keeps nothing but lists. */

const IN = 2n;
const OUT = 8n;
const ROLLING_MS = 30_000;
const START = Date.parse('2026-03-29T00:59:30Z');

const common = { nearLimit: 'Reject', floorOutputTokens: 4, waitMs: 5_000, kind: 'budget', mode: 'Strict' } as const;
const LIMITS: readonly LimitSpec[] = [
  { ...common, id: 'life', unit: 'usd', limit: 6_000n, window: { kind: 'lifetime' } },
  { ...common, id: 'minute', unit: 'tokens', limit: 500n, window: { kind: 'calendar', unit: 'minute', timeZone: 'Europe/Berlin' } },
  { ...common, id: 'rolling', unit: 'usd', limit: 4_000n, window: { kind: 'rolling', durationMs: ROLLING_MS } },
  { ...common, id: 'few', unit: 'requests', limit: 6n, window: { kind: 'calendar', unit: 'minute', timeZone: 'UTC' }, waitMs: 3_000 },
  { ...common, id: 'seen', unit: 'usd', limit: 100n, window: { kind: 'lifetime' }, mode: 'Observe' },
];

type Subject = 'x' | 'y';
type Command =
  | {
      readonly do: 'reserve';
      readonly accounts: readonly number[];
      readonly subject: Subject;
      readonly input: number;
      readonly cap: number;
      readonly isDefault: boolean;
    }
  | { readonly do: 'settle'; readonly which: number; readonly kind: Settlement['kind']; readonly share: number }
  | { readonly do: 'settle again' | 'cancel'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'limits'; readonly percent: number }
  | { readonly do: 'restart' };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      accounts: fc.uniqueArray(fc.nat({ max: LIMITS.length - 1 }), { minLength: 1, maxLength: LIMITS.length }),
      subject: fc.constantFrom<Subject>('x', 'y'),
      input: fc.nat({ max: 80 }),
      cap: fc.nat({ max: 300 }),
      isDefault: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(),
      kind: fc.constantFrom('actual', 'estimated', 'void'),
      share: fc.nat({ max: 100 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('settle again' as const, 'cancel' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: 70_000 })) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('limits' as const), percent: fc.integer({ min: 20, max: 200 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

interface Call {
  readonly command: ReserveCommand;
  readonly grantedAt: number;
  readonly granted: Granted;
  posted: readonly Hold[] | undefined;
}

/** Carries out commands on a ledger, keeps the lists, and fails where the two disagree. */
class Trial {
  readonly #make: () => Ledger;
  #ledger: Ledger;
  #limits: readonly LimitSpec[];
  #at = START;
  #now = 1_000;
  #count = 0;
  readonly #calls = new Map<ReservationId, Call>();
  /** In the order of coming. */
  readonly #waiting = new Map<ReservationId, ReserveCommand>();
  /** Granted by the command that is carried out. */
  #fresh: ReserveCommand[] = [];

  constructor(make: () => Ledger, nearLimit: LimitSpec['nearLimit'] | 'mixed') {
    this.#make = make;
    this.#limits = LIMITS.map((spec, index) => ({ ...spec, nearLimit: nearLimit === 'mixed' ? (index % 2 === 0 ? 'Shrink' : 'Reject') : nearLimit }));
    this.#ledger = make();
    expect(this.#ledger.configure(this.#limits, this.#at, this.#now).ok).toBe(true);
  }

  run(commands: readonly Command[]): void {
    for (const one of commands) this.#carryOut(one);
    for (const id of this.#open()) this.#settle(id, 'actual', 50);
    this.#pass(10_000);
    expect(this.#waiting.size).toBe(0);
    for (const id of this.#open()) this.#settle(id, 'void', 0);
    this.#check();
    expect(this.#ledger.checkpoint().held).toEqual([]);
  }

  #carryOut(one: Command): void {
    switch (one.do) {
      case 'reserve':
        this.#reserve(one);
        break;
      case 'settle':
        this.#settle(pick(this.#open(), one.which), one.kind, one.share);
        break;
      case 'settle again':
        this.#settleAgain(
          pick(
            [...this.#calls.keys()].filter((id) => this.#calls.get(id)?.posted),
            one.which,
          ),
        );
        break;
      case 'cancel':
        this.#cancel(pick([...this.#waiting.keys()], one.which));
        break;
      case 'pass':
        this.#pass(one.ms);
        break;
      case 'limits':
        this.#change(one.percent);
        break;
      case 'restart':
        this.#restart();
        break;
    }
    this.#check();
  }

  #reserve({ accounts, subject, input, cap, isDefault }: Extract<Command, { do: 'reserve' }>): void {
    const quote: Quote = {
      fixedNanoUsd: BigInt(input) * IN,
      outputNanoUsdPerMillion: OUT * 1_000_000n,
      inputTokens: input,
      choices: 1,
      outputCap: cap,
      capIsDefault: isDefault,
      estimate: { nanoUsd: BigInt(input) * IN, tokens: input },
    };
    const asked: ReserveCommand = {
      id: `r${this.#count++}`,
      at: this.#at,
      now: this.#now,
      quote,
      profile: subject,
      accounts: accounts.map((index) => ({ limit: this.#limits[index]?.id ?? '', subject })),
    };
    const outcome = this.#ledger.reserve(asked);
    if (outcome.kind === 'granted') this.#granted(asked, outcome);
    if (outcome.kind === 'waiting') this.#waiting.set(asked.id, asked);
    this.#hear();
  }

  #settle(id: ReservationId | undefined, kind: Settlement['kind'], share: number): void {
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (id === undefined || !call) return;
    const { quote } = call.command;
    const outputTokens = Math.floor((call.granted.outputCap * share) / 100);
    const input = Math.floor((quote.inputTokens * share) / 100);
    const used = { nanoUsd: BigInt(input) * IN + BigInt(outputTokens) * OUT, tokens: input + outputTokens, outputTokens };
    const settlement: Settlement = kind === 'void' ? { kind } : kind === 'actual' ? { kind, actual: used } : { kind, estimate: used };
    const settled = this.#ledger.settle(id, settlement, this.#at, this.#now);
    expect(settled?.posted.map(({ limit, subject, windowStart }) => ({ limit, subject, windowStart }))).toEqual(
      call.granted.holds.map(({ limit, subject, windowStart }) => ({ limit, subject, windowStart })),
    );
    call.posted = settled?.posted;
    this.#hear();
  }

  #settleAgain(id: ReservationId | undefined): void {
    if (id !== undefined) expect(this.#ledger.settle(id, { kind: 'void' }, this.#at, this.#now)).toBeUndefined();
    this.#hear();
  }

  #cancel(id: ReservationId | undefined): void {
    if (id === undefined) return;
    expect(this.#ledger.cancel(id, this.#at, this.#now)).toBe(true);
    this.#waiting.delete(id);
    this.#hear();
  }

  /** In steps, as a timer would, so that nobody is decided late. */
  #pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = Math.min(until, Math.max(this.#now, this.#ledger.nextDeadline() ?? until));
      this.#at += next - this.#now;
      this.#now = next;
      this.#ledger.advance(this.#at, this.#now);
      this.#hear();
      for (const { now, accounts } of this.#waiting.values()) expect(this.#now - now).toBeLessThan(this.#waitMs(accounts));
      if (this.#now === until) return;
    }
  }

  #change(percent: number): void {
    this.#limits = this.#limits.map((spec, index) => ({ ...spec, limit: ((LIMITS[index]?.limit ?? 0n) * BigInt(percent) + 99n) / 100n }));
    expect(this.#ledger.configure(this.#limits, this.#at, this.#now).ok).toBe(true);
    this.#hear();
  }

  /** What waits is lost, as the callers' connections are; nothing else. */
  #restart(): void {
    const { posted, held, answers } = this.#ledger.checkpoint();
    const before = this.#ledger.views(this.#at).filter(({ posted: sum, pending }) => sum > 0n || pending > 0n);
    this.#ledger = this.#make();
    this.#ledger.configure(this.#limits, this.#at, this.#now);
    for (const one of posted) expect(this.#ledger.restorePosted(one, this.#at).ok).toBe(true);
    for (const one of held) expect(this.#ledger.restoreHold(one, this.#at).ok).toBe(true);
    for (const one of answers) this.#ledger.restoreAnswers(one);
    for (const view of before) expect(this.#ledger.view(view, this.#at)).toEqual(view);
    expect(this.#ledger.checkpoint().held).toEqual(held);
    this.#waiting.clear();
  }

  #hear(): void {
    for (const outcome of this.#ledger.takeDecided()) {
      const asked = this.#waiting.get(outcome.id);
      if (!asked) throw new Error(`${outcome.id} was decided and did not wait`);
      this.#waiting.delete(outcome.id);
      if (outcome.kind === 'granted') this.#granted(asked, outcome);
    }
    this.#checkLine();
    this.#fresh = [];
  }

  #granted(asked: ReserveCommand, granted: Granted): void {
    expect(this.#calls.has(granted.id)).toBe(false);
    this.#fresh.push(asked);
    this.#calls.set(granted.id, { command: asked, granted, grantedAt: this.#at, posted: undefined });
    expect(granted.holds.map(({ limit }) => limit)).toEqual(asked.accounts.map(({ limit }) => limit));
    expect(granted.outputCap).toBeLessThanOrEqual(asked.quote.outputCap);
    expect(granted.outputCap).toBeGreaterThanOrEqual(Math.min(4, asked.quote.outputCap));
    for (const hold of granted.holds) {
      const spec = this.#spec(hold.limit);
      if (spec.mode !== 'Strict') continue;
      expect(hold.amount).toBe(amountOf(spec, asked.quote, granted.outputCap));
      if (spec.window.kind === 'rolling') expect(this.#sum(hold, (call) => call.grantedAt > this.#at - ROLLING_MS)).toBeLessThanOrEqual(spec.limit);
      else expect(this.#sum(hold, (_, { windowStart }) => windowStart === hold.windowStart)).toBeLessThanOrEqual(spec.limit);
    }
  }

  /** Conservation in every account. */
  #check(): void {
    for (const spec of this.#limits) {
      for (const subject of ['x', 'y']) {
        const view = this.#ledger.view({ limit: spec.id, subject }, this.#at);
        if (!view) throw new Error(`${spec.id} has no account`);
        expect(view.posted + view.pending + view.free).toBe(spec.limit);
        if (spec.window.kind === 'rolling') continue;
        const [posted, pending] = this.#sums(view, (_, { windowStart }) => windowStart === view.windowStart);
        expect({ ...view, posted, pending }).toEqual(view);
      }
    }
  }

  /** Those who wait, wait for good reason, and what later ones were given since, they do not lack. */
  #checkLine(): void {
    const [first] = this.#waiting.values();
    if (!first) return;
    expect(first.accounts.some((account) => this.#spec(account.limit).mode === 'Strict' && (this.#ledger.view(account, this.#at)?.pending ?? 0n) > 0n)).toBe(
      true,
    );
    if (this.#limits.some(({ nearLimit }) => nearLimit === 'Shrink')) return;
    // Where nothing shrinks, it is known what each needs.
    expect(this.#lacks(first).length).toBeGreaterThan(0);
    for (const later of this.#fresh) {
      for (const earlier of this.#waiting.values()) {
        if (number(earlier.id) > number(later.id)) continue;
        const taken = later.accounts.filter(({ limit, subject }) => earlier.accounts.some((one) => one.limit === limit && one.subject === subject));
        expect(this.#lacks(earlier).filter(({ limit }) => taken.some((one) => one.limit === limit))).toEqual([]);
      }
    }
  }

  #lacks({ accounts, quote }: ReserveCommand): AccountRef[] {
    return accounts.filter((account) => {
      const spec = this.#spec(account.limit);
      return spec.mode === 'Strict' && amountOf(spec, quote, quote.outputCap) > (this.#ledger.view(account, this.#at)?.free ?? 0n);
    });
  }

  #sum(account: AccountRef, counts: (call: Call, hold: Hold) => boolean): bigint {
    const [posted, pending] = this.#sums(account, counts);
    return posted + pending;
  }

  #sums({ limit, subject }: AccountRef, counts: (call: Call, hold: Hold) => boolean): [posted: bigint, pending: bigint] {
    let [posted, pending] = [0n, 0n];
    for (const call of this.#calls.values()) {
      for (const [index, hold] of call.granted.holds.entries()) {
        if (hold.limit !== limit || hold.subject !== subject || !counts(call, hold)) continue;
        if (call.posted) posted += call.posted[index]?.amount ?? 0n;
        else pending += hold.amount;
      }
    }
    return [posted, pending];
  }

  #open(): ReservationId[] {
    return [...this.#calls].filter(([, { posted }]) => posted === undefined).map(([id]) => id);
  }

  #spec(id: string): LimitSpec {
    const spec = this.#limits.find((one) => one.id === id);
    if (!spec) throw new Error(`no limit ${id}`);
    return spec;
  }

  #waitMs(accounts: readonly AccountRef[]): number {
    return Math.min(
      ...accounts
        .map(({ limit }) => this.#spec(limit))
        .filter(({ mode }) => mode === 'Strict')
        .map(({ waitMs }) => waitMs),
    );
  }
}

function amountOf({ unit }: LimitSpec, { fixedNanoUsd, inputTokens }: Quote, cap: number): bigint {
  return unit === 'requests' ? 1n : unit === 'tokens' ? BigInt(inputTokens + cap) : fixedNanoUsd + BigInt(cap) * OUT;
}

function pick<T>(list: readonly T[], which: number): T | undefined {
  return list[which % Math.max(1, list.length)];
}

const number = (id: ReservationId) => Number(id.slice(1));

function property(make: () => Ledger) {
  return fc.property(fc.constantFrom('Reject', 'Shrink', 'mixed'), fc.array(command, { maxLength: 60, size: 'max' }), (nearLimit, commands) =>
    new Trial(make, nearLimit).run(commands),
  );
}

/** Books a second settlement of the same call. */
class SettlesTwice extends Ledger {
  readonly #settled = new Map<ReservationId, Settled>();
  override settle(...[id, settlement, at, now]: Parameters<Ledger['settle']>): Settled | undefined {
    const first = this.#settled.get(id);
    if (first) for (const posted of first.posted) this.restorePosted(posted, at);
    const settled = super.settle(id, settlement, at, now);
    if (settled) this.#settled.set(id, settled);
    return settled;
  }
}

/** Says that a void call's holds are released, and keeps them. */
class ForgetsRelease extends Ledger {
  override settle(...[id, settlement, at, now]: Parameters<Ledger['settle']>): Settled | undefined {
    const held = settlement.kind === 'void' ? this.checkpoint().held.find((one) => one.id === id) : undefined;
    return held ? { kind: 'settled', id, posted: held.holds.map((hold) => ({ ...hold, amount: 0n })) } : super.settle(id, settlement, at, now);
  }
}

/** Holds in the first account before it knows that the others have nothing. */
class HoldsInPart extends Ledger {
  override reserve(asked: ReserveCommand): Granted | Refused | Waiting {
    const outcome = super.reserve(asked);
    const [first] = asked.accounts;
    if (outcome.kind === 'refused' && first && asked.accounts.length > 1) {
      const windowStart = this.view(first, asked.at)?.windowStart ?? 0;
      this.restoreHold({ id: `part of ${asked.id}`, holds: [{ ...first, windowStart, amount: 1n }] }, asked.at);
    }
    return outcome;
  }
}

/** Posts in the window of the settlement instead of the hold's. */
class PostsWhereItSettles extends Ledger {
  override settle(...[id, settlement, at, now]: Parameters<Ledger['settle']>): Settled | undefined {
    const held = this.checkpoint().held.find((one) => one.id === id);
    const settled = super.settle(id, settlement, at, now);
    settled?.posted.forEach((posted, index) => {
      const windowStart = this.view(posted, at)?.windowStart ?? 0;
      if (windowStart !== held?.holds[index]?.windowStart && settlement.kind === 'actual') this.restorePosted({ ...posted, windowStart }, at);
    });
    return settled;
  }
}

/** Lets who comes last have what those who wait could not have yet. */
class LetsOvertake extends Ledger {
  readonly #waiting = new Map<ReservationId, ReserveCommand>();
  #decided: (Granted | Refused)[] = [];
  override reserve(asked: ReserveCommand): Granted | Refused | Waiting {
    const outcome = super.reserve(asked);
    if (outcome.kind !== 'waiting') return outcome;
    for (const id of this.#waiting.keys()) if (!super.cancel(id, asked.at, asked.now)) this.#waiting.delete(id);
    this.#decided.push(...super.takeDecided());
    for (const earlier of this.#waiting.values()) {
      const again = super.reserve({ ...earlier, at: asked.at, now: asked.now });
      if (again.kind !== 'waiting') this.#decided.push(again);
    }
    this.#waiting.set(asked.id, asked);
    return outcome;
  }
  override takeDecided(): readonly (Granted | Refused)[] {
    const decided = [...this.#decided, ...super.takeDecided()];
    this.#decided = [];
    return decided;
  }
}

describe('any order of commands', () => {
  it('keeps posted + pending + free = limit, never overspends, overtakes nobody, lets nobody starve, and survives restarts', () => {
    fc.assert(
      property(() => new Ledger()),
      { numRuns: 600 },
    );
  });

  const bugs = { SettlesTwice, ForgetsRelease, HoldsInPart, PostsWhereItSettles, LetsOvertake };
  it.each(Object.entries(bugs))('would catch a ledger that %s', (_name, Buggy) => {
    expect(
      fc.check(
        property(() => new Buggy()),
        { numRuns: 500, seed: 1, endOnFailure: true },
      ).failed,
    ).toBe(true);
  });
});
