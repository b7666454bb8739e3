/** Limits that two processors share, by a real ledger service: windows, subjects, rates, changes, and what is left when it is gone. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { spansOf } from '../../core/ledger/index.ts';
import type { AccountRef, Granted, LimitSpec, Refused } from '../../core/ledger/index.ts';
import { LIMIT, SOON, TestService } from './service.test-support.ts';
import type { TestProcessor } from './service.test-support.ts';

/** Days pass here in a moment, and streams end when the certificate does that they were opened with. */
const LASTING = { validMs: 1_000 * 86_400_000 };
const services: TestService[] = [];

afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
});

interface Shared {
  readonly service: TestService;
  readonly one: TestProcessor;
  readonly two: TestProcessor;
}

async function share(...limits: readonly LimitSpec[]): Promise<Shared> {
  const service = await TestService.start({ limits });
  services.push(service);
  // Three seconds of silence are twelve of a machine that does other things, too.
  service.clock.rate = 0.25;
  const [one, two] = await Promise.all(['one', 'two'].map((name) => service.processor(name, undefined, limits, LASTING)));
  if (one === undefined || two === undefined) throw new Error('two were asked for');
  await vi.waitFor(() => expect(one.holder.lease * two.holder.lease).toBeGreaterThan(0), SOON);
  return { service, one, two };
}

const limit = (id: string, changes: Partial<LimitSpec> = {}): LimitSpec => ({ ...LIMIT, id, limit: 100n, waitMs: 2_000, ...changes });
const of = (...names: readonly string[]): AccountRef[] => names.map((name) => ({ limit: name.split('/', 1)[0] ?? '', subject: name.split('/')[1] ?? '' }));

async function decided(processor: TestProcessor, accounts: readonly AccountRef[], amount: bigint): Promise<(Granted | Refused) & { readonly id: string }> {
  const { id } = await vi.waitFor(() => {
    const reserved = processor.reserveIn(accounts, amount);
    expect(reserved.outcome.kind).not.toBe('out_of_reach');
    return reserved;
  }, SOON);
  await vi.waitFor(() => expect(processor.decided.has(id)).toBe(true), SOON);
  return processor.decided.get(id) as Granted | Refused;
}

/** Calls in turn, each settled at once, until one is refused at each of the two. Returns how many were served. */
async function spendAll({ one, two }: Shared, accounts: readonly AccountRef[], amount: bigint): Promise<number> {
  let served = 0;
  for (const refused = new Set<TestProcessor>(); refused.size < 2;) {
    for (const processor of [one, two]) {
      const outcome = await decided(processor, accounts, amount);
      if (outcome.kind === 'refused') refused.add(processor);
      else {
        processor.settle(outcome.id, amount);
        served += 1;
      }
    }
    if (served > 1_000) throw new Error('there is no end of it');
  }
  return served;
}

/** So that both have told all that they have, and have a lease again where it has ended. */
async function later(shared: Shared, ms: number): Promise<void> {
  const { service, one, two } = shared;
  service.clock.pass(ms);
  const heard = [one.heard.length, two.heard.length];
  await vi.waitFor(() => {
    expect(one.heard.length).toBeGreaterThan(heard[0] ?? 0);
    expect(two.heard.length).toBeGreaterThan(heard[1] ?? 0);
    expect(one.holder.lease * two.holder.lease).toBeGreaterThan(0);
  }, SOON);
}

const WINDOWS: readonly (readonly [string, LimitSpec['window']])[] = [
  ['a minute', { kind: 'calendar', unit: 'minute', timeZone: 'UTC' }],
  ['an hour', { kind: 'calendar', unit: 'hour', timeZone: 'Asia/Kolkata' }],
  ['a day', { kind: 'calendar', unit: 'day', timeZone: 'America/New_York' }],
  ['a week', { kind: 'calendar', unit: 'week', timeZone: 'UTC' }],
  ['a month', { kind: 'calendar', unit: 'month', timeZone: 'Europe/Berlin' }],
  ['the last minute', { kind: 'rolling', durationMs: 60_000 }],
];

