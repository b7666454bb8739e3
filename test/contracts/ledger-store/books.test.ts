/**
 * The ledger service on each kind of store, with processors that spend, die with their disks, and are heard of late: what was
 * spent can be told from the records, and is what the ledger has posted.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CallRecord, Clock } from '../../../src/core/call/index.ts';
import { Holder } from '../../../src/core/leases/index.ts';
import type { Hold, LimitSpec } from '../../../src/core/ledger/index.ts';
import { formatNanoUsd } from '../../../src/core/units/index.ts';
import { ALL_PERMITTED, LedgerHost } from '../../../src/shell/ledger/index.ts';
import type { LedgerStore, Seat } from '../../../src/shell/ledger/index.ts';
import { lookOften } from '../../../src/shell/ledger/service.test-support.ts';
import { answerRecords, answerSpend } from '../../../src/shell/spending/index.ts';
import type { SpendReport, SpendSource } from '../../../src/shell/spending/index.ts';
import { record } from './material.ts';
import { KINDS } from './places.ts';
import type { Place } from './places.ts';

const common = { kind: 'budget', unit: 'usd', mode: 'Strict', nearLimit: 'Reject', floorOutputTokens: 1, waitMs: 5_000 } as const;
const LIMITS: readonly LimitSpec[] = [
  { ...common, id: 'shop/life', limit: 10_000_000n, window: { kind: 'lifetime' } },
  { ...common, id: 'shop/daily', limit: 9_000_000n, window: { kind: 'calendar', unit: 'day', timeZone: 'Asia/Shanghai' } },
  { ...common, id: 'shop/hour', limit: 8_000_000n, window: { kind: 'rolling', durationMs: 3_600_000 } },
];
const SOON = { timeout: 30_000, interval: 5 };

/** Time as it is, and what a test adds to it. */
class AheadClock implements Clock {
  aheadMs = 0;
  epochMs = (): number => Date.now() + this.aheadMs;
  monotonicMs = (): number => performance.now() + this.aheadMs;
}

/** A holder that is joined to a host, and tells the store what its calls cost. */
class Spender {
  readonly name: string;
  readonly #clock: Clock;
  readonly #store: LedgerStore;
  readonly #holder: Holder;
  readonly #seat: Seat;
  #timer: NodeJS.Timeout;
  #calls = 0;
  readonly #told: CallRecord[] = [];

