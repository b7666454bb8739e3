import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, it } from 'vitest';
import { countTokens } from './text.ts';

it('counts text as the tokenizer does', () => {
  const text = "Hello, world.\n\n  That's it: {“naïve”: 1.5}  \t🚀\n".repeat(50);
  expect(countTokens(text)).toBe(encode(text).length);
});

it('counts a word of megabytes, which the tokenizer would take hours for', () => {
  expect(countTokens('x'.repeat(8_000_000))).toBe(8_000 * encode('x'.repeat(1_000)).length);
});
