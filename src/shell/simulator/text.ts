import { decode, encode } from 'gpt-tokenizer/encoding/o200k_base';

const WORDS =
  'the a mesh carries each call to its model and back again while budgets hold keys stay hidden tokens are counted one by one services speak without knowing who listens every answer has a price known before it is asked'.split(' ');

/** A number that stands for a text; the same for the same text. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** Counted texts are remembered, as load tests send the same ones again and again. */
const MAX_REMEMBERED = 1000;
const counts = new Map<string, number>();

export function countTokens(text: string): number {
  const known = counts.get(text);
  if (known !== undefined) return known;
  const count = encode(text).length;
  if (counts.size >= MAX_REMEMBERED) counts.clear();
  counts.set(text, count);
  return count;
}

const pieces = new Map<string, readonly string[]>();

/** Text of exactly so many tokens, in pieces of one token each. */
export function generate(seed: number, tokens: number): readonly string[] {
  const key = `${seed % 64}:${tokens}`;
  const known = pieces.get(key);
  if (known !== undefined) return known;
  const words = Array.from({ length: tokens }, (_, index) => WORDS[(seed % 64) * 7 + index * 5 + (index >> 3)] ?? WORDS[(seed + index * 5 + (index >> 3)) % WORDS.length] ?? 'the');
  const text = encode(` ${words.join(' ')}`).slice(0, tokens);
  const made = text.map((token) => decode([token]));
  if (pieces.size >= MAX_REMEMBERED) pieces.clear();
  pieces.set(key, made);
  return made;
}