describe('a window that two share', () => {
  it.each(WINDOWS)('of %s has its limit once, and the next one again', async (_name, window) => {
    const shared = await share(limit('w', { window }));
    const { clock } = shared.service;
    // Not at its very end, where the test would go over it.
    const left = (): number => spansOf(window)(clock.epochMs()).countsUntil - clock.epochMs();
    if (window.kind === 'calendar' && left() < 20_000) await later(shared, left() + 1_000);
    expect(await spendAll(shared, of('w'), 10n)).toBe(10);
    await later(shared, window.kind === 'rolling' ? window.durationMs + 2_000 : left() + 1_000);
    expect(await spendAll(shared, of('w'), 10n)).toBe(10);
  });

  it.each([
    ['23 hours', '2027-03-28T00:30:00+01:00', 23],
    ['25 hours', '2027-10-31T00:30:00+02:00', 25],
  ])('of a day of %s is as long as that day', async (_name, begin, hours) => {
    const shared = await share(limit('w', { window: { kind: 'calendar', unit: 'day', timeZone: 'Europe/Berlin' } }));
    const { clock } = shared.service;
    await later(shared, Date.parse(begin) - clock.epochMs());
    expect(await spendAll(shared, of('w'), 10n)).toBe(10);
    // A minute before midnight, when half an hour of the day was over at the beginning.
    await later(shared, (hours - 0.5) * 3_600_000 - 60_000);
    expect(await spendAll(shared, of('w'), 10n)).toBe(0);
    await later(shared, 61_000);
    expect(await spendAll(shared, of('w'), 10n)).toBe(10);
  });
});

describe('accounts that two share', () => {
  it('are kept apart by subject', async () => {
    const shared = await share(limit('team'));
    expect(await spendAll(shared, of('team/a'), 20n)).toBe(5);
    expect(await spendAll(shared, of('team/b'), 20n)).toBe(5);
    expect(await spendAll(shared, of('team/a'), 20n)).toBe(0);
  });

  it('of several budgets are held in all or in none', async () => {
    const shared = await share(limit('service', { limit: 1_000n }), limit('model', { limit: 1_000n }), limit('team', { limit: 50n }));
    const { service } = shared;
    expect(await spendAll(shared, of('service', 'model', 'team'), 10n)).toBe(5);
    // What quiet processors keep for their next calls is back as well by then.
    await later(shared, 320_000);
    await vi.waitFor(() => {
      const figures = service.host.figures().map(({ limit: id, posted, pending }) => [id.split('|', 1)[0], posted, pending]);
      expect(figures.toSorted()).toEqual([
        ['model', 50n, 0n],
        ['service', 50n, 0n],
        ['team', 50n, 0n],
      ]);
    }, SOON);
  });

  it('of rates let through so many requests, and so many tokens, in a minute, whoever they come to', async () => {
    const rate = { kind: 'rate', mode: 'Bounded', waitMs: 0, alerts: [], window: { kind: 'rolling', durationMs: 60_000 } } as const;
    const shared = await share(limit('calls', { ...rate, unit: 'requests', limit: 12n }), limit('tokens', { ...rate, unit: 'tokens', limit: 500n }));
    // Rates do not wait for what another has at hand: a call of each may be refused early.
    const calls = await spendAll(shared, of('calls'), 1n);
    expect(calls).toBeLessThanOrEqual(12);
    expect(calls).toBeGreaterThanOrEqual(10);
    const tokens = await spendAll(shared, of('tokens'), 50n);
    expect(tokens).toBeLessThanOrEqual(10);
    expect(tokens).toBeGreaterThanOrEqual(8);
    const refused = await decided(shared.one, of('calls'), 1n);
    expect(refused).toMatchObject({ kind: 'refused', reason: 'rate_limited' });
    await later(shared, 62_000);
    const again = await spendAll(shared, of('calls', 'tokens'), 50n);
    expect(again).toBeLessThanOrEqual(10);
    expect(again).toBeGreaterThanOrEqual(8);
  });
});

