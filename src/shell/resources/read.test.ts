import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatFinding, readResources } from './read.ts';
import type { ReadResult } from './read.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-read-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const HEAD = 'apiVersion: airmesh.dev/v1alpha1\nkind: AIBudget\n';
const budget = (name: string): string => `${HEAD}metadata: {name: ${name}}\nspec: {limit: {usd: 1}, window: {lifetime: true}}\n`;
const asJson = (name: string, indent?: string): string =>
  JSON.stringify(
    { apiVersion: 'airmesh.dev/v1alpha1', kind: 'AIBudget', metadata: { name }, spec: { limit: { usd: '1' }, window: { lifetime: true } } },
    undefined,
    indent,
  );

/** Hostile files of a quarter of the size that is allowed; what grows faster than the file would take minutes. */
const WITHIN_MS = 10_000;

function read(content: string | Buffer, name = 'resources.yaml'): ReadResult {
  const file = join(folder, name);
  writeFileSync(file, content);
  return readResources([file]);
}

const names = ({ resources }: ReadResult): string[] => resources.map(({ metadata }) => metadata.name);
const problems = ({ findings }: ReadResult): string[] => findings.map((finding) => formatFinding(finding).replace(`${folder}/`, ''));

/** Each map in a list in a map …, so many collections deep below `labels`. */
const nested = (depth: number): string => `{${'a: {'.repeat(depth - 1)}${'}'.repeat(depth - 1)}}`;
const labelled = (value: string): string => budget('a').replace('{name: a}', `{name: a, labels: ${value}}`);

describe('text that is in order', () => {
  it.each<[string, string | Buffer, string[]]>([
    ['YAML', budget('a'), ['a']],
    ['several documents', `---\n${budget('a')}---\n# nothing\n---\n${budget('b')}...\n`, ['a', 'b']],
    ['nothing', '', []],
    ['comments', '# one\n---\n# two\n', []],
    ['JSON', asJson('a'), ['a']],
    ['JSON indented by tabs', asJson('a', '\t'), ['a']],
    ['JSON documents one by line', `${asJson('a')}\n---\n${asJson('b')}`, ['a', 'b']],
    ['lines that end as on Windows', budget('a').replaceAll('\n', '\r\n'), ['a']],
    ['a byte order mark', `\u{feff}${budget('a')}`, ['a']],
    ['a byte order mark before each document', `\u{feff}${budget('a')}---\n\u{feff}${budget('b')}`, ['a', 'b']],
    ['characters of four bytes', `# 🦔\n${budget('a')}`, ['a']],
    ['an alias', `${budget('a')}---\n${budget('b').replace('{usd: 1}', '&limit {usd: 1}').replace('spec:', 'status: {}\nspec:')}`, ['a', 'b']],
  ])('%s', (_name, content, expected) => {
    const result = read(content);
    expect(problems(result)).toEqual([]);
    expect(names(result)).toEqual(expected);
  });
});

