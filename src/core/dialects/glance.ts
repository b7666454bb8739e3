import { decodeUtf8 } from '../json/index.ts';
import type { EventData } from './sse.ts';

/** What one pass over an event's JSON tells without parsing it. */
export interface Glance {
  /** A `usage` that is not null, or the word `error` where it may name one: worth parsing. */
  readonly worthReading: boolean;
  /** Bytes of generated text. */
  readonly textBytes: number;
  /** A `finish_reason` that is not null. */
  readonly finished: boolean;
  /** The last `type` that the given set knows. */
  readonly type: string | undefined;
}

type Meaning = 'usage' | 'error' | 'finish' | 'type' | 'text';

interface Word {
  readonly bytes: Uint8Array;
  readonly meaning: Meaning;
}

/** Words by their length, so that most strings of an event are passed over by one look. */
export type WordTable = readonly (readonly Word[] | undefined)[];

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SMALL_N = 0x6e;

/** Longest `type` that is looked up. */
const MAX_TYPE_BYTES = 64;

/** Bytes of a string that are looked at one by one before the search for its end is left to the engine. */
const SHORT_STRING_BYTES = 48;

export function wordTable(textKeys: readonly string[]): WordTable {
  const words: [string, Meaning][] = [
    ['usage', 'usage'],
    ['error', 'error'],
    ['finish_reason', 'finish'],
    ['type', 'type'],
    ...textKeys.map((key): [string, Meaning] => [key, 'text']),
  ];
  const table: Word[][] = [];
  for (const [word, meaning] of words) (table[word.length] ??= []).push({ bytes: Uint8Array.from(word, (letter) => letter.charCodeAt(0)), meaning });
  return table;
}

/**
 * Looks at an event's strings in one pass. An escaped quote never ends a string, so that no text of an answer can pass for
 * a key. What is no JSON gives a meaningless glance and no harm.
 */
export function glance({ bytes, start, end }: EventData, table: WordTable, types: ReadonlySet<string>): Glance {
  let worthReading = false;
  let textBytes = 0;
  let finished = false;
  let type: string | undefined;
  let at = start;
  while (at < end) {
    if (bytes[at] !== QUOTE) {
      at++;
      continue;
    }
    const close = stringEnd(bytes, at + 1, end);
    const meaning = meaningOf(bytes, at + 1, close, table);
    at = close + 1;
    if (meaning === undefined) continue;
    const value = valueStart(bytes, at, end);
    if (value === -1) {
      // A string that is a value: `"type":"error"` names an error, other words mean nothing there.
      if (meaning === 'error') worthReading = true;
      continue;
    }
    const isNull = bytes[value] === SMALL_N;
    const isString = bytes[value] === QUOTE;
    if (meaning === 'usage' || meaning === 'error') worthReading ||= !isNull;
    else if (meaning === 'finish') finished ||= isString;
    else if (isString && meaning === 'text') {
      at = stringEnd(bytes, value + 1, end) + 1;
      textBytes += Math.max(0, at - value - 2);
    } else if (isString) {
      const typeEnd = stringEnd(bytes, value + 1, end);
      const name = typeEnd - value > MAX_TYPE_BYTES ? '' : decodeUtf8(bytes, value + 1, typeEnd);
      if (types.has(name)) type = name;
    }
  }
  return { worthReading, textBytes, finished, type };
}

function meaningOf(bytes: Uint8Array, start: number, end: number, table: WordTable): Meaning | undefined {
  for (const word of table[end - start] ?? []) {
    let index = 0;
    while (index < word.bytes.length && bytes[start + index] === word.bytes[index]) index++;
    if (index === word.bytes.length) return word.meaning;
  }
  return undefined;
}

/** Where the value of a key begins whose closing quote is before `at`; -1 where no colon follows. */
function valueStart(bytes: Uint8Array, at: number, end: number): number {
  let colon = at;
  while (colon < end && (bytes[colon] as number) <= 0x20) colon++;
  if (bytes[colon] !== COLON || colon >= end) return -1;
  let value = colon + 1;
  while (value < end && (bytes[value] as number) <= 0x20) value++;
  return value < end ? value : -1;
}

/** Where the closing quote of the string at `from` is; `end` where there is none. */
function stringEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  const near = Math.min(end, from + SHORT_STRING_BYTES);
  for (; at < near; at++) {
    if (bytes[at] === QUOTE) return at;
    if (bytes[at] === BACKSLASH) at++;
  }
  while (at < end) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote === -1 || quote >= end) return end;
    let backslashes = 0;
    while (quote - backslashes > at && bytes[quote - backslashes - 1] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
  return end;
}
