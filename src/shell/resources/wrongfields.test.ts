/** Every field of every resource, wrong in turn: the finding names file, line and field, and nothing else stops. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, formatPath } from '../../core/policy/index.ts';
import type { Compiled, Kind } from '../../core/policy/index.ts';
import {
  ALTERNATIVES,
  FORBIDDEN,
  MARK,
  ROWS,
  documentForbidden,
  WHOLE,
  documentWith,
  pathOf,
  places,
  withFlowValue,
} from '../../../test/support/wrong-fields.ts';
import { readCertificates } from '../trust/index.ts';
import { formatFinding, readResources } from './read.ts';
import type { LocatedFinding, ReadResult } from './read.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-fields-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The file holds the broken resource between two good ones. */
function readBetweenGoodOnes(kind: Kind, broken: string): ReadResult & { readonly file: string; readonly text: string } {
  const file = join(folder, 'resources.yaml');
  const others = (Object.keys(WHOLE) as Kind[]).filter((other) => other !== kind).map((other) => WHOLE[other]);
  const text = [others[0], broken, others[1]].join('---\n');
  writeFileSync(file, text);
  return { ...readResources([file]), file, text };
}

const lineOf = (text: string, word: string): number => text.slice(0, text.indexOf(word)).split('\n').length;

it('starts from resources that are right, with every field that there is', () => {
  const file = join(folder, 'whole.yaml');
  writeFileSync(file, Object.values(WHOLE).join('---\n'));
  expect(readResources([file])).toMatchObject({ findings: [], resources: [{ kind: 'AIProvider' }, { kind: 'AIRoute' }, { kind: 'AIBudget' }] });
  expect(places.length).toBeGreaterThan(100);
  const absent = places.filter(({ kind, at, path }) => !documentWith(kind, at).hasIn(path)).map(({ kind, at }) => `${kind} ${at}`);
  expect(absent).toEqual(['AIProvider spec.auth.apiKey.secretRef']);
});

describe('a field of the wrong type', () => {
  const fields = places.filter(({ path, at }) => path.length > 0 && at !== 'spec.auth.apiKey.secretRef' && !at.endsWith('body.set'));

  it.each(fields)('$kind $at', ({ kind, at, path, schema }) => {
    const wrong = schema.type === 'array' ? { [MARK]: 1 } : schema.properties === undefined ? [MARK] : MARK;
    const { findings, resources, file, text } = readBetweenGoodOnes(kind, withFlowValue(documentWith(kind, at), path, wrong));
    expect(findings).toMatchObject([{ severity: 'error', path: at, file, line: lineOf(text, MARK) }]);
    expect(findings[0]?.message).not.toBe('Invalid input');
    expect(formatFinding(findings[0] as never)).toContain(`${file}:${lineOf(text, MARK)}:`);
    expect(resources).toHaveLength(2);
  });
});

describe('a field that nobody knows', () => {
  const objects = places.filter(({ schema, at }) => schema.properties !== undefined && at !== 'metadata' && at !== 'spec.auth.apiKey.secretRef');

  it.each(objects)('$kind $at', ({ kind, at, path, schema }) => {
    const document = documentWith(kind, at);
    document.setIn([...path, MARK], 1);
    const { findings, resources, file, text } = readBetweenGoodOnes(kind, document.toString());
    expect(findings).toMatchObject([{ severity: 'error', path: formatPath([...path, MARK]), file, line: lineOf(text, MARK) }]);
    for (const known of Object.keys(schema.properties ?? {})) expect(findings[0]?.message).toContain(known);
    expect(resources).toHaveLength(2);
  });

  const named = places.filter(
    ({ kind, path, at }) =>
      path.length > 1 && typeof path.at(-1) === 'string' && path[0] === 'spec' && !at.startsWith('spec.per[') && ALTERNATIVES[`${kind} ${at}`] === undefined,
  );

  it.each(named.filter(({ at }) => !at.includes('secretRef')))('but is nearly $kind $at', ({ kind, path }) => {
    const document = documentWith(kind, '');
    const name = String(path.at(-1));
    const slip = [...path.slice(0, -1), name.slice(0, -1)];
    document.setIn(slip, document.getIn(path, true));
    document.deleteIn(path);
    const { findings } = readBetweenGoodOnes(kind, document.toString());
    expect(findings.find((finding) => finding.path === formatPath(slip))?.message).toContain(`did you mean ${name}?`);
  });
});

const WORKLOADS = [{ namespace: 'shop', name: 'checkout' }];
const OWN = [
  { host: '127.0.0.1', port: 4000 },
  { host: '0.0.0.0', port: 4010 },
  { host: '10.0.0.7', port: 4020 },
];
const CONTEXT = { own: OWN, known: { openai: [], anthropic: [], google: [], deepseek: [] }, simulatedUrl: undefined, readCertificates };

/** What depends on none of the above, and must stand whatever becomes of it. */
const STEADY = `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: steady, namespace: shop}
spec: {type: OpenAI, auth: {apiKey: {env: STEADY_KEY}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: steady, namespace: shop}
spec: {workloads: ["*"], rules: [{name: all, backends: [{provider: steady}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: steady, namespace: shop}
spec: {limit: {usd: 1}, window: {lifetime: true}}
`;

function read(...texts: readonly string[]): { readonly findings: readonly LocatedFinding[]; readonly compiled: Compiled; readonly file: string } {
  const file = join(folder, 'resources.yaml');
  writeFileSync(file, texts.join('---\n'));
  const { findings, resources, locate } = readResources([file]);
  const compiled = compile(resources, WORKLOADS, CONTEXT);
  return { findings: [...findings, ...compiled.findings.map(locate)], compiled, file };
}

