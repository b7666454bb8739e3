import { createHash } from 'node:crypto';
import { decode, encode } from 'gpt-tokenizer/encoding/o200k_base';

const WORDS =
  'the a mesh carries each call to its model and back again while budgets hold keys stay hidden tokens are counted one by one services speak without knowing who listens every answer has a price known before it is asked'.split(
    ' ',
  );

/** A number that stands for a text; the same for the same text. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** Characters of a made-up id after its prefix, as many as those of OpenAI's tool calls have. */
const ID_LENGTH = 24;

/** An id that looks like a provider's own: the same for the same parts. */
export function idOf(prefix: string, ...parts: readonly (string | number)[]): string {
  const digest = createHash('sha256').update(parts.join('\n')).digest('base64');
  return prefix + digest.replaceAll(/[^a-zA-Z0-9]/g, '').slice(0, ID_LENGTH);
}

/** Counted texts are remembered, as load tests send the same ones again and again. */
const MAX_REMEMBERED = 1000;
const counts = new Map<string, number>();

export function countTokens(text: string): number {
  const known = counts.get(text);
  if (known !== undefined) return known;
  const count = partsOf(text).reduce((sum, part) => sum + encode(part).length, 0);
  if (counts.size >= MAX_REMEMBERED) counts.clear();
  counts.set(text, count);
  return count;
}

/** The tokenizer takes time by the square of a word's length: what no space divides for so long is counted in parts. */
const LONG_WORD = /\S{1000}(?=\S)/gu;

function partsOf(text: string): readonly string[] {
  const ends = [...text.matchAll(LONG_WORD)].map(({ 0: part, index }) => index + part.length);
  return [0, ...ends].map((from, at) => text.slice(from, ends[at]));
}

/** Texts differ for seeds that differ by less than this. */
const VARIANTS = 64;
const pieces = new Map<string, readonly string[]>();

/** Text of exactly so many tokens, in pieces of one token each; the same for the same seed, whatever was asked before. */
export function generate(seed: number, tokens: number): readonly string[] {
  const variant = seed % VARIANTS;
  const key = `${variant}:${tokens}`;
  const known = pieces.get(key);
  if (known !== undefined) return known;
  const words = Array.from({ length: tokens }, (_, index) => WORDS[(variant * 7 + index * 5 + (index >> 3)) % WORDS.length] ?? 'the');
  const made = encode(` ${words.join(' ')}`)
    .slice(0, tokens)
    .map((token) => decode([token]));
  if (pieces.size >= MAX_REMEMBERED) pieces.clear();
  pieces.set(key, made);
  return made;
}

/** JSON in pieces as a model streams it; each counts as a token. */
export function splitJson(text: string): readonly string[] {
  return text.match(/.{1,4}/gsu) ?? [];
}