describe('text that is not', () => {
  it.each<[string, string | Buffer, string]>([
    ['tabs as indentation', `${HEAD}spec:\n\tmode: Strict\n`, ':4:1  document  Tabs are not allowed as indentation'],
    ['a quote without end', `${HEAD}spec: "x\n`, ':4:1  document  Missing closing "quote'],
    ['a list without end', `${HEAD}spec: [1, 2\n`, ':4:1  document  Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ['JSON without end', asJson('a').slice(0, -1), ':1:135  document  Flow map must end with a }'],
    ['JSON and more', `${asJson('a')} x`, ':1:137  document  Unexpected scalar at node end'],
    ['a field twice', `${budget('a')}kind: AIRoute\n`, ':5:1  document  is a field that stands here twice'],
    ['a field twice in JSON', '{"kind":"AIRoute",\n"kind":"AIBudget"}', ':2:1  document  is a field that stands here twice'],
    ['a field that is no text', labelled('{[a]: b}'), ':3:30  document  is a field whose name is no text'],
    ['a list of resources', `[${asJson('a')}]`, ':1:1  document  is not a resource; write apiVersion, kind, metadata and spec'],
    ['a tag of another program', labelled('{a: !vault x}'), ':3:33  document  has a tag that means nothing here; put a text that begins with "!" in quotes'],
    [
      'a tag that makes functions',
      labelled('{a: !!js/function "x"}'),
      ':3:33  document  has a tag that means nothing here; put a text that begins with "!" in quotes',
    ],
    ['bytes that are no UTF-8', Buffer.from(labelled('{a: caf\xe9}'), 'latin1'), '  file  is not UTF-8 (line 3); save it as UTF-8'],
    ['UTF-16', Buffer.from(`\u{feff}${budget('a')}`, 'utf16le'), '  file  is not UTF-8 (line 1); save it as UTF-8'],
    ['an alias before what it stands for', labelled('{a: *x, b: &x 1}'), ':3:33  document  is an alias that stands for nothing'],
    ['an alias within what it stands for', labelled('&x {a: *x}'), ':3:36  document  is an alias within what it stands for'],
    ['an alias deep within', labelled('&x {a: [{b: [*x]}]}'), ':3:42  document  is an alias within what it stands for'],
    ['nesting', labelled(nested(63)), ':3:277  document  is nested deeper than 64'],
  ])('%s', (_name, content, expected) => {
    const result = read(content);
    expect(problems(result)).toEqual([`resources.yaml${expected}`]);
    expect(names(result)).toEqual([]);
  });

  it('does not hide the documents before and behind it', () => {
    for (const broken of ['kind: [\n', 'a: b: c\n', 'a: 1\n b: 2\n', '{"a":\n', '- !x y\n', '\tx: 1\n']) {
      const result = read([budget('a'), broken, budget('b')].join('---\n'));
      expect(names(result), broken).toEqual(['a', 'b']);
      expect(problems(result), broken).toHaveLength(1);
      expect(result.findings[0]?.line, broken).toBeGreaterThan(5);
    }
  });
});