  constructor(name: string, clock: Clock, host: LedgerHost, store: LedgerStore) {
    this.name = name;
    this.#clock = clock;
    this.#store = store;
    this.#holder = new Holder({ instance: name, unfinished: [], at: clock.epochMs(), now: clock.monotonicMs() });
    const seat = host.seat(
      { processor: name },
      { send: (message) => this.#holder.receive(message, clock.epochMs(), clock.monotonicMs()), end: () => undefined },
    );
    if (!seat.ok) throw new Error(seat.error.message);
    this.#seat = seat.value;
    this.#holder.connected(clock.epochMs(), clock.monotonicMs());
    const configured = this.#holder.configure(LIMITS, clock.epochMs(), clock.monotonicMs());
    if (!configured.ok) throw new Error(configured.error[0]?.message);
    this.#timer = setInterval(() => this.#advance(), 5);
  }

  /** Calls that cost so much each. What they have left to tell stays here. */
  async spend(costs: readonly bigint[]): Promise<void> {
    for (const cost of costs) {
      const id = `${this.name}-${this.#calls++}`;
      const [at, now] = [this.#clock.epochMs(), this.#clock.monotonicMs()];
      const quote = {
        fixedNanoUsd: cost * 2n,
        outputNanoUsdPerMillion: 0n,
        inputTokens: 1,
        choices: 1,
        outputCap: 0,
        capIsDefault: false,
        estimate: { nanoUsd: cost, tokens: 1 },
      };
      const outcome = this.#holder.reserve({
        id,
        at,
        now,
        accounts: LIMITS.map(({ id: limit }) => ({ limit, subject: 'shop/checkout' })),
        quote,
        profile: 'p',
      });
      if (outcome.kind === 'waiting') await expect.poll(() => (this.#advance(), this.#granted.has(id)), SOON).toBe(true);
      else if (outcome.kind !== 'granted') throw new Error(outcome.kind);
      const settled = this.#holder.settle(
        id,
        { kind: 'actual', actual: { nanoUsd: cost, tokens: 1, outputTokens: 1 } },
        this.#clock.epochMs(),
        this.#clock.monotonicMs(),
      );
      this.#told.push(record(id, { workload: this.name, endedAt: at, costNanoUsd: cost, chargedNanoUsd: cost, posted: settled?.posted ?? [] }));
      this.#advance();
    }
  }

  readonly #granted = new Set<string>();

  /** Tells the records, all of them twice as one does who has not heard that they came. */
  async tell(): Promise<void> {
    for (let time = 0; time < 2; time += 1) await this.#store.addRecords(this.name, this.#told);
  }

  /** Without a word, and with its disk. */
  die(): void {
    clearInterval(this.#timer);
    this.#seat.leave();
  }

  /** In good order: what is not held goes back. */
  async leave(): Promise<void> {
    this.#holder.leave(this.#clock.epochMs(), this.#clock.monotonicMs());
    await expect.poll(() => this.#holder.hasLeft, SOON).toBe(true);
    this.die();
  }

  #advance(): void {
    this.#holder.advance(this.#clock.epochMs(), this.#clock.monotonicMs());
    this.#holder.takeEntries();
    for (const decided of this.#holder.takeDecided()) if (decided.kind === 'granted') this.#granted.add(decided.id);
    for (const message of this.#holder.takeMessages()) this.#seat.hear(message, () => undefined);
  }
}

describe.each(KINDS)('the books of the ledger service in $name', (kind) => {
  let place: Place;
  let store: LedgerStore;
  let clock: AheadClock;
  let host: LedgerHost;
  let source: SpendSource;

  beforeAll(() => kind.start(), 120_000);
  afterAll(() => kind.stop(), 60_000);
  beforeEach(async () => {
    lookOften();
    clock = new AheadClock();
    place = await kind.place(() => clock.epochMs());
    store = await place.open();
    host = await started(store);
  }, 60_000);
  afterEach(async () => {
    vi.restoreAllMocks();
    host.close();
    await place.remove();
  }, 60_000);

  async function started(on: LedgerStore): Promise<LedgerHost> {
    const made = new LedgerHost({ store: on, clock, permissions: ALL_PERMITTED, isAlone: true, tell: () => undefined });
    made.start(LIMITS);
    await expect.poll(() => made.term, SOON).toBeDefined();
    source = {
      spend: (query) => on.spend(query),
      records: (query) => on.records(query),
      unaccounted: () => on.unaccounted(),
      views: () => made.views(),
      cnyPerUsdNano: 7_300_000_000n,
    };
    return made;
  }

  /** What all records post to each limit, read page by page as an export is. */
  async function rebuilt(): Promise<Map<string, bigint>> {
    const sums = new Map<string, bigint>();
    const add = ({ limit, amount }: Hold): unknown => sums.set(limit, (sums.get(limit) ?? 0n) + amount);
    for (let after: string | null = ''; after !== null;) {
      const page = await answerRecords(source, new Map([['count', '7'], ...(after === '' ? [] : [['after', after] as const])]));
      if (!page.ok) throw new Error(page.error);
      for (const { posted } of page.value.records) posted.forEach(add);
      after = page.value.next;
    }
    return sums;
  }
  const figures = (): Record<string, { readonly posted: bigint; readonly pending: bigint }> =>
    Object.fromEntries(host.views().map(({ limit, posted, pending }) => [limit, { posted, pending }]));
  const report = async (): Promise<SpendReport> => {
    const answer = await answerSpend(source, new Map());
    if (!answer.ok || 'by' in answer.value) throw new Error('that is no report');
    return answer.value;
  };

  it('tell to the nano-dollar what was spent: from the records, and by a ledger that is started anew', async () => {
    const spenders = ['one', 'two', 'three'].map((name) => new Spender(name, clock, host, store));
    await Promise.all(spenders.map((each, index) => each.spend(Array.from({ length: 20 }, (_, call) => BigInt(1_001 * (index + 1) + call)))));
    await Promise.all(spenders.map((each) => each.tell()));
    await Promise.all(spenders.map((each) => each.leave()));
    const spent = [1_001n, 2_002n, 3_003n].reduce((sum, first) => sum + first * 20n + 190n, 0n);
    const each = { posted: spent, pending: 0n };
    await expect.poll(figures, SOON).toEqual({ 'shop/life': each, 'shop/daily': each, 'shop/hour': each });
    expect(Object.fromEntries(await rebuilt())).toEqual({ 'shop/life': spent, 'shop/daily': spent, 'shop/hour': spent });
    expect(await store.unaccounted()).toEqual([]);
    const told = await report();
    expect(told).toMatchObject({ totals: { requests: 60, costUsd: formatNanoUsd(spent) }, lost: [] });
    expect((await store.spend({ by: 'budget', sinceMs: 0 })).map(({ key, costNanoUsd }) => [key, costNanoUsd])).toEqual([
      ['shop/daily', String(spent)],
      ['shop/hour', String(spent)],
      ['shop/life', String(spent)],
    ]);
    host.close();
    host = await started(await place.open());
    expect(figures()).toEqual({ 'shop/life': each, 'shop/daily': each, 'shop/hour': each });
  });

  it('show what died with a processor’s disk as one record of its lease, with its sum', async () => {
    const [lost, other] = [new Spender('lost', clock, host, store), new Spender('other', clock, host, store)];
    await lost.spend([5_000n, 6_000n]);
    await other.spend([700n]);
    await Promise.all([lost.tell(), other.tell()]);
    // Two more calls whose records nobody will ever see.
    await lost.spend([8_000n, 9_000n]);
    await expect.poll(() => figures()['shop/life']?.posted, SOON).toBe(28_700n);
    lost.die();
    await other.leave();
    expect((await report()).lost).toEqual([]);
    // To just before its lease ends, and then as time goes: a jump over that would count as a while in which nobody could be heard.
    clock.aheadMs += 32_000;
    await expect.poll(async () => (await report()).lost, SOON).toHaveLength(3);
    const { lost: leases } = await report();
    const posted = figures()['shop/life']?.posted ?? 0n;
    expect(figures()).toMatchObject({ 'shop/life': { pending: 0n } });
    expect(posted).toBeGreaterThanOrEqual(28_700n);
    const sum = (await rebuilt()).get('shop/life') ?? 0n;
    expect(sum).toBe(11_700n);
    const charge = posted - sum;
    expect(leases.find(({ budget }) => budget === 'shop/life')).toEqual({
      lease: expect.any(Number),
      processor: 'lost',
      budget: 'shop/life',
      subject: 'shop/checkout',
      unit: 'usd',
      amount: formatNanoUsd(charge),
    });
    // Its records turn up after all, as from a disk that was found: told, they are accounted for.
    await lost.tell();
    const left = (await store.unaccounted()).find(({ limit }) => limit === 'shop/life|usd')?.amount ?? 0n;
    expect(left).toBe(charge - 17_000n);
  });
});