function expectSteady(compiled: Compiled): void {
  const snapshot = compiled.snapshots.get('shop/checkout');
  expect(snapshot?.rules.map(({ id }) => id)).toContain('shop/steady#all');
  expect(snapshot?.budgets.map(({ id }) => id)).toContain('shop/steady');
}

/** In what depends upon a broken provider, it is told that there is none. */
const followsFrom = (kind: Kind, { message }: LocatedFinding): boolean => kind === 'AIProvider' && /shop\/relay/.test(message);

describe('a value that cannot be', () => {
  const rows = ROWS.map(([kind, at, value, message, path = at]) => ({ kind, at, value, message, path, shown: `${JSON.stringify(value)}`.slice(0, 60) }));

  it.each(rows)('$kind $at: $shown', ({ kind, at, value, message, path }) => {
    const before = [WHOLE.AIProvider, WHOLE.AIRoute, WHOLE.AIBudget].filter((text) => text !== WHOLE[kind]);
    const withValue = (given: unknown): string => [...before, withFlowValue(documentWith(kind, ''), pathOf(at), given), STEADY].join('---\n');
    const { findings, compiled, file } = read(withValue(value));
    const [finding, ...others] = findings.filter((one) => !followsFrom(kind, one));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'error', path, file, line: lineOf(withValue([MARK]), MARK), message: expect.stringMatching(message) });
    expect(finding?.message.length).toBeLessThan(500);
    expect(finding?.message).not.toContain('planted-secret');
    expectSteady(compiled);
  });
});

describe('each bound of each field', () => {
  it.each(FORBIDDEN)('$kind $at: $why $absent', (one) => {
    const { findings, resources } = readBetweenGoodOnes(one.kind, documentForbidden(one).toString());
    expect(findings.filter(({ severity }) => severity === 'error').map(({ path }) => path)).toContainEqual(expect.stringContaining(one.at));
    expect(resources).toHaveLength(2);
  });

  it('or a row for it is there, whatever field is new', () => {
    const tried = new Set([...FORBIDDEN, ...ROWS.map(([kind, at]) => ({ kind, at }))].map(({ kind, at }) => `${kind} ${at}`));
    // An object has no bounds of its own where each of its fields may be absent; what is no object, or no field of it, is tried above.
    const bare = places.filter(({ path, schema }) => path[0] === 'spec' && schema.properties === undefined);
    expect(bare.map(({ kind, at }) => `${kind} ${at}`).filter((place) => !tried.has(place))).toEqual([]);
    expect(bare.length).toBeGreaterThan(90);
  });
});

describe('what is declared twice', () => {
  it.each(Object.entries(WHOLE) as [Kind, string][])('%s: the first one counts, and the second is named', (kind, text) => {
    const { findings, compiled, file } = read(...Object.values(WHOLE), text, STEADY);
    expect(findings).toMatchObject([
      { severity: 'error', resource: expect.stringContaining(kind), path: 'metadata.name', message: expect.stringMatching(/already/), file },
    ]);
    expect(findings[0]?.line).toBeGreaterThan(Object.values(WHOLE).join('---\n').split('\n').length);
    expectSteady(compiled);
  });

  it('in two files, both are named', () => {
    const files = ['one.yaml', 'two.yaml'].map((name) => join(folder, name));
    for (const file of files) writeFileSync(file, STEADY);
    const { findings, resources } = readResources(files);
    expect(resources).toHaveLength(3);
    expect(findings).toHaveLength(3);
    for (const finding of findings) expect(formatFinding(finding)).toMatch(/two\.yaml:\d+:\d+ .*one\.yaml already/);
  });

  it('a field', () => {
    const { findings, compiled, file } = read(`${WHOLE.AIBudget}  mode: Observe\n`, STEADY);
    expect(findings).toMatchObject([
      { severity: 'error', file, line: lineOf(WHOLE.AIBudget, 'waitTimeout') + 1, message: expect.stringMatching(/stands here twice/) },
    ]);
    expectSteady(compiled);
  });
});

describe('what selects nobody', () => {
  it.each<[Kind, string, string]>([
    ['AIBudget', 'workloads: [checkout]', 'spec.selector.workloads'],
    ['AIRoute', 'workloads: [checkout]', 'spec.workloads'],
  ])('an %s is a warning, and the rest counts', (kind, from, path) => {
    const { findings, compiled } = read(WHOLE.AIProvider, WHOLE[kind].replace(from, 'workloads: [chekout, other/checkout]'), STEADY);
    expect(findings).toMatchObject([{ severity: 'warning', path, message: expect.stringMatching(/selects no workload/) }]);
    expect(compiled.snapshots.get('shop/checkout')?.rules).toHaveLength(1);
    expectSteady(compiled);
  });
});

describe('names of JavaScript’s own', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is a field that nobody knows, and nothing more', (name) => {
    const { findings, compiled } = read(`${WHOLE.AIBudget}  ${name}: {mode: Observe}\n`, WHOLE.AIProvider, STEADY);
    expect(findings).toMatchObject([{ path: `spec.${name}`, message: expect.stringMatching(/is not a field/) }]);
    expect(({} as { mode?: string }).mode).toBeUndefined();
    expectSteady(compiled);
  });

  it.each(['__proto__', 'constructor', 'toString'])('%s is no kind', (name) => {
    const { findings } = read(WHOLE.AIBudget.replace('kind: AIBudget', `kind: ${name}`));
    expect(findings).toMatchObject([{ path: 'kind', message: expect.stringMatching(/must be one of/) }]);
  });
});
