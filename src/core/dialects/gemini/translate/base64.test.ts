import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64, standardBase64 } from './base64.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

describe('base64', () => {
  it('is what Node says it is, both ways and in both alphabets', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const node = Buffer.from(value);
        expect(encodeBase64(value)).toBe(node.toString('base64'));
        for (const text of [node.toString('base64'), node.toString('base64url')]) {
          expect(decodeBase64(text)).toEqual(value);
          expect(standardBase64(text)).toBe(node.toString('base64'));
        }
      }),
    );
  });

  it('takes any length', () => {
    const value = Uint8Array.from({ length: 10_001 }, (_, index) => index % 251);
    expect(encodeBase64(value)).toBe(Buffer.from(value).toString('base64'));
  });

  it.each(['A', 'AAAAA', 'AA!A', 'A A=', 'ÄÄÄÄ', '===='])('is not %j', (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});
