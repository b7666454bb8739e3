import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventReader } from './sse.ts';
import type { EventData } from './sse.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Run {
  readonly events: readonly (readonly [name: string, data: string])[];
  readonly out: string;
  readonly unreadable: number;
}

/** Runs a reader that drops each event whose data is `drop`. */
function read(chunks: readonly Uint8Array[], holds = true, maxEventBytes?: number, ends = true): Run {
  const events: [string, string][] = [];
  let unreadable = 0;
  const listener = {
    event(name: string, { bytes, start, end }: EventData): 'keep' | 'drop' {
      const data = new TextDecoder().decode(bytes.subarray(start, end));
      events.push([name, data]);
      return data === 'drop' ? 'drop' : 'keep';
    },
    unreadable: (): void => void unreadable++,
  };
  const reader = new EventReader(listener, holds, maxEventBytes);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let out = chunks.map((chunk) => decoder.decode(reader.push(chunk, false), { stream: true })).join('');
  if (ends) out += decoder.decode(reader.push(new Uint8Array(0), true));
  return { events, out, unreadable };
}

describe('EventReader', () => {
  it.each([
    ['data: a\n\n', [['', 'a']]],
    ['data:a\r\n\r\n', [['', 'a']]],
    [
      'data: a\r\rdata: b\r\r',
      [
        ['', 'a'],
        ['', 'b'],
      ],
    ],
    ['\ufeffdata: a\n\n', [['', 'a']]],
    ['data: a\ndata:  b\ndata\n\n', [['', 'a\n b\n']]],
    [': comment\n\n:\n\ndata: a\n\n', [['', 'a']]],
    ['event: error\nid: 1\ndata: a\nretry: 3\n\n', [['error', 'a']]],
    ['database: a\ndat: b\n\n', []],
    ['\n\n\ndata: a\n\n', [['', 'a']]],
    ['data: a', [['', 'a']]],
    ['data: a\n', [['', 'a']]],
  ])('reads %j', (text, events) => {
    expect(read([bytesOf(text)])).toEqual({ events, out: text, unreadable: 0 });
  });

  it.each([
    ['data: drop\n\n', ''],
    ['data: a\n\ndata: drop\n\ndata: b\n\n', 'data: a\n\ndata: b\n\n'],
    ['data: drop\r\n\r\ndata: b\r\n\r\n', 'data: b\r\n\r\n'],
    ['data: drop\r\rdata: b\r\r', 'data: b\r\r'],
    ['data: drop', ''],
    ['id: 1\ndata: drop\n\n\ndata: b\n\n', '\ndata: b\n\n'],
  ])('drops from %j', (text, out) => {
    expect(read([bytesOf(text)]).out).toBe(out);
  });

  it('drops nothing where it holds nothing back', () => {
    const chunk = bytesOf('data: drop\n\n');
    const reader = new EventReader({ event: () => 'drop', unreadable: () => undefined }, false);
    expect(reader.push(chunk, false)).toBe(chunk);
  });

  it('gives back the same array where a chunk ends with an event', () => {
    const chunk = bytesOf('data: a\n\ndata: b\n\n');
    expect(new EventReader({ event: () => 'keep', unreadable: () => undefined }, true).push(chunk, false)).toBe(chunk);
  });

  it('holds an event back until it is whole, and no longer', () => {
    const reader = new EventReader({ event: () => 'keep', unreadable: () => undefined }, true);
    const push = (text: string): string => new TextDecoder().decode(reader.push(bytesOf(text), false));
    expect([push('data: a\n\ndata'), push(': b\n'), push('\n')]).toEqual(['data: a\n\n', '', 'data: b\n\n']);
  });

  it('lets an event through unread that is longer than the limit, at its edge', () => {
    const event = (length: number): string => `data: ${'x'.repeat(length - 8)}\n\n`;
    const text = `${event(64)}${event(65)}data: drop\n\n${event(20)}`;
    const halves = [bytesOf(text.slice(0, 100)), bytesOf(text.slice(100))];
    for (const chunks of [[bytesOf(text)], halves]) {
      const run = read(chunks, true, 64);
      expect(run.unreadable).toBe(1);
      expect(run.events.map(([, data]) => data.length)).toEqual([56, 4, 12]);
      expect(run.out).toBe(event(64) + event(65) + event(20));
    }
  });

  it('reads and passes on the same at any cut', () => {
    const piece = fc.constantFrom(
      'data: a',
      'data: drop',
      'data:',
      'event: x',
      ': c',
      'é',
      '\n',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      '\r\n\r\n',
      '\ufeff',
      'data: 0123456789012345678901234567890123456789',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 8 }), fc.boolean(), (pieces, cuts, holds) => {
        const bytes = bytesOf(pieces.join(''));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        const whole = read([bytes], holds, 40);
        expect(read(chunks, holds, 40)).toEqual(whole);
        if (!holds) expect(whole.out).toBe(pieces.join(''));
      }),
      { numRuns: 8000 },
    );
  });
});
