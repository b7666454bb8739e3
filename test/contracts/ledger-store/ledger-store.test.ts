/** What the ledger service relies on, whatever keeps its books. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requestRateId } from '../../../src/core/units/index.ts';
import type { CallRecord, SpendGrouping, SpendQuery } from '../../../src/core/call/index.ts';
import type { AccountEntry } from '../../../src/core/leases/index.ts';
import type { LedgerStore } from '../../../src/shell/ledger/index.ts';
import { DAY_MS, LARGE, LONG, NOON, ODD, account, lease, record, share, sorted } from './material.ts';
import { KINDS } from './places.ts';
import type { Place } from './places.ts';

describe.each(KINDS)('a ledger in $name', (kind) => {
  let place: Place;
  let store: LedgerStore;
  let nowMs: number;

  beforeAll(() => kind.start(), 120_000);
  afterAll(() => kind.stop(), 60_000);
  beforeEach(async () => {
    nowMs = NOON;
    place = await kind.place(() => nowMs);
    store = await place.open();
  }, 60_000);
  afterEach(() => place.remove(), 60_000);

  const entries = async () => sorted((await (await place.open()).lead()).entries);
  const all = (from: LedgerStore = store): Promise<CallRecord[]> => from.records({ sinceMs: 0, count: 10_000 });

  describe('who leads', () => {
    it('is nobody at first, and finds nothing', async () => {
      expect(await store.pulse()).toEqual({ term: 0, beat: 0 });
      expect(await store.lead()).toEqual({ term: 1, entries: [] });
    });

    it('has a later term than all before, whose commits are refused from then on', async () => {
      const other = await place.open();
      const first = await store.lead();
      expect(await store.commit(first.term, [lease(1)])).toBe('stored');
      const second = await other.lead();
      expect(second).toEqual({ term: 2, entries: [lease(1)] });
      expect(await store.commit(first.term, [lease(1, { state: 'closing' }), account(), share(1)])).toBe('deposed');
      expect(await store.commit(first.term, [])).toBe('deposed');
      expect(await other.commit(second.term, [account()])).toBe('stored');
      expect(await entries()).toEqual(sorted([lease(1), account()]));
    });

    it('is felt by others: with each commit, also with one of nothing, and with each term', async () => {
      const other = await place.open();
      const pulses = [await other.pulse()];
      const { term } = await store.lead();
      pulses.push(await other.pulse());
      await store.commit(term, [lease(1)]);
      pulses.push(await other.pulse());
      expect(await store.commit(term, [])).toBe('stored');
      pulses.push(await other.pulse());
      await other.lead();
      pulses.push(await other.pulse());
      expect(new Set(pulses.map(({ term: at, beat }) => `${at} ${beat}`)).size).toBe(pulses.length);
      await store.commit(term, [lease(2)]);
      expect(await other.pulse()).toEqual(pulses.at(-1));
    });

    it('loses nothing to a rival: every commit that was acknowledged builds on all that were before', async () => {
      let acknowledged = 0;
      const rival = async (): Promise<void> => {
        const own = await place.open();
        for (let reign = 0; reign < 6; reign += 1) {
          const { term, entries: found } = await own.lead();
          let { carried } = found.find((entry): entry is AccountEntry => entry.kind === 'account') ?? account();
          for (let commits = 0; commits < 20; commits += 1) {
            carried += 1n;
            if ((await own.commit(term, [account({ carried })])) === 'deposed') break;
            acknowledged += 1;
          }
        }
      };
      await Promise.all([rival(), rival(), rival()]);
      expect(acknowledged).toBeGreaterThan(0);
      expect(await entries()).toEqual([account({ carried: BigInt(acknowledged) })]);
    });
  });

  describe('an entry', () => {
    it('comes back as it was', async () => {
      const { term } = await store.lead();
      const kept = [
        lease(1, { processor: ODD, nonce: ODD, state: 'expired', expiredAt: NOON - 1 }),
        lease(2, { state: 'closing' }),
        account({ limit: `${ODD}|usd`, subject: ODD, period: 2 ** 52, until: 2 ** 53 - 1, rollingMs: 60_000, alerted: 100, carried: LARGE }),
        account({ limit: `${LONG}|tokens`, subject: LONG, buckets: [{ start: NOON, amount: LARGE }] }),
        share(1, { limit: `${ODD}|usd`, subject: ODD, granted: LARGE, returned: 1n, spent: 2n, allowance: 3n, forgiven: 4n }),
        share(2, { limit: `${LONG}|tokens`, subject: LONG, buckets: [{ start: 1, amount: 2n }] }),
      ];
      expect(await store.commit(term, kept)).toBe('stored');
      expect(await entries()).toEqual(sorted(kept));
    });

    it('takes the place of its forerunner, and changes nothing where it comes twice', async () => {
      const { term } = await store.lead();
      await store.commit(term, [lease(1), account({ carried: 1n, until: 5 }), share(1), share(1, { period: 1 })]);
      const newer = [lease(1, { state: 'expired', expiredAt: NOON }), account({ carried: 2n }), share(1, { spent: 50n, buckets: [{ start: 0, amount: 50n }] })];
      for (let time = 0; time < 2; time += 1) expect(await store.commit(term, newer)).toBe('stored');
      expect(await entries()).toEqual(sorted([...newer, share(1, { period: 1 })]));
    });

    it('of a lease that is gone takes its shares with it; of the highest number the lease is remembered', async () => {
      const { term } = await store.lead();
      await store.commit(term, [lease(1), lease(2), account(), share(1), share(2)]);
      await store.commit(term, [lease(2, { state: 'gone' })]);
      expect(await entries()).toEqual(sorted([lease(1), lease(2, { state: 'gone' }), account(), share(1)]));
      await store.commit((await store.lead()).term, [lease(1, { state: 'gone' })]);
      expect(await entries()).toEqual(sorted([lease(2, { state: 'gone' }), account()]));
    });

    it('of an account that is gone takes the shares in it with it, also those that came with it', async () => {
      const { term } = await store.lead();
      await store.commit(term, [lease(1), lease(2), account(), account({ period: 1 }), share(1), share(1, { period: 1 })]);
      await store.commit(term, [share(2), share(1, { spent: 7n }), account({ isGone: true })]);
      expect(await entries()).toEqual(sorted([lease(1), lease(2), account({ period: 1 }), share(1, { period: 1 })]));
    });

    it('is one of thousands in a commit', async () => {
      const { term } = await store.lead();
      const many = Array.from({ length: 2_000 }, (_, index) => share(1, { subject: `s${index}`, spent: BigInt(index) }));
      expect(await store.commit(term, [lease(1), ...many])).toBe('stored');
      expect(await entries()).toEqual(sorted([lease(1), ...many]));
    });
  });

  describe('a record', () => {
    it('comes back as it was', async () => {
      const kept = record('odd', {
        namespace: ODD,
        workload: ODD,
        model: LONG,
        provider: LONG,
        rule: ODD,
        stream: true,
        priceSource: undefined,
        servedModel: ODD,
        usage: { inputTokens: 1, cachedInputTokens: 2, cacheWriteTokens: 3, outputTokens: 4, reasoningTokens: 5, hostedToolCalls: 6 },
        estimated: true,
        costNanoUsd: undefined,
        chargedNanoUsd: LARGE,
        posted: [{ limit: ODD, subject: LONG, windowStart: 0, amount: LARGE, lease: 3 }],
        shrunkToTokens: 5,
        endedAt: 2 ** 52,
      });
      await store.addRecords(ODD, [kept]);
      expect(await all(await place.open())).toEqual([kept]);
    });

    it('counts once by its processor and id, in one batch, in two, or in two at once', async () => {
      const other = await place.open();
      await store.addRecords('p', [record('one'), record('one'), record('two')]);
      await store.addRecords('p', [record('two'), record('three')]);
      const batch = Array.from({ length: 50 }, (_, index) => record(`many-${index}`));
      await Promise.all([store.addRecords('p', batch), other.addRecords('p', batch.toReversed()), store.addRecords('p', batch)]);
      expect(await all()).toHaveLength(53);
      expect(await store.spend({ by: 'model', sinceMs: 0 })).toMatchObject([{ key: 'gpt-4.1', requests: 53, costNanoUsd: String(53 * 60) }]);
    });

    it('of one processor says nothing about another’s of the same id', async () => {
      await Promise.all([store.addRecords('p', [record('same')]), store.addRecords('q', [record('same', { workload: 'other' })])]);
      expect((await all()).map(({ workload }) => workload).toSorted()).toEqual(['checkout', 'other']);
    });

    it('is in one of the pages that go by ending and id, within their bounds', async () => {
      const at = (offset: number, id: string): CallRecord => record(id, { endedAt: NOON + offset });
      await store.addRecords('p', [at(2, '0'), at(1, 'b'), at(1, 'a'), at(0, 'z'), at(3, 'c'), at(1, 'B')]);
      const ids = async (query: Parameters<LedgerStore['records']>[0]): Promise<string[]> => (await store.records(query)).map(({ id }) => id);
      expect(await ids({ sinceMs: 0, count: 10 })).toEqual(['z', 'B', 'a', 'b', '0', 'c']);
      expect(await ids({ sinceMs: 0, count: 2 })).toEqual(['z', 'B']);
      expect(await ids({ sinceMs: 0, count: 2, after: { endedAt: NOON + 1, id: 'B' } })).toEqual(['a', 'b']);
      expect(await ids({ sinceMs: NOON + 1, untilMs: NOON + 3, count: 10 })).toEqual(['B', 'a', 'b', '0']);
      expect(await ids({ sinceMs: NOON + 1, count: 10, after: { endedAt: NOON, id: 'z' } })).toEqual(['B', 'a', 'b', '0', 'c']);
      expect(await ids({ sinceMs: NOON + 4, count: 10 })).toEqual([]);
    });

    it('can be exported while others are added and leases are written, neither waiting for the other', async () => {
      const first = Array.from({ length: 500 }, (_, index) => record(`old-${String(index).padStart(3, '0')}`, { endedAt: NOON + (index % 7) }));
      await store.addRecords('p', first);
      const { term } = await store.lead();
      let written = 0;
      const exported: string[] = [];
      const over = new AbortController();
      const writing = (async () => {
        while (!over.signal.aborted) {
          await store.addRecords('p', [record(`new-${written}`, { endedAt: NOON - 1 - written })]);
          expect(await store.commit(term, [lease(1)])).toBe('stored');
          written += 1;
        }
      })();
      for (let after: CallRecord | undefined; ;) {
        const page = await store.records({ sinceMs: NOON, count: 20, ...(after === undefined ? {} : { after: { endedAt: after.endedAt, id: after.id } }) });
        exported.push(...page.map(({ id }) => id));
        after = page.at(-1);
        if (page.length < 20) break;
      }
      over.abort();
      await writing;
      expect(exported.toSorted()).toEqual(first.map(({ id }) => id));
      expect(written).toBeGreaterThan(0);
    });
  });

  describe('spending', () => {
    const spent = async (query: SpendQuery): Promise<Record<string, string>> =>
      Object.fromEntries((await store.spend(query)).map(({ key, requests, costNanoUsd }) => [key, `${requests} for ${costNanoUsd}`]));

    beforeEach(async () => {
      const budgets = (...posted: readonly (readonly [limit: string, subject: string])[]): CallRecord['posted'] =>
        posted.map(([limit, subject]) => ({ limit, subject, windowStart: 0, amount: 1n }));
      await store.addRecords('p', [
        record('1', { posted: budgets(['shop/life', ''], ['shop/each', 'shop/checkout'], [requestRateId('shop/all#0'), '']) }),
        record('2', { workload: 'payroll', endedAt: NOON + DAY_MS, costNanoUsd: 100n, posted: budgets(['shop/life', ''], ['shop/each', 'shop/payroll']) }),
        record('3', { namespace: 'lab', provider: 'lab/own', model: 'gpt-5', endedAt: NOON + 2 * DAY_MS, costNanoUsd: undefined, estimated: true }),
      ]);
    });

    it.each<[by: SpendGrouping, rows: Record<string, string>]>([
      ['workload', { 'shop/payroll': '1 for 100', 'shop/checkout': '1 for 60', 'lab/checkout': '1 for 0' }],
      ['namespace', { shop: '2 for 160', lab: '1 for 0' }],
      ['model', { 'gpt-4.1': '2 for 160', 'gpt-5': '1 for 0' }],
      ['provider', { 'shop/relay': '2 for 160', 'lab/own': '1 for 0' }],
      ['day', { '2026-05-07': '1 for 100', '2026-05-06': '1 for 60', '2026-05-08': '1 for 0' }],
      ['budget', { 'shop/each': '2 for 160', 'shop/life': '2 for 160' }],
      ['subject', { 'shop/life': '2 for 160', 'shop/each shop/payroll': '1 for 100', 'shop/each shop/checkout': '1 for 60' }],
    ])('by %s', async (by, rows) => {
      const found = await spent({ by, sinceMs: 0 });
      expect(found).toEqual(rows);
      expect(Object.keys(found)).toEqual(Object.keys(rows));
    });

    it('goes by whole days', async () => {
      expect(await spent({ by: 'day', sinceMs: NOON + DAY_MS + 5 })).toEqual({ '2026-05-07': '1 for 100', '2026-05-08': '1 for 0' });
      expect(await spent({ by: 'day', sinceMs: 0, untilMs: NOON + DAY_MS })).toEqual({ '2026-05-06': '1 for 60', '2026-05-07': '1 for 100' });
      const midnight = NOON - (NOON % DAY_MS) + DAY_MS;
      expect(await spent({ by: 'day', sinceMs: 0, untilMs: midnight })).toEqual({ '2026-05-06': '1 for 60' });
      expect(await spent({ by: 'budget', sinceMs: NOON + DAY_MS, untilMs: midnight })).toEqual({});
    });

    it('adds up to any amount, each kind of figure by itself', async () => {
      const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5, reasoningTokens: 2 };
      for (const id of ['x', 'y'])
        await store.addRecords('p', [record(id, { model: 'big', usage, costNanoUsd: LARGE, chargedNanoUsd: LARGE + 1n, estimated: true })]);
      expect((await store.spend({ by: 'model', sinceMs: 0 }))[0]).toEqual({
        key: 'big',
        requests: 2,
        estimated: 2,
        inputTokens: 20,
        cachedInputTokens: 8,
        outputTokens: 10,
        reasoningTokens: 4,
        costNanoUsd: String(2n * LARGE),
        chargedNanoUsd: String(2n * LARGE + 2n),
      });
    });
  });

  describe('what no record tells', () => {
    const posting = (number: number, amount: bigint, windowStart = 0): CallRecord['posted'] => [
      { limit: 'shop/life', subject: '', windowStart, amount, lease: number },
    ];
    const unaccounted = async () => (await store.unaccounted()).map(({ lease: number, period, state, amount }) => ({ number, period, state, amount }));

    it('is what leases have spent less what their own processors’ records have posted', async () => {
      const { term } = await store.lead();
      await store.commit(term, [lease(1), lease(2), account(), share(1, { spent: 90n }), share(2, { spent: 5n })]);
      await store.addRecords('spiffe://test/p', [record('1', { posted: posting(1, 60n) }), record('2', { posted: posting(2, 5n) })]);
      await store.addRecords('spiffe://test/thief', [record('1', { posted: posting(1, 30n) })]);
      expect(await store.unaccounted()).toEqual([
        { lease: 1, processor: 'spiffe://test/p', state: 'live', limit: 'shop/life|usd', subject: '', period: 0, amount: 30n },
      ]);
      await store.addRecords('spiffe://test/p', [record('3', { posted: posting(1, 30n) })]);
      expect(await store.unaccounted()).toEqual([]);
    });

    it('is all that a lost lease had, but for what is forgiven and what it tells when it is found', async () => {
      const { term } = await store.lead();
      await store.commit(term, [lease(1), account(), share(1, { granted: 100n, returned: 10n, spent: 20n })]);
      await store.commit(term, [lease(1, { state: 'expired', expiredAt: NOON }), share(1, { granted: 100n, returned: 10n, spent: 20n, forgiven: 30n })]);
      expect(await unaccounted()).toEqual([{ number: 1, period: 0, state: 'expired', amount: 60n }]);
      await store.addRecords('spiffe://test/p', [record('1', { posted: posting(1, 20n) })]);
      expect(await unaccounted()).toEqual([{ number: 1, period: 0, state: 'expired', amount: 40n }]);
      await store.commit(term, [lease(1, { state: 'gone', expiredAt: NOON })]);
      expect(await unaccounted()).toEqual([{ number: 1, period: 0, state: 'gone', amount: 40n }]);
    });

    it('is told by window, where records name one that the lease has a share of', async () => {
      const { term } = await store.lead();
      const limit = 'shop/life|usd|day|UTC';
      await store.commit(term, [lease(1), share(1, { limit, period: DAY_MS, spent: 50n }), share(1, { limit, period: 2 * DAY_MS, spent: 50n })]);
      await store.addRecords('spiffe://test/p', [
        record('1', { posted: [...posting(1, 40n, 2 * DAY_MS), ...posting(1, 5n, 7 * DAY_MS), ...posting(1, 6n, 8 * DAY_MS)] }),
      ]);
      expect(await unaccounted()).toEqual([
        { number: 1, period: DAY_MS, state: 'live', amount: 39n },
        { number: 1, period: 2 * DAY_MS, state: 'live', amount: 10n },
      ]);
    });
  });

  describe('what is old', () => {
    it('is deleted step by step, and sums stay', async () => {
      const many = Array.from({ length: 1_500 }, (_, index) => record(`old-${index}`, { endedAt: NOON - 1 }));
      await store.addRecords('p', [...many, record('new')]);
      expect(await store.forget(NOON)).toBe(true);
      expect((await all()).length).toBeGreaterThan(1);
      expect(await store.forget(NOON)).toBe(false);
      expect((await all()).map(({ id }) => id)).toEqual(['new']);
      expect(await store.spend({ by: 'model', sinceMs: 0 })).toMatchObject([{ requests: 1_501 }]);
      expect(await store.forget(NOON)).toBe(false);
    });

    it('is what leases owe that are gone for so long, while accounts and the highest number stay', async () => {
      const { term } = await store.lead();
      const posted = [{ limit: 'shop/life', subject: '', windowStart: 0, amount: 1n, lease: 1 }];
      await store.commit(term, [
        lease(1),
        lease(2),
        lease(3),
        account(),
        share(1, { spent: 10n }),
        share(3, { spent: 10n }),
        share(2, { spent: 4n, period: 1 }),
      ]);
      await store.addRecords('spiffe://test/p', [record('1', { posted })]);
      await store.commit(term, [lease(1, { state: 'gone' }), account({ period: 1, isGone: true })]);
      nowMs += 10;
      await store.commit(term, [lease(3, { state: 'gone' })]);
      expect((await store.unaccounted()).map(({ lease: number, amount }) => [number, amount])).toEqual(
        expect.arrayContaining([
          [1, 9n],
          [3, 10n],
          [2, 4n],
        ]),
      );
      expect(await store.forget(NOON + 1)).toBe(false);
      expect((await store.unaccounted()).map(({ lease: number }) => number)).toEqual([3]);
      expect(await store.forget(NOON + 11)).toBe(false);
      expect(await store.unaccounted()).toEqual([]);
      expect(await entries()).toEqual(sorted([lease(2), lease(3, { state: 'gone' }), account()]));
    });
  });
});
