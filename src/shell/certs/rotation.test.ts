import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DAY_MS, START, SetClock, certificatesOf, issue, openAuthority, opensslVerify } from './certs.test-support.ts';
import { MemoryAuthorityStore } from './memory-store.ts';
import { phaseOf, planRoots } from './rotation.ts';
import type { RootTimes } from './rotation.ts';
import { AUTHORITIES, SKEW_MS } from './terms.ts';

const root = (signsFrom: number, signsUntil: number): RootTimes => ({
  madeAt: Math.max(0, signsFrom - 100 * DAY_MS),
  signsFrom,
  signsUntil,
  endsAt: signsUntil + 7 * DAY_MS,
});
const days = (from: number, until: number): RootTimes => root(from * DAY_MS, until * DAY_MS);

describe('a root', () => {
  it.each([
    [9, 'Next'],
    [10, 'Present'],
    [19.9, 'Present'],
    [20, 'Former'],
    [26.9, 'Former'],
    [27, 'Ended'],
  ])('that signs from day 10 to 20 is on day %d: %s', (day, phase) => {
    expect(phaseOf(days(10, 20), day * DAY_MS)).toBe(phase);
  });
});

describe('the plan', () => {
  const SIGNS_MS = 100 * DAY_MS;
  const make = (roots: readonly RootTimes[], day: number): unknown => {
    const plan = planRoots(roots, day * DAY_MS, SIGNS_MS);
    return plan === 'ClockIsBehind' ? plan : plan.make.map(({ signsFrom, signsUntil }) => [signsFrom / DAY_MS, signsUntil / DAY_MS]);
  };

  it.each<[string, RootTimes[], number, unknown]>([
    [
      'nothing there',
      [],
      5,
      [
        [5, 105],
        [105, 205],
      ],
    ],
    ['one that signs', [days(0, 100)], 5, [[100, 200]]],
    ['one that signs, one to come', [days(0, 100), days(100, 200)], 99.9, []],
    ['the next one’s first moment', [days(0, 100), days(100, 200)], 100, [[200, 300]]],
    [
      'nobody looked for long',
      [days(0, 100), days(100, 200)],
      500,
      [
        [500, 600],
        [600, 700],
      ],
    ],
    ['only one to come', [days(100, 200)], 50, [[50, 100]]],
    ['a clock that is behind', [{ ...days(100, 200), madeAt: 90 * DAY_MS }], 50, 'ClockIsBehind'],
  ])('for %s', (_name, roots, day, made) => {
    expect(make(roots, day)).toEqual(made);
  });

  it('takes the key of a former root when no clock can still have it sign, and the root when nothing of it lasts', () => {
    const roots = [days(0, 100), days(100, 200), days(200, 300)];
    const at = (now: number): unknown => {
      const plan = planRoots(roots, now, SIGNS_MS);
      return plan === 'ClockIsBehind' ? plan : [plan.withoutKey.length, plan.keep.length];
    };
    expect(at(100 * DAY_MS + SKEW_MS - 1)).toEqual([0, 3]);
    expect(at(100 * DAY_MS + SKEW_MS)).toEqual([1, 2]);
    expect(at(107 * DAY_MS)).toEqual([0, 2]);
  });
});

/** How often one of the controllers looks. */
const TURN_MS = 12 * 3_600_000;

describe('over a year, with roots that sign for a month each', () => {
  const terms = { ...AUTHORITIES.interception(), signsMs: 30 * DAY_MS, maxLeafMs: 7 * DAY_MS };

  it('each leaf is trusted, for all its life, by every bundle loaded in the month before it and while it lasts', async () => {
    const [clock, store] = [new SetClock(), new MemoryAuthorityStore()];
    const controllers = await Promise.all([openAuthority(clock, terms, store), openAuthority(clock, terms, store)]);
    const bundles: { readonly at: number; readonly roots: readonly string[] }[] = [];
    const leaves: { readonly from: number; readonly until: number; readonly pem: string }[] = [];
    const bundleTexts = new Map<number, string>();
    for (let turn = 0; turn * TURN_MS < 365 * DAY_MS; turn++) {
      clock.now = START + turn * TURN_MS;
      // Two controllers, which look by turns.
      const controller = controllers[turn % 2];
      if (controller === undefined) throw new Error('no controller');
      expect(await controller.tend()).toMatchObject({ ok: true });
      bundles.push({ at: clock.now, roots: certificatesOf(controller.bundle()) });
      bundleTexts.set(clock.now, controller.bundle());
      if (turn % 2 === 0 || turn % 7 === 0) {
        const leaf = await issue(controller, { dns: ['api.openai.com'], lifetimeMs: terms.maxLeafMs });
        leaves.push({ from: clock.now, until: leaf.notAfter, pem: leaf.certificate });
      }
    }
    const everyRoot = [...new Set(bundles.flatMap(({ roots }) => roots))];
    const issuers = new Set<string>();
    for (const { from, until, pem } of leaves) {
      const leaf = new X509Certificate(pem);
      // A turn less: the other controller had not looked yet.
      const loaded = bundles.filter(({ at }) => at >= from - terms.signsMs + TURN_MS && at <= until);
      const issuer = everyRoot.find((each) => leaf.verify(new X509Certificate(each).publicKey)) ?? '';
      issuers.add(issuer);
      const root = new X509Certificate(issuer);
      expect(root.validFromDate.getTime()).toBeLessThanOrEqual(leaf.validFromDate.getTime());
      expect(root.validToDate.getTime()).toBeGreaterThanOrEqual(until);
      expect(loaded.filter(({ roots }) => !roots.includes(issuer))).toEqual([]);
    }
    expect(issuers.size).toBe(13);
    // No more than what is needed is ever published.
    expect(Math.max(...bundles.map(({ roots }) => roots.length))).toBe(3);
    // OpenSSL agrees at the places where it is tight: a bundle as old as can be, and a leaf at its end.
    for (const { from, until, pem } of leaves.filter((_leaf, index) => index % 60 === 59)) {
      const oldest = bundles.find(({ at }) => at >= from - terms.signsMs + TURN_MS)?.at ?? 0;
      expect(opensslVerify(bundleTexts.get(oldest) ?? '', pem, until - 1000)).toBe('OK');
    }
  });
});
