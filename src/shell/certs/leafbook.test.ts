import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, SetClock, openAuthority } from './certs.test-support.ts';
import { LeafBook } from './leafbook.ts';
import { renewalTime } from './renewal.ts';

const [OPENAI, ANTHROPIC] = ['api.openai.com', 'api.anthropic.com'];

describe('a leaf’s renewal', () => {
  it('is at two thirds of its life or up to a tenth of it before, whatever chance says', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e12 }),
        fc.integer({ min: 1000, max: 400 * DAY_MS }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (at, life, chance) => {
          const share = (renewalTime(at, at + life, chance) - at) / life;
          return share <= 2 / 3 && share >= 2 / 3 - 0.1 - 0.001;
        },
      ),
    );
  });
});

describe('the book', () => {
  const open = async (chance = 0.5): Promise<{ clock: SetClock; book: LeafBook; isDown: { value: boolean } }> => {
    const clock = new SetClock();
    const authority = await openAuthority(clock);
    const isDown = { value: false };
    const issuer: Pick<typeof authority, 'issue'> = {
      issue: (wishes) =>
        isDown.value ? Promise.resolve({ ok: false, error: { where: 'store', reason: 'no root signs now' } } as const) : authority.issue(wishes),
    };
    return { clock, isDown, book: new LeafBook({ authority: issuer, now: clock.read, chance: () => chance, lifetimeMs: 6 * DAY_MS }) };
  };

  it('keeps a leaf until it is due, and has another before it ends', async () => {
    const { clock, book } = await open();
    const wanted = new Map([['shop/checkout', [OPENAI]]]);
    const first = await book.tend(wanted);
    const leaf = first.of.get('shop/checkout')?.get(OPENAI);
    // 6 days × 2⁄3, less half of a tenth.
    expect((first.dueAt ?? 0) - clock.now).toBeCloseTo(3.7 * DAY_MS, -4);
    clock.now = (first.dueAt ?? 0) - 1;
    expect((await book.tend(wanted)).of.get('shop/checkout')?.get(OPENAI)).toBe(leaf);
    clock.now += 1;
    const second = await book.tend(wanted);
    expect(second.of.get('shop/checkout')?.get(OPENAI)?.certificate).not.toBe(leaf?.certificate);
    expect(second.dueAt).toBeGreaterThan(clock.now);
    expect(leaf?.notAfter).toBeGreaterThan(clock.now);
  });

  it('gives each holder keys of its own, and forgets what is not asked for', async () => {
    const { book } = await open();
    const both = await book.tend(
      new Map([
        ['a', [OPENAI, ANTHROPIC]],
        ['b', [OPENAI]],
      ]),
    );
    expect(new X509Certificate(both.of.get('a')?.get(ANTHROPIC)?.certificate ?? '').checkHost(ANTHROPIC)).toBe(ANTHROPIC);
    expect(both.of.get('a')?.get(OPENAI)?.key).not.toBe(both.of.get('b')?.get(OPENAI)?.key);
    const fewer = await book.tend(new Map([['a', [ANTHROPIC]]]));
    expect([...fewer.of.keys()]).toEqual(['a']);
    expect([...(fewer.of.get('a')?.keys() ?? [])]).toEqual([ANTHROPIC]);
    expect(fewer.of.get('a')?.get(ANTHROPIC)).toBe(both.of.get('a')?.get(ANTHROPIC));
  });

  it('says for which host there is none, and serves the others', async () => {
    const { book } = await open();
    const leaves = await book.tend(new Map([['a', ['10.0.0.1', OPENAI]]]));
    expect(leaves.faults).toMatchObject([{ host: '10.0.0.1', reason: expect.stringContaining('no DNS name') }]);
    expect([...(leaves.of.get('a')?.keys() ?? [])]).toEqual([OPENAI]);
  });

  it('keeps one that can’t be made anew as long as it is valid', async () => {
    const { clock, book, isDown } = await open();
    const wanted = new Map([['a', [OPENAI]]]);
    const leaf = (await book.tend(wanted)).of.get('a')?.get(OPENAI);
    isDown.value = true;
    clock.now = (leaf?.notAfter ?? 0) - 1;
    expect((await book.tend(wanted)).of.get('a')?.get(OPENAI)).toBe(leaf);
    clock.now += 1;
    const ended = await book.tend(wanted);
    expect(ended.of.get('a')?.size).toBe(0);
    expect(ended.faults).toMatchObject([{ host: OPENAI, where: 'store' }]);
  });
});
