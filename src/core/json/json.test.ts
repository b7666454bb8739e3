import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonEditor, JsonWatcher, MAX_JSON_DEPTH, MAX_JSON_VALUES, decodeUtf8, encodeUtf8, parseJson } from './index.ts';
import type { JsonDocument } from './index.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

function parsed(text: string): JsonDocument {
  const document = parseJson(bytesOf(text));
  if (!document.ok) throw new Error(document.error.message);
  return document.value;
}

/** What the engine's own parser says; the oracle. */
function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(textOf(bytes));
    return true;
  } catch {
    return false;
  }
}

describe('parseJson', () => {
  it.each([
    ['', 0, 'empty'],
    ['   ', 3, 'empty'],
    ['{', 1, 'key'],
    ['{"a"', 4, 'colon'],
    ['{"a":', 5, 'value'],
    ['{"a":1', 6, 'closing brace'],
    ['{"a":1,}', 7, 'key'],
    ["{'a':1}", 1, 'key'],
    ['[1,]', 3, 'value'],
    ['[1 2]', 3, 'closing bracket'],
    ['[1]x', 3, 'follows the end'],
    ['{} {}', 3, 'follows the end'],
    ['tru', 0, 'value'],
    ['nul1', 0, 'value'],
    ['NaN', 0, 'value'],
    ['-', 1, 'after a minus'],
    ['01', 1, 'follows the end'],
    ['1.', 2, 'decimal point'],
    ['1e', 2, 'exponent'],
    ['1e+', 3, 'exponent'],
    ['"a', 2, 'not closed'],
    ['"\\x"', 1, 'escape'],
    ['"\\u12g4"', 1, 'hexadecimal'],
    ['"a\nb"', 2, 'control character'],
    ['"\u0000"', 1, 'control character'],
    ['\ufeff{}', 0, 'byte order mark'],
  ])('refuses %j at byte %d', (text, offset, message) => {
    expect(parseJson(bytesOf(text))).toEqual({ ok: false, error: { offset, message: expect.stringContaining(message) } });
  });

  it.each([
    [0x80],
    [0xc0, 0xaf],
    [0xc3],
    [0xe0, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x80, 0x80, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xff],
  ])('refuses the bytes %j in a string as not UTF-8', (...bad) => {
    const result = parseJson(Uint8Array.from([0x22, ...bad, 0x22]));
    expect(result).toEqual({ ok: false, error: { offset: 1, message: expect.stringContaining('UTF-8') } });
  });

  it('takes the deepest nesting that is allowed and none deeper', () => {
    const nested = (depth: number): boolean => parseJson(bytesOf('['.repeat(depth) + ']'.repeat(depth))).ok;
    expect([nested(MAX_JSON_DEPTH), nested(MAX_JSON_DEPTH + 1)]).toEqual([true, false]);
    expect(parseJson(bytesOf('{"a":'.repeat(100_000))).ok).toBe(false);
  });

  it('takes as many values as are allowed and none more', () => {
    const many = (values: number): boolean => parseJson(bytesOf(`[${'1,'.repeat(values - 2)}1]`)).ok;
    expect([many(MAX_JSON_VALUES), many(MAX_JSON_VALUES + 1)]).toEqual([true, false]);
  });

  it('finds a bad byte wherever it lies in a long string, at any alignment', () => {
    for (let at = 60; at < 84; at++) {
      for (const offset of [0, 1, 2, 3]) {
        const bytes = new Uint8Array(offset + 202).subarray(offset).fill(0x41);
        bytes[0] = 0x22;
        bytes[201] = 0x22;
        expect(parseJson(bytes).ok).toBe(true);
        for (const [bad, fault] of [
          [0x1f, at],
          [0x5c, at],
          [0x80, at],
          [0xa2, at],
          [0xdc, at],
          [0xff, at],
          [0x22, at + 1],
        ] as const) {
          bytes[at] = bad;
          expect(parseJson(bytes)).toMatchObject({ ok: false, error: { offset: fault } });
        }
      }
    }
  });

  it('agrees with the engine on generated and damaged documents', () => {
    const damage = fc.array(
      fc.record({
        at: fc.nat(),
        byte: fc.oneof(fc.nat(255), fc.constantFrom(...bytesOf('{}[]",:\\ue0-. \n'))),
        kind: fc.constantFrom('set', 'delete', 'insert'),
      }),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), damage, (text, changes) => {
        const bytes = [...bytesOf(text)];
        for (const { at, byte, kind } of changes) bytes.splice(at % (bytes.length + 1), kind === 'insert' ? 0 : 1, ...(kind === 'delete' ? [] : [byte]));
        const document = Uint8Array.from(bytes);
        expect(parseJson(document).ok).toBe(isJson(document));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('JsonDocument', () => {
  it('reads members by decoded key, and their kinds', () => {
    const document = parsed('{"mod\\u0065l":"gp\\t","n":[1,2.5,{"x":[]}],"t":true,"z":null}');
    const members = document.members(document.root);
    if (!members.ok) throw new Error(members.error.message);
    expect([...members.value].map(([name, node]) => [name, document.kind(node)])).toEqual([
      ['model', 'string'],
      ['n', 'array'],
      ['t', 'boolean'],
      ['z', 'null'],
    ]);
    expect(document.text(members.value.get('model') as number)).toBe('gp\t');
    expect(document.items(members.value.get('n') as number).map((item) => document.kind(item))).toEqual(['number', 'number', 'object']);
  });

  it('finds a key that comes twice, however it is written', () => {
    const document = parsed('{"model":1,"a":{},"mod\\u0065l":2}');
    expect(document.members(document.root)).toMatchObject({ ok: false, error: { offset: 18 } });
  });

  it.each([
    ['0', 0],
    ['-0', 0],
    ['12', 12],
    ['1e2', 100],
    ['100.0', 100],
    ['1.5', undefined],
    ['1e400', undefined],
    ['9007199254740992', undefined],
    ['1'.repeat(100), undefined],
  ])('reads %s as the integer %s', (text, value) => {
    const document = parsed(text);
    expect(document.integer(document.root)).toBe(value);
  });

  it('reads and writes text as UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(encodeUtf8(text)).toEqual(bytesOf(text));
        expect(decodeUtf8(bytesOf(text))).toBe(text);
        expect(parsed(JSON.stringify(text)).text(0)).toBe(text);
      }),
    );
    const long = '汉😀a'.repeat(5000);
    expect(decodeUtf8(bytesOf(long))).toBe(long);
    expect(textOf(encodeUtf8('a\ud800b'))).toBe('a\ufffdb');
  });
});

describe('JsonEditor', () => {
  const keys: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', 'model');
  const space = fc.constantFrom('', ' ', '\n\t');

  it('changes what it is told to and leaves every other byte', () => {
    const member = fc.record({ value: fc.json({ maxDepth: 2 }), before: space, after: space });
    fc.assert(
      fc.property(fc.dictionary(keys, member), fc.dictionary(keys, fc.jsonValue({ maxDepth: 1 })), fc.uniqueArray(keys), (members, set, remove) => {
        const written = Object.entries(members).map(([key, { value, before, after }]) => [key, `${before}${JSON.stringify(key)}:${after}${value}`] as const);
        const document = parsed(`{${written.map(([, text]) => text).join(',')} }`);
        const editor = new JsonEditor(document);
        const read = document.members(document.root);
        if (!read.ok) throw new Error(read.error.message);
        editor.editObject(document.root, read.value, {
          set: new Map(Object.entries(set).map(([key, value]) => [key, bytesOf(JSON.stringify(value))])),
          remove: new Set(remove),
        });
        const result = textOf(editor.finish());
        const expected: Record<string, unknown> = {};
        for (const [key, { value }] of Object.entries(members)) if (!remove.includes(key) || key in set) expected[key] = JSON.parse(value);
        expect(JSON.parse(result)).toEqual({ ...expected, ...JSON.parse(JSON.stringify(set)) });
        let from = 0;
        for (const [key, text] of written) {
          if (key in set || remove.includes(key)) continue;
          from = result.indexOf(text.trimStart(), from);
          expect(from).toBeGreaterThan(-1);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('puts a value before the others of an array', () => {
    const edited = (text: string): string => {
      const document = parsed(text);
      const editor = new JsonEditor(document);
      editor.prepend(document.root, bytesOf('0'));
      return textOf(editor.finish());
    };
    expect([edited('[]'), edited('[ ]'), edited('[ 1,2]')]).toEqual(['[0]', '[0 ]', '[0, 1,2]']);
  });

  it('gives the same array back where nothing changes', () => {
    const document = parsed('{"a":1}');
    expect(new JsonEditor(document).finish()).toBe(document.bytes);
  });
});

describe('JsonWatcher', () => {
  interface Seen {
    readonly found: [string, string | undefined][];
    readonly state: string;
    readonly textBytes: number;
  }

  function watch(chunks: readonly Uint8Array[], maxValueBytes = 10_000): Seen {
    const found: [string, string | undefined][] = [];
    const watcher = new JsonWatcher({
      paths: new Set(['usage', 'model', 'output[].type']),
      maxPathDepth: 3,
      maxValueBytes,
      textKeys: new Set(['text']),
      found: (path, value) => found.push([path, value && new TextDecoder().decode(value)]),
    });
    for (const chunk of chunks) watcher.push(chunk);
    return { found, state: watcher.state, textBytes: watcher.textBytes };
  }

  it('finds chosen values, and only at their paths', () => {
    const text =
      '{"x":{"usage":1,"model":"no"},"output":[{"type":"a"},{"id":[{"type":"no"}],"type":"b"}],"model" : "m\\"}","usage":{"n":[1,{"usage":2}]} ,"text":"a\\"b","text":5}';
    expect(watch([bytesOf(text)])).toEqual({
      found: [
        ['output[].type', '"a"'],
        ['output[].type', '"b"'],
        ['model', '"m\\"}"'],
        ['usage', '{"n":[1,{"usage":2}]}'],
      ],
      state: 'complete',
      textBytes: 4,
    });
  });

  it.each([
    ['{"usage":null}', [['usage', 'null']], 'complete'],
    ['{"usage":12', [], 'open'],
    ['{"usage":12 ', [['usage', '12']], 'open'],
    ['{"a":[}', [], 'broken'],
    ['<html>', [], 'broken'],
    ['{}{', [], 'broken'],
    ['['.repeat(200), [], 'broken'],
    [
      '{"usage":1,"usage":2}',
      [
        ['usage', '1'],
        ['usage', '2'],
      ],
      'complete',
    ],
  ])('reads %s', (text, found, state) => {
    expect(watch([bytesOf(text)])).toMatchObject({ found, state });
  });

  it('passes over a value that is too long', () => {
    expect(watch([bytesOf('{"usage":"'), bytesOf('x'.repeat(50)), bytesOf('","model":"m"}')], 20).found).toEqual([
      ['usage', undefined],
      ['model', '"m"'],
    ]);
  });

  it('sees the same at any cut, whatever the bytes', () => {
    const document = fc.oneof(
      fc.json({ maxDepth: 5 }).map((text) => `{"usage":${text},"output":[{"type":${text}}],"text":${text}}`),
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', 'usage', '"usage":', '"text":"', '1', ' ', 'é') }),
    );
    fc.assert(
      fc.property(document, fc.array(fc.nat(), { maxLength: 6 }), (text, cuts) => {
        const bytes = bytesOf(text);
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(watch(chunks)).toEqual(watch([bytes]));
      }),
      { numRuns: 4000 },
    );
  });
});
