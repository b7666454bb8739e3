import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digest, fromColumn, toColumn } from './text.ts';

const anyText = fc.string({ unit: fc.constantFrom('\0', '\\', '0', 'a', '\ud800', '😀', '\n', '"') });

describe('a text in a column', () => {
  it('comes back, and holds nothing that PostgreSQL does not keep', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const column = toColumn(text);
        expect(column).not.toContain('\0');
        expect(column.isWellFormed()).toBe(true);
        expect(fromColumn(column)).toBe(text.toWellFormed());
      }),
    );
  });

  it('is what it was where nothing in it is in the way', () => {
    expect(toColumn('shop/checkout "ü" 😀')).toBe('shop/checkout "ü" 😀');
  });
});

describe('a digest', () => {
  it('is a UUID’s length, and tells where one part ends and the next begins', () => {
    expect(digest('a', 'b', 1)).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set([digest('a', 'b', 1), digest('ab', '', 1), digest('a', 'b1'), digest('a', 'b', '1')]).size).toBe(4);
  });
});