describe('a limit that is changed', () => {
  const configure = ({ service, one, two }: Shared, spec: LimitSpec): void => {
    expect(service.host.configure([spec]).ok).toBe(true);
    one.configure([spec]);
    two.configure([spec]);
  };

  it('upwards serves those who wait, at either, within a second', async () => {
    const shared = await share(limit('life', { waitMs: 30_000 }));
    const { one, two } = shared;
    const held = await decided(one, of('life'), 100n);
    expect(held.kind).toBe('granted');
    const waiting = [one, two].map((processor) => ({ processor, ...processor.reserveIn(of('life'), 40n) }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const { processor, id } of waiting) expect(processor.decided.has(id)).toBe(false);
    shared.service.clock.rate = 0.05;
    const began = shared.service.clock.monotonicMs();
    configure(shared, limit('life', { limit: 200n, waitMs: 30_000 }));
    await vi.waitFor(() => {
      for (const { processor, id } of waiting) expect(processor.decided.get(id)?.kind).toBe('granted');
    }, SOON);
    expect(shared.service.clock.monotonicMs() - began).toBeLessThan(1_000);
  });

  it('downwards takes back what nobody holds, and refuses who waits for what will never be, within a second', async () => {
    const shared = await share(limit('life', { limit: 1_000n, waitMs: 30_000 }));
    const { service, one, two } = shared;
    const held = await decided(one, of('life'), 300n);
    const { id } = two.reserveIn(of('life'), 900n);
    service.clock.rate = 0.05;
    const began = service.clock.monotonicMs();
    configure(shared, limit('life', { limit: 400n, waitMs: 30_000 }));
    await vi.waitFor(() => expect(two.decided.get(id)).toMatchObject({ kind: 'refused', reason: 'too_small_for_call' }), SOON);
    expect(service.clock.monotonicMs() - began).toBeLessThan(1_000);
    service.clock.rate = 0.25;
    one.settle(held.id, 300n);
    expect(await spendAll(shared, of('life'), 20n)).toBe(5);
    await later(shared, 16_000);
    await vi.waitFor(() => expect(service.host.figures()).toMatchObject([{ posted: 400n, pending: 0n, free: 0n }]), SOON);
  });
});

describe('when the ledger service is gone', () => {
  const gone = async ({ service }: Shared): Promise<void> => {
    service.host.close();
    await service.server.close(100);
  };

  it('Strict refuses past the lease, Bounded goes on within its allowance, Observe goes on', async () => {
    const shared = await share(
      limit('strict', { limit: 10_000n }),
      limit('bounded', { limit: 10_000n, mode: 'Bounded' }),
      limit('seen', { limit: 10_000n, mode: 'Observe' }),
    );
    const { service, one } = shared;
    for (const id of ['strict', 'bounded', 'seen']) {
      const first = await decided(one, of(id), 100n);
      one.settle(first.id, 100n);
    }
    // From now on time passes by hand: no lease ends because the machine is slow.
    service.clock.rate = 0;
    await gone(shared);
    // From the slice, while the lease lasts.
    expect(one.reserveIn(of('strict'), 10n).outcome.kind).toBe('granted');
    service.clock.pass(31_000);
    expect(one.reserveIn(of('strict'), 10n).outcome.kind).toBe('waiting');
    await vi.waitFor(() => {
      service.clock.pass(400);
      expect(one.holder.isSilent).toBe(true);
    }, SOON);
    expect(one.reserveIn(of('strict'), 10n).outcome.kind).toBe('out_of_reach');
    let overdrawn = 0n;
    while (one.reserveIn(of('bounded'), 10n).outcome.kind === 'granted') overdrawn += 10n;
    expect(overdrawn).toBeGreaterThan(0n);
    expect(overdrawn).toBeLessThanOrEqual(1_000n);
    for (let call = 0; call < 2_000; call += 1) expect(one.reserveIn(of('seen'), 100n).outcome.kind).toBe('granted');
  });
});
