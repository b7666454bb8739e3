import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backlog } from './backlog.ts';

describe('Backlog', () => {
  it('does not say that an entry is applied which is still being flushed', () => {
    const backlog = new Backlog();
    for (const sequence of [1, 2, 3]) backlog.appended(sequence);
    backlog.decided(2, 'two');
    backlog.decided(3, 'three');
    expect(backlog.next(10)).toEqual({ texts: ['two', 'three'], appliedSequence: 0 });
    backlog.drop(2);
    backlog.decided(1, 'one');
    expect(backlog.next(10)).toEqual({ texts: ['one'], appliedSequence: 3 });
  });

  it('does not count as applied what the next step has', () => {
    const backlog = new Backlog();
    for (const sequence of [1, 2, 3]) backlog.appended(sequence);
    backlog.decided(3, 'three');
    backlog.decided(1, 'one');
    backlog.decided(2, 'two');
    expect(backlog.next(2)).toEqual({ texts: ['three', 'one'], appliedSequence: 1 });
  });

  it('passes over what could not be kept', () => {
    const backlog = new Backlog();
    for (const sequence of [7, 8]) backlog.appended(sequence);
    backlog.decided(7, undefined);
    backlog.decided(8, 'eight');
    expect(backlog.next(10)).toEqual({ texts: ['eight'], appliedSequence: 8 });
  });

  it('never says of any entry that it is applied before it is, in any order, and of all in the end', () => {
    const orders = fc.integer({ min: 1, max: 30 }).chain((count) =>
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, index) => index + 1),
        { minLength: count },
      ),
    );
    fc.assert(
      fc.property(orders, fc.integer({ min: 1, max: 5 }), (order, size) => {
        const backlog = new Backlog();
        for (let sequence = 1; sequence <= order.length; sequence++) backlog.appended(sequence);
        const applied = new Set<number>();
        let said = 0;
        for (const sequence of order) {
          backlog.decided(sequence, String(sequence));
          if (sequence % 2 === 0) continue;
          const step = backlog.next(size);
          backlog.drop(size);
          for (const text of step.texts) applied.add(Number(text));
          expect(step.appliedSequence).toBeGreaterThanOrEqual(said);
          said = step.appliedSequence;
          for (let before = 1; before <= said; before++) expect(applied.has(before)).toBe(true);
        }
        while (!backlog.isEmpty) {
          said = backlog.next(size).appliedSequence;
          backlog.drop(size);
        }
        expect(said === order.length || applied.size === order.length).toBe(true);
      }),
    );
  });
});