describe('limits', () => {
  const aliases = (count: number): string => labelled(`{a: &x 1, b: [${'*x, '.repeat(count)}]}`);
  const filled = (bytes: number): string => `${budget('a')}#${'x'.repeat(bytes - budget('a').length - 1)}`;

  it.each<[string, string, string]>([
    ['1 MiB', filled(2 ** 20), filled(2 ** 20 + 1)],
    ['64 levels', labelled(nested(62)), labelled(nested(63))],
    ['100 aliases', aliases(100), aliases(101)],
    ['5,000 documents', `${budget('a')}${'---\n'.repeat(4999)}`, `${budget('a')}${'---\n'.repeat(5000)}`],
  ])('of %s: up to it, and not beyond', (_name, within, beyond) => {
    expect(problems(read(within))).toEqual([]);
    expect(problems(read(beyond))).toHaveLength(1);
  });

  it('of 1,000 files in a folder', () => {
    for (let index = 0; index < 1000; index++) writeFileSync(join(folder, `${index}.yaml`), '');
    expect(problems(readResources([folder]))).toEqual([]);
    writeFileSync(join(folder, '1000.yaml'), '');
    expect(problems(readResources([folder])).join()).toMatch(/holds 1001 files; at most 1000 are read/);
  });

  const bomb = Array.from('bcdefghij', (name, index) => `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefghij'[index]}`).join(', ')}]\n`).join(
    '',
  );
  const ROUTE = 'apiVersion: airmesh.dev/v1alpha1\nkind: AIRoute\nmetadata: {name: a}\n';

  it.each<[string, string, RegExp]>([
    ['aliases of aliases', `${HEAD}a: &a [x, x]\n${bomb}spec: *j\n`, /aliases that stand for more than 1000 others/],
    ['as many aliases as fit', `${HEAD}a: &a 1\nspec: [${'*a,'.repeat(80_000)}]`, /one alias more than 100/],
    ['as many anchors as fit', `${HEAD}spec: [${Array.from({ length: 22_000 }, (_, index) => `&a${index} 1`).join(',')}]`, /expected object/],
    ['one large thing a hundred times', labelled(`{a: &a [${'x,'.repeat(100_000)}], b: [${'*a,'.repeat(99)}]}`), /^$/],
    ['brackets that open', `${HEAD}spec: ${'['.repeat(250_000)}`, /nested deeper than 64/],
    ['brackets that open and close', `${HEAD}spec: ${'['.repeat(120_000)}${']'.repeat(120_000)}`, /nested deeper than 64/],
    ['dashes in a line', `${HEAD}spec: \n  ${'- '.repeat(120_000)}`, /nested deeper than 64/],
    ['a long text', `${HEAD}spec: "${'x'.repeat(1_000_000)}"`, /expected object, received string/],
    ['a list as long as fits', `${ROUTE}spec: {workloads: [${'1,'.repeat(120_000)}]}`, /<=1000 items/],
    ['rules without end', `${ROUTE}spec: {workloads: [a], rules: [${'{},'.repeat(80_000)}]}`, /<=256 items/],
    ['fields that nobody knows', `${HEAD}spec:\n${Array.from({ length: 20_000 }, (_, index) => `  a${index}: 1\n`).join('')}`, /has more than 50 errors/],
    ['a field of a megabyte', `${HEAD}spec: {${'x'.repeat(900)}: 1}`, /is not a field/],
    ['documents', 'a: 1\n---\n'.repeat(30_000), /at most 5000 are read/],
  ])('hold against %s', (_name, content, message) => {
    const startedAt = performance.now();
    const result = read(content);
    expect(performance.now() - startedAt).toBeLessThan(WITHIN_MS);
    expect(problems(result).join('\n')).toMatch(message);
    for (const problem of problems(result)) expect(problem.length).toBeLessThan(600);
  });
});

describe('files', () => {
  it('of a folder: those that end as YAML and JSON do, in order, without hidden ones and what lies below', () => {
    for (const name of ['b.yml', 'a.yaml', 'c.json', 'd.txt', '.e.yaml', 'f.yaml~'])
      writeFileSync(join(folder, name), name === 'c.json' ? asJson('c') : budget(name[0] ?? ''));
    mkdirSync(join(folder, 'below'));
    writeFileSync(join(folder, 'below', 'g.yaml'), budget('g'));
    expect(names(readResources([folder]))).toEqual(['a', 'b', 'c']);
  });

  it('that are none are named, and stop nothing', () => {
    writeFileSync(join(folder, 'a.yaml'), budget('a'));
    mkdirSync(join(folder, 'folder.yaml'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link.yaml'));
    execFileSync('mkfifo', [join(folder, 'pipe.yaml')]);
    const result = readResources([folder, join(folder, 'missing', 'folder'), '/proc/self/mem']);
    expect(names(result)).toEqual(['a']);
    expect(problems(result).slice(0, 4)).toEqual([
      'folder.yaml  file  is not a file',
      'pipe.yaml  file  is not a file',
      'missing/folder  file  does not exist',
      'link.yaml  file  does not exist',
    ]);
    expect(problems(result)[4]).toMatch(/^\/proc\/self\/mem {2}file {2}cannot be read/);
  });

  it('without end are read up to the limit', () => {
    expect(problems(readResources(['/dev/zero']))).toEqual(['/dev/zero  file  has more than 1048576 bytes; divide it']);
  });
});

it('nothing that is wrong makes it throw, loses its place, or quotes a key', () => {
  const key = 'sk-planted0123456789abcdefghijklmnopqrstuvwxyz';
  const whole = `${HEAD.replace('AIBudget', 'AIProvider')}metadata: {name: a}\nspec:\n  type: OpenAI\n  auth:\n    apiKey:\n      value: ${key}\n---\n${budget('b')}`;
  const tokens = [
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
    ':',
    ': ',
    '- ',
    '\n',
    '\n  ',
    '\t',
    '!',
    '&',
    '*',
    '|',
    '>',
    '%',
    '@',
    '`',
    '#',
    ',',
    '?',
    '\0',
    '\u{7f}',
    '---\n',
    '...\n',
    '&a ',
    '*a',
    '!!str ',
    '\\',
    '<<: ',
    'null',
  ];
  const edit = fc.record({ at: fc.nat(whole.length), cut: fc.nat(12), put: fc.oneof(fc.constantFrom(...tokens), fc.string({ maxLength: 4 })) });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = edits.reduce((now, { at, cut, put }) => now.slice(0, at) + put + now.slice(at + cut), whole);
      const result = read(text);
      for (const finding of result.findings) {
        expect(finding.message).not.toBe('');
        if (finding.resource !== 'file') expect(finding.line).toBeGreaterThan(0);
        // A piece of it may be a field's name; the whole never is.
        expect(formatFinding(finding)).not.toContain(key.slice(0, 25));
      }
    }),
    { numRuns: 1500 },
  );
});
