import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { limitIdentity } from '../../core/leases/index.ts';
import type { LimitSpec } from '../../core/ledger/index.ts';
import type { Join, Report, SliceReport, ToAuthority } from '../../core/leases/index.ts';
import { LedgerHost } from './host.ts';
import type { Seat } from './host.ts';
import { ALL_PERMITTED } from './ports.ts';
import type { Permissions } from './ports.ts';
import type { Dismissal, Identity } from '../wire/index.ts';
import { LIMIT, SOON, Listener, SharedStore, TestClock, Told, TroubledStore } from './service.test-support.ts';

const LIFE = limitIdentity(LIMIT);

let clock: TestClock;
let told: Told;
let store: TroubledStore;
let permissions: Permissions;
const hosts: LedgerHost[] = [];

beforeEach(() => {
  clock = new TestClock();
  told = new Told();
  store = new TroubledStore();
  permissions = ALL_PERMITTED;
});
afterEach(() => {
  for (const host of hosts.splice(0)) host.close();
  store.isStuck = false;
});

function newHost(parts: { store?: TroubledStore; told?: Told; isAlone?: boolean; limits?: readonly LimitSpec[] } = {}): LedgerHost {
  const host = new LedgerHost({ store: parts.store ?? store, clock, permissions, isAlone: parts.isAlone ?? true, tell: (parts.told ?? told).tell });
  hosts.push(host);
  expect(host.start(parts.limits ?? [LIMIT])).toEqual({ ok: true, value: undefined });
  return host;
}

async function leading(host: LedgerHost): Promise<LedgerHost> {
  await vi.waitFor(() => expect(host.term).toBeDefined(), SOON);
  return host;
}

/** A processor that says what the test makes it say. */
class Speaker extends Listener {
  readonly #seat: Seat;
  stored = 0;

  constructor(host: LedgerHost, processor: string) {
    super();
    const identity: Identity = { processor };
    const seat = host.seat(identity, this);
    if (!seat.ok) throw new Error(seat.error.message);
    this.#seat = seat.value;
  }

  say(message: ToAuthority): Dismissal | undefined {
    const heard = this.#seat.hear(message, () => (this.stored += 1));
    return heard.ok ? undefined : heard.error;
  }

  async join(nonce = 'n'): Promise<number> {
    expect(this.say(join(nonce))).toBeUndefined();
    return vi.waitFor(() => {
      const joined = this.heard.find((message) => message.kind === 'joined' && message.nonce === nonce);
      if (joined === undefined) throw new Error('not joined');
      return joined.lease;
    }, SOON);
  }

  /** What it has been granted of the limit, all in all. */
  get granted(): bigint {
    return this.heard.flatMap((message) => (message.kind === 'answer' ? message.slices : [])).at(-1)?.granted ?? 0n;
  }
}

const join = (nonce: string): Join => ({ kind: 'join', nonce, sentAt: 1 });
let sentAt = 1;

function report(lease: number, slice: Partial<SliceReport> = {}, changes: Partial<Report> = {}): Report {
  const nothing = { limit: LIFE, subject: '', period: 0, returned: 0n, spent: 0n, need: 0n, least: 0n, more: 0n, spare: 0n };
  return {
    kind: 'report',
    lease,
    instance: 'i',
    sentAt: sentAt++,
    at: clock.epochMs(),
    heard: 0,
    stage: 'open',
    slices: [{ ...nothing, ...slice }],
    ...changes,
  };
}

const wanting = (amount: bigint): Partial<SliceReport> => ({ need: amount, least: amount });

