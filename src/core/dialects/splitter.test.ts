import fc from 'fast-check';
import { expect, it } from 'vitest';
import { concatBytes, decodeUtf8, encodeUtf8 } from '../json/index.ts';
import { EventSplitter } from './splitter.ts';

/** What it makes of a text that comes in pieces of these lengths, again and again. */
function splitUp(text: string, lengths: readonly number[], isOver = true): readonly string[] {
  const bytes = encodeUtf8(text);
  const splitter = new EventSplitter();
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    pieces.push(...splitter.push(bytes.subarray(at, at + length), false));
    at += length;
  }
  if (isOver) pieces.push(...splitter.push(new Uint8Array(0), true));
  return pieces.map((piece) => decodeUtf8(piece));
}

it.each<[string, readonly string[]]>([
  ['line feeds', ['data: a\n\n', 'event: x\ndata: b\n\n', 'data: [DONE]\n\n']],
  ['returns and line feeds', ['data: a\r\n\r\n', 'data: b\r\nid: 1\r\n\r\n']],
  ['a comment', [': ping\n\n', 'data: a\n\n']],
  ['half an event at the end', ['data: a\n\n', 'data: b\n']],
])('cuts between events whose lines end in %s', (_name, events) => {
  const whole = splitUp(events.join(''), [1_000]);
  // A line feed behind a return may come with the next piece.
  expect(
    whole
      .map((piece) => piece.replace(/^\n/, ''))
      .filter((piece) => piece !== '')
      .map((piece) => piece.trim()),
  ).toEqual(events.map((event) => event.trim()));
  expect(whole.join('')).toBe(events.join(''));
});

it('loses nothing, and cuts at the same places, whatever the pieces', () => {
  const text = fc.array(fc.constantFrom('data: ä', '\n', '\r\n', '\r', 'event: x', '\n\n'), { maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }), (events, lengths) => {
      const pieces = splitUp(events, lengths);
      expect(pieces).toEqual(splitUp(events, [1_000_000]));
      expect(pieces.join('')).toBe(events);
    }),
  );
});

it('keeps back what is not whole', () => {
  expect(splitUp('data: a\n\ndata: b\n', [5], false)).toEqual(['data: a\n\n']);
});

it('lets go what is longer than an event may be', () => {
  const splitter = new EventSplitter();
  const megabyte = new Uint8Array(1024 * 1024).fill(0x61);
  let passed = 0;
  for (let turn = 0; turn < 20; turn += 1) passed += concatBytes(splitter.push(megabyte, false)).length;
  expect(passed).toBeGreaterThan(16 * megabyte.length);
});
