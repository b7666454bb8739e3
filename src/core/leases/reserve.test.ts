/** What a slice keeps for a service that is quiet. */
import { describe, expect, it } from 'vitest';
import { LIFETIME_MS } from './index.ts';
import { Mesh, limit, used } from './mesh.test-support.ts';

describe('a slice', () => {
  it('keeps a few holds where it is idle and there is plenty, so that the authority may be away for a moment', () => {
    const mesh = new Mesh([limit('life', { limit: 100_000n })], ['a']);
    mesh.reserve('a', '1', ['life'], 100);
    mesh.pass(5);
    mesh.settle('a', '1', used(80));
    mesh.pass(60_000);
    expect(mesh.figures('life')).toEqual([80n, 200n, 99_720n]);
    mesh.cut.add('a');
    const calls = ['2', '3', '4'].map((id) => mesh.reserve('a', id, ['life'], 100));
    expect(calls).toEqual(['granted', 'granted', 'waiting']);
    mesh.pass(5_000);
    expect(mesh.decided.get('4')).toMatchObject({ kind: 'refused' });
  });

  it('keeps them no longer than its lease', () => {
    const mesh = new Mesh([limit('life', { limit: 100_000n })], ['a']);
    mesh.reserve('a', '1', ['life'], 100);
    mesh.pass(5);
    mesh.settle('a', '1', used(80));
    mesh.pass(60_000);
    mesh.cut.add('a');
    mesh.pass(LIFETIME_MS + 1);
    expect(mesh.reserve('a', '2', ['life'], 100)).not.toBe('granted');
  });

  it('gives them back to whoever lacks them, at once', () => {
    const mesh = new Mesh([limit('life', { limit: 100_000n })], ['a', 'b']);
    mesh.reserve('a', '1', ['life'], 100);
    mesh.pass(5);
    mesh.settle('a', '1', used(80));
    mesh.pass(60_000);
    expect(mesh.reserve('b', '2', ['life'], 99_920)).toBe('waiting');
    mesh.pass(20);
    expect(mesh.decided.get('2')).toMatchObject({ kind: 'granted', holds: [{ amount: 99_920n }] });
  });

  it('gives them back after five quiet minutes', () => {
    const mesh = new Mesh([limit('life', { limit: 100_000n })], ['a']);
    mesh.reserve('a', '1', ['life'], 100);
    mesh.pass(5);
    mesh.settle('a', '1', used(80));
    mesh.pass(290_000);
    expect(mesh.figures('life')[1]).toBe(200n);
    mesh.pass(30_000);
    expect(mesh.figures('life')[1]).toBe(0n);
  });

  it.each([20, 60])('of %i that are quiet leaves all but a sixteenth to those that are not, and a busy one sends few messages more', (count) => {
    const names = Array.from({ length: count }, (_, index) => `quiet-${index}`);
    const mesh = new Mesh([limit('life', { limit: 100_000n })], [...names, 'busy']);
    for (const name of names) {
      mesh.reserve(name, name, ['life'], 100);
      mesh.pass(5);
      mesh.settle(name, name, used(80));
    }
    mesh.pass(40_000);
    const [, pending, free] = mesh.figures('life');
    expect(pending).toBeLessThanOrEqual(free / 16n);
    expect(pending).toBe(count === 20 ? 20n * 200n : 0n);
    // Besides, each renews its lease in ten seconds.
    const callsOf = (of: Mesh): number => {
      const { messages } = of;
      for (let call = 0; call < 400; call += 1) {
        of.reserve('busy', `busy-${call}`, ['life'], 100);
        of.pass(10);
        of.settle('busy', `busy-${call}`, used(80));
      }
      expect([...of.decided.values()].filter(({ kind }) => kind !== 'granted')).toEqual([]);
      return of.messages - messages;
    };
    const alone = callsOf(new Mesh([limit('life', { limit: 100_000n })], ['busy']));
    expect(callsOf(mesh)).toBeLessThan(alone + count + 20);
  });
});