describe('what is decided', () => {
  it('is not said before it is stored', async () => {
    const speaker = new Speaker(await leading(newHost()), 'p');
    const lease = await speaker.join();
    const before = speaker.heard.length;
    store.isStuck = true;
    speaker.say(report(lease, wanting(500n)));
    // Longer than anything but the store takes.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(speaker.heard).toHaveLength(before);
    expect(speaker.stored).toBe(1);
    store.isStuck = false;
    await vi.waitFor(() => expect(speaker.granted).toBeGreaterThanOrEqual(500n), SOON);
    expect(speaker.stored).toBe(2);
  });

  it('is stored together, where it came while a commit was under way', async () => {
    const host = await leading(newHost());
    const speakers = Array.from({ length: 20 }, (_, index) => new Speaker(host, `p${index}`));
    const leases = await Promise.all(speakers.map((speaker) => speaker.join()));
    const before = store.shared.commits.length;
    store.isStuck = true;
    for (const [index, speaker] of speakers.entries()) speaker.say(report(leases[index] ?? 0, wanting(10n)));
    store.isStuck = false;
    await vi.waitFor(() => expect(speakers.every(({ granted }) => granted >= 10n)).toBe(true), SOON);
    const commits = store.shared.commits.slice(before);
    expect(commits.length).toBeLessThanOrEqual(3);
    for (const entries of commits) {
      const keys = entries.map((entry) =>
        JSON.stringify(entry.kind === 'lease' ? entry.lease : [entry.kind, entry.limit, entry.subject, 'lease' in entry && entry.lease]),
      );
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  it('is told to people once it is stored', async () => {
    const speaker = new Speaker(await leading(newHost()), 'p');
    const lease = await speaker.join();
    speaker.say(report(lease, wanting(600_000n)));
    await vi.waitFor(() => expect(speaker.granted).toBeGreaterThanOrEqual(600_000n), SOON);
    store.isStuck = true;
    speaker.say(report(lease, { spent: 600_000n }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(told.of('threshold')).toEqual([]);
    store.isStuck = false;
    await vi.waitFor(() => expect(told.of('threshold').map(({ percent }) => percent)).toEqual([50]), SOON);
  });

  it('goes by limits that were changed just now', async () => {
    const host = await leading(newHost());
    const speaker = new Speaker(host, 'p');
    const lease = await speaker.join();
    speaker.say(report(lease, wanting(2_000_000n)));
    await vi.waitFor(() => expect(speaker.stored).toBe(2), SOON);
    expect(speaker.granted).toBe(0n);
    expect(host.configure([{ ...LIMIT, limit: 9_000_000n }])).toEqual({ ok: true, value: undefined });
    speaker.say(report(lease, wanting(2_000_000n)));
    await vi.waitFor(() => expect(speaker.granted).toBeGreaterThanOrEqual(2_000_000n), SOON);
    expect(host.figures()).toEqual([expect.objectContaining({ limit: LIFE, limitAmount: 9_000_000n, posted: 0n })]);
    const refused = host.configure([LIMIT, LIMIT]);
    expect(refused.ok).toBe(false);
    expect(host.figures()).toEqual([expect.objectContaining({ limitAmount: 9_000_000n })]);
  });
});

describe('a store that fails', () => {
  it('ends the term: nothing of it is said, and the next knows what was stored', async () => {
    const host = await leading(newHost());
    const speaker = new Speaker(host, 'p');
    const lease = await speaker.join();
    store.isBroken = true;
    store.storesBeforeItBreaks = true;
    speaker.say(report(lease, wanting(700_000n)));
    await vi.waitFor(() => expect(speaker.ended).toEqual({ code: 'unavailable', message: 'the store of the ledger service is out of reach' }), SOON);
    expect(speaker.granted).toBe(0n);
    expect(host.term).toBeUndefined();
    expect(host.seat({ processor: 'q' }, new Listener())).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(told.of('store_unavailable')[0]?.error.message).toBe('it is broken on purpose');
    store.isBroken = false;
    // Nobody else has led meanwhile, so there is nobody to wait for.
    await leading(host);
    expect(host.term).toBe(2);
    expect(host.figures()).toEqual([expect.objectContaining({ pending: 700_000n })]);
    expect(told.of('resigned')).toEqual([{ kind: 'resigned', term: 1, reason: 'store' }]);
  });

  it('and does not answer ends the term as well', async () => {
    const host = await leading(newHost());
    const speaker = new Speaker(host, 'p');
    const lease = await speaker.join();
    store.isStuck = true;
    speaker.say(report(lease, wanting(700_000n)));
    clock.pass(5_000);
    await vi.waitFor(() => expect(speaker.ended?.code).toBe('unavailable'), SOON);
    expect(speaker.granted).toBe(0n);
    store.isStuck = false;
    await leading(host);
    expect(host.term).toBe(2);
  });

  it('at the start is tried again until it is there', async () => {
    store.isBroken = true;
    const host = newHost();
    await vi.waitFor(() => expect(told.of('store_unavailable').length).toBeGreaterThan(1), SOON);
    store.isBroken = false;
    await leading(host);
  });
});

describe('several controllers', () => {
  it('have one leader: the first, who is followed once its pulse stands still', async () => {
    const shared = new SharedStore();
    const [oneStore, twoStore, oneTold, twoTold] = [new TroubledStore(shared), new TroubledStore(shared), new Told(), new Told()];
    const one = await leading(newHost({ store: oneStore, told: oneTold, isAlone: false }));
    const two = newHost({ store: twoStore, told: twoTold, isAlone: false });
    const speaker = new Speaker(one, 'p');
    const lease = await speaker.join();
    // A quiet leader is not taken for a dead one: it beats for longer than the other would wait.
    await vi.waitFor(() => expect(shared.commits.filter((entries) => entries.length === 0).length).toBeGreaterThan(12), SOON);
    expect([one.term, two.term]).toEqual([1, undefined]);
    expect(two.seat({ processor: 'p' }, new Listener())).toMatchObject({ ok: false, error: { code: 'unavailable', message: 'this controller does not lead' } });

    oneStore.isStuck = true;
    const stuckAt = performance.now();
    speaker.say(report(lease, wanting(500n)));
    await leading(two);
    const tookMs = performance.now() - stuckAt;
    expect(tookMs).toBeGreaterThan(4_000);

    // What the first had under way is not stored, and it says nothing more.
    oneStore.isStuck = false;
    await vi.waitFor(() => expect(one.term).toBeUndefined(), SOON);
    expect(speaker.granted).toBe(0n);
    expect(speaker.ended?.code).toBe('unavailable');
    expect(oneTold.of('resigned')).toHaveLength(1);

    // The lease lives on under the second.
    const again = new Speaker(two, 'p');
    expect(again.say(report(lease, wanting(500n)))).toBeUndefined();
    await vi.waitFor(() => expect(again.granted).toBeGreaterThanOrEqual(500n), SOON);
    const before = shared.commits.length;
    await vi.waitFor(() => expect(shared.commits.length).toBeGreaterThan(before + 3), SOON);
    expect([one.term, two.term]).toEqual([undefined, 2]);
  });

  it('lead at once where nobody ever has', async () => {
    await leading(newHost({ isAlone: false }));
    expect(told.of('leading')).toEqual([{ kind: 'leading', term: 1 }]);
  });
});

describe('a processor', () => {
  it('is heard by its newest stream', async () => {
    const host = await leading(newHost());
    const [older, newer] = [new Speaker(host, 'p'), new Speaker(host, 'p')];
    expect(older.ended?.code).toBe('replaced');
    expect(told.of('replaced')).toEqual([{ kind: 'replaced', processor: 'p' }]);
    await newer.join();
    expect(older.heard).toEqual([]);
    expect(host.processors).toEqual(['p']);
  });

  it('may not speak of another’s lease', async () => {
    const host = await leading(newHost());
    const lease = await new Speaker(host, 'p').join();
    const thief = new Speaker(host, 'thief');
    const refusal = { code: 'not_permitted', message: `lease ${lease} is not a lease of "thief"` } as const;
    expect(thief.say(report(lease, { returned: 5n }))).toEqual(refusal);
    expect(told.of('violation')).toEqual([{ kind: 'violation', processor: 'thief', ...refusal }]);
    expect(thief.heard).toEqual([]);
  });

  it('may speak of a lease that nobody knows any more', async () => {
    const speaker = new Speaker(await leading(newHost()), 'p');
    expect(speaker.say(report(77))).toBeUndefined();
    await vi.waitFor(() => expect(speaker.heard).toEqual([expect.objectContaining({ lease: 77, state: 'gone' })]), SOON);
  });

  it('hears that its lease is gone when it has given it up', async () => {
    const speaker = new Speaker(await leading(newHost()), 'p');
    const lease = await speaker.join();
    expect(speaker.say(report(lease, {}, { stage: 'done' }))).toBeUndefined();
    await vi.waitFor(() => expect(speaker.heard.at(-1)).toMatchObject({ lease, state: 'gone' }), SOON);
  });

  it('may not say what makes no sense', async () => {
    const speaker = new Speaker(await leading(newHost()), 'p');
    const lease = await speaker.join();
    expect(speaker.say(report(lease, { spent: 2n ** 97n }))).toEqual({ code: 'invalid', message: 'spent is not an amount' });
  });

  it('may have many leases, and no more', async () => {
    const speaker = new Speaker(await leading(newHost()), 'p');
    for (let index = 0; index < 64; index += 1) expect(speaker.say(join(`n${index}`))).toBeUndefined();
    expect(speaker.say(join('one more'))).toMatchObject({ code: 'too_much' });
    expect(speaker.say(join('n0'))).toBeUndefined();
  });
});

describe('an account', () => {
  it('is nobody’s who may not use it', async () => {
    permissions = { ...ALL_PERMITTED, mayUse: ({ processor }, limit, subject) => processor === 'own' || limit !== LIFE || subject !== '' };
    const host = await leading(newHost());
    const spy = new Speaker(host, 'spy');
    const lease = await spy.join();
    const refusal = { code: 'not_permitted', message: `"spy" may not use limit ${JSON.stringify(LIFE)} of subject ""` } as const;
    expect(spy.say(report(lease))).toEqual(refusal);
    expect(spy.heard).toHaveLength(1);
    expect(told.of('violation')).toEqual([{ kind: 'violation', processor: 'spy', ...refusal }]);
    const own = new Speaker(host, 'own');
    expect(own.say(report(await own.join(), wanting(5n)))).toBeUndefined();
  });

  it('that a processor may no longer use is settled, and no more is granted from it', async () => {
    let mayUse = true;
    permissions = { ...ALL_PERMITTED, mayUse: () => mayUse };
    const host = await leading(newHost());
    const speaker = new Speaker(host, 'p');
    const lease = await speaker.join();
    speaker.say(report(lease, wanting(500n)));
    await vi.waitFor(() => expect(speaker.granted).toBe(500n), SOON);
    mayUse = false;
    expect(speaker.say(report(lease, { spent: 300n, returned: 100n, ...wanting(900n) }))).toBeUndefined();
    // More than it was granted is not booked.
    expect(speaker.say(report(lease, { spent: 800_000n, returned: 100n }))).toBeUndefined();
    await vi.waitFor(() => expect(speaker.stored).toBe(4), SOON);
    expect(speaker.granted).toBe(500n);
    expect(host.figures()).toEqual([expect.objectContaining({ posted: 400n, pending: 0n })]);
    expect(host.seat({ processor: 'p' }, new Listener()).ok).toBe(true);
  });
});

it('a message that makes no news proves the term, too', async () => {
  const speaker = new Speaker(await leading(newHost()), 'p');
  const lease = await speaker.join();
  speaker.say(report(lease, {}, { slices: [] }));
  await vi.waitFor(() => expect(speaker.stored).toBe(2), SOON);
  const count = speaker.heard.length;
  await store.shared.books.lead();
  expect(speaker.say(report(lease, {}, { slices: [] }))).toBeUndefined();
  await vi.waitFor(() => expect(speaker.ended?.code).toBe('unavailable'), SOON);
  expect(speaker.heard).toHaveLength(count);
});
