/**
 * Both books after a mixed run: each call with its own fault, through a real Envoy. `AIRMESH_TEST_CALLS=10000` (or
 * `npm run test:books`) is the whole run; without it a fifth.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallRecord, Ending } from '../../src/core/call/index.ts';
import { usdToNano } from '../../src/core/units/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import type { SpendReport } from '../../src/shell/spending/index.ts';
import { BooksClient } from '../../src/shell/stores/sqlite/index.ts';
import type { BooksState } from '../../src/shell/stores/sqlite/index.ts';
import { Caller } from '../support/caller.ts';
import type { Called, HangUp } from '../support/caller.ts';
import { startTestMesh, until } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const CALLS = Number(process.env['AIRMESH_TEST_CALLS'] ?? 2000);
const CONNECTIONS = 32;
const MODELS = ['gpt-4.1', 'gemini-2.5-flash', 'deepseek-v3.2', 'claude-sonnet-4.5'];
/** Of calls whose faults are left to chance, how many find the provider busy; it is asked again. */
const BUSY_SHARE = 0.2;

const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec:
  type: OpenAICompatible
  baseUrl: "${url}/v1"
  auth: {apiKey: {value: ${KEY}}}
  retries: {attempts: 2, baseInterval: 10ms, maxInterval: 50ms}
  outlierDetection: {consecutive5xx: 1000}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [${MODELS.join(', ')}]}, backends: [{provider: relay}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: dollars}
spec: {limit: {usd: "100000"}, window: {lifetime: true}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: tokens}
spec: {limit: {tokens: 100000000000}, window: {lifetime: true}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: poor}
spec: {selector: {workloads: [poor]}, limit: {usd: "0.000001"}, window: {lifetime: true}}
`;

/**
 * What a row must come to. `exact`: the provider's own count, to the token and the nano-dollar. `held`: a flagged
 * estimate, charged as the hold. `void`: nothing is billed. `any`: it depends on who was faster, but one of these.
 * `refused`: it never gets to the provider.
 */
type Outcome = 'exact' | 'held' | 'void' | 'any' | 'refused';

interface Row {
  readonly name: string;
  readonly faults?: string;
  readonly body?: object;
  readonly hangUp?: HangUp | 'half';
  readonly poor?: true;
  readonly outcome: Outcome;
  readonly endings?: readonly Ending[];
}

const STREAM = { stream: true };
const WITH_USAGE = { stream: true, stream_options: { include_usage: true } };

const ROWS: readonly Row[] = [
  { name: 'plain', faults: 'tokens=8', outcome: 'exact', endings: ['finished'] },
  { name: 'two choices', faults: 'tokens=8', body: { n: 2 }, outcome: 'exact', endings: ['finished'] },
  { name: 'cut by its cap', faults: 'tokens=90', outcome: 'exact', endings: ['finished'] },
  { name: 'slow', faults: 'tokens=8, delay=60ms', outcome: 'exact', endings: ['finished'] },
  { name: 'compressed', faults: 'tokens=8, encoding=gzip', outcome: 'held', endings: ['finished'] },
  { name: 'as the provider’s chance has it', outcome: 'any' },
  { name: 'streamed as chance has it', body: STREAM, outcome: 'any' },
  { name: 'streamed', faults: 'tokens=8', body: STREAM, outcome: 'exact', endings: ['finished'] },
  { name: 'streamed, with usage', faults: 'tokens=8', body: WITH_USAGE, outcome: 'exact', endings: ['finished'] },
  { name: 'streamed, usage twice', faults: 'tokens=8, usage=double', body: WITH_USAGE, outcome: 'exact', endings: ['finished'] },
  { name: 'streamed, slowly', faults: 'tokens=8, chunk-delay=5ms', body: STREAM, outcome: 'exact', endings: ['finished'] },
  { name: 'streamed, byte by byte', faults: 'tokens=2, chunks=bytes', body: STREAM, outcome: 'exact', endings: ['finished'] },
  { name: 'streamed, oddly', faults: 'tokens=8, chunks=odd', body: WITH_USAGE, outcome: 'exact', endings: ['finished'] },
  { name: 'streamed at once', faults: 'tokens=8, chunks=merged', body: STREAM, outcome: 'exact', endings: ['finished'] },
  { name: 'streamed with CRLF', faults: 'tokens=8, chunks=crlf', body: STREAM, outcome: 'exact', endings: ['finished'] },
  { name: 'streamed with comments', faults: 'tokens=8, chunks=comments', body: STREAM, outcome: 'exact', endings: ['finished'] },
  { name: 'streamed, two choices', faults: 'tokens=4', body: { ...STREAM, n: 2 }, outcome: 'exact', endings: ['finished'] },
  { name: 'no usage', faults: 'tokens=8, usage=missing', outcome: 'held', endings: ['finished'] },
  { name: 'usage null', faults: 'tokens=8, usage=null', outcome: 'held', endings: ['finished'] },
  { name: 'usage as text', faults: 'tokens=8, usage=string', outcome: 'held', endings: ['finished'] },
  { name: 'usage below zero', faults: 'tokens=8, usage=negative', outcome: 'held', endings: ['finished'] },
  { name: 'usage in halves', faults: 'tokens=8, usage=fractional', outcome: 'held', endings: ['finished'] },
  { name: 'streamed without usage', faults: 'tokens=8, usage=missing', body: STREAM, outcome: 'held', endings: ['finished'] },
  { name: 'a page of HTML', faults: 'tokens=8, malformed=html', outcome: 'held', endings: ['finished'] },
  { name: 'half of the JSON', faults: 'tokens=8, malformed=json', outcome: 'held', endings: ['stream_error'] },
  { name: 'nothing', faults: 'tokens=8, empty', outcome: 'held', endings: ['stream_error'] },
  { name: 'a broken line', faults: 'tokens=8, malformed=line', body: STREAM, outcome: 'exact' },
  { name: 'half a line', faults: 'tokens=8, half-line', body: STREAM, outcome: 'held', endings: ['stream_error'] },
  {
    name: 'cut mid-stream',
    faults: 'tokens=8, reset=stream, after=3',
    body: STREAM,
    outcome: 'held',
    endings: ['stream_error', 'client_gone', 'provider_reset'],
  },
  { name: 'cut before an answer', faults: 'tokens=8, reset=before', outcome: 'held', endings: ['provider_reset'] },
  { name: 'refused by the provider', faults: 'status=400', outcome: 'void', endings: ['provider_error'] },
  { name: 'failed by the provider', faults: 'status=500', body: STREAM, outcome: 'void', endings: ['provider_error'] },
  { name: 'busy, each time', faults: 'status=503', outcome: 'void', endings: ['provider_error'] },
  { name: 'too many, each time', faults: 'status=429', body: STREAM, outcome: 'void', endings: ['provider_error'] },
  { name: 'left while waiting', faults: 'tokens=8, delay=80ms', hangUp: 'waiting', outcome: 'any' },
  { name: 'left a stream while waiting', faults: 'tokens=8, delay=80ms', body: STREAM, hangUp: 'waiting', outcome: 'any' },
  { name: 'left at the head', faults: 'tokens=8, chunk-delay=10ms', body: STREAM, hangUp: 'head', outcome: 'any' },
  { name: 'left mid-stream', faults: 'tokens=20, chunk-delay=5ms', body: WITH_USAGE, hangUp: 'body', outcome: 'any' },
  { name: 'half a body', hangUp: 'half', outcome: 'refused' },
  { name: 'an unknown model', body: { model: 'gpt-99' }, outcome: 'refused' },
  { name: 'no model', body: { model: null }, outcome: 'refused' },
  { name: 'above its budget', poor: true, outcome: 'refused' },
];

interface Made {
  readonly row: Row;
  readonly called: Called;
}

interface Attempt {
  readonly requestId: string;
  readonly billed: boolean;
  readonly costNanoUsd: string;
  readonly input: number;
  readonly output: number;
}

const rowOf = (call: number): Row => ROWS[call % ROWS.length] as Row;

let simulator: Simulator;
let folder: string;
let made: Made[];
let report: SpendReport;
let state: BooksState;
let records: readonly CallRecord[];
let attempts: readonly Attempt[];

async function make(call: number, rich: Caller, poor: Caller): Promise<Made> {
  const row = rowOf(call);
  const body = {
    model: MODELS[Math.floor(call / ROWS.length) % MODELS.length],
    max_tokens: 60,
    messages: [{ role: 'user', content: `Count to ${call}, please.` }],
    ...row.body,
  };
  const headers: Record<string, string> = row.faults === undefined ? {} : { 'x-simulate': row.faults };
  if (row.hangUp !== 'half') return { row, called: await (row.poor === true ? poor : rich).chat(body, headers, row.hangUp) };
  await rich.half(JSON.stringify(body));
  return { row, called: { status: 0, headers: {}, text: '', whole: false } };
}

/** Calls one after another on each of the connections. */
async function makeAll(rich: Caller, poor: Caller): Promise<Made[]> {
  const all: Made[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < CALLS) all.push(await make(next++, rich, poor));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return all;
}

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  await fetch(`${simulator.url}/simulator/faults`, { method: 'POST', body: JSON.stringify({ faults: 'status=503', probability: BUSY_SHARE, seed: 7 }) });
  folder = mkdtempSync(join(tmpdir(), 'airmesh-books-'));
  const mesh = await startTestMesh({ resources: resources(simulator.url), workloads: ['poor'], stateDir: folder });
  const rich = new Caller({ baseURL: mesh.baseURL, connections: CONNECTIONS });
  const poor = new Caller({ baseURL: mesh.baseURLOf('poor'), connections: CONNECTIONS });
  try {
    made = await makeAll(rich, poor);
    await until('no hold is left', async () => (await mesh.spend()).budgets.every(({ pending }) => Number(pending) === 0));
    report = await mesh.spend();
  } finally {
    rich.close();
    poor.close();
    await mesh.stop();
  }
  const books = await BooksClient.open(join(folder, 'ledger.db'));
  state = await books.state();
  records = await books.records({ sinceMs: 0, count: CALLS * 2 });
  await books.close();
  attempts = (simulator.books.toJSON() as { attempts: Attempt[] }).attempts;
});

afterAll(async () => {
  await simulator?.close();
  rmSync(folder, { recursive: true, force: true });
});

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
const text = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');

describe(`${CALLS} calls, each with a fault of its own`, () => {
  const byId = (): Map<string, CallRecord> => new Map(records.map((record) => [record.id, record]));
  const billed = (): Map<string, Attempt> => new Map(attempts.filter((attempt) => attempt.billed).map((attempt) => [attempt.requestId, attempt]));

  it('are each counted once', () => {
    const ids = made.map(({ called }) => text(called.headers['x-airmesh-request-id'])).filter((id) => id !== '');
    expect(new Set(ids).size).toBe(ids.length);
    const forwarded = made.filter(({ row }) => row.outcome !== 'refused').length;
    expect(records.length).toBeLessThanOrEqual(forwarded);
    // Who leaves may leave before its call is sent.
    expect(records.length).toBeGreaterThanOrEqual(forwarded - made.filter(({ row }) => row.hangUp === 'waiting').length);
    expect(report.totals.requests).toBe(records.length);
    expect(report.totals.estimatedRequests).toBe(records.filter(({ estimated }) => estimated).length);
  });

  it.each(ROWS.map((row) => [row.name, row] as const))('%s', (_name, row) => {
    const [known, bills] = [byId(), billed()];
    const calls = made.filter((one) => one.row === row);
    expect(calls.length).toBeGreaterThan(0);
    for (const { called } of calls) {
      const record = known.get(text(called.headers['x-airmesh-request-id']));
      const bill = bills.get(text(called.headers['x-request-id']));
      if (row.outcome === 'refused') {
        expect(record).toBeUndefined();
        if (row.hangUp === undefined) expect(called.status).toBeGreaterThanOrEqual(400);
        continue;
      }
      if (row.outcome === 'exact') expect(called).toMatchObject({ status: 200, whole: true });
      if (record === undefined) {
        // No head came, so nobody knows which record it is; the sums below do.
        expect(row.hangUp === 'waiting' || called.status === 0).toBe(true);
        continue;
      }
      if (row.endings !== undefined) expect(row.endings).toContain(record.ending);
      if (row.outcome !== 'any') expect(kindOf(record)).toBe(row.outcome);
      expectFairness(record, bill);
    }
  });

  it('agree in sum: what the provider counted, to the nano-dollar; what it did not, within the flagged estimates', () => {
    const [known, bills] = [byId(), billed()];
    for (const { called } of made) {
      const [ours, theirs] = [text(called.headers['x-airmesh-request-id']), text(called.headers['x-request-id'])];
      if (known.has(ours) && bills.has(theirs))
        for (const [book, id] of [
          [known, ours],
          [bills, theirs],
        ] as const)
          book.delete(id);
    }
    // Left: bills of which no caller saw an answer, and records without such a bill. Each bill is one of the estimated ones.
    const estimated = [...known.values()].filter((record) => record.estimated);
    expect(bills.size).toBeGreaterThan(0);
    expect(bills.size).toBeLessThanOrEqual(estimated.length);
    expect(sum([...bills.values()].map(({ costNanoUsd }) => BigInt(costNanoUsd)))).toBeLessThanOrEqual(sum(estimated.map(({ heldNanoUsd }) => heldNanoUsd)));
    expect(sum([...known.values()].filter((record) => !record.estimated).map(dollarsOf))).toBe(0n);
  });

  it('leave no hold, and posted is the sum of what was charged', () => {
    expect(state.holds).toEqual([]);
    expect(state.covers).toEqual([]);
    const posted = (limit: string): bigint =>
      sum(records.flatMap((record) => record.posted.filter((hold) => hold.limit === limit).map(({ amount }) => amount)));
    for (const { budget, posted: shown, unit } of report.budgets) {
      expect(unit === 'usd' ? usdToNano(shown) : BigInt(shown)).toBe(posted(budget));
      expect(sum(state.posted.filter(({ limit }) => limit === budget).map(({ amount }) => amount))).toBe(posted(budget));
    }
    expect(usdToNano(report.budgets.find(({ budget }) => budget === DOLLARS)?.posted ?? '')).toBeGreaterThanOrEqual(
      BigInt((simulator.books.toJSON() as { costNanoUsd: string }).costNanoUsd),
    );
  });
});

const DOLLARS = 'default/dollars';

/** What the budget in dollars was charged. */
const dollarsOf = (record: CallRecord): bigint => sum(record.posted.filter(({ limit }) => limit === DOLLARS).map(({ amount }) => amount));

function kindOf(record: CallRecord): Outcome {
  if (record.estimated) return 'held';
  return record.ending === 'provider_error' || record.status === 0 ? 'void' : 'exact';
}

/** One call in both books. */
function expectFairness(record: CallRecord, bill: Attempt | undefined): void {
  const cost = BigInt(bill?.costNanoUsd ?? 0);
  if (record.estimated) {
    expect(dollarsOf(record)).toBe(record.heldNanoUsd);
    expect(record.heldNanoUsd).toBeGreaterThanOrEqual(cost);
    return;
  }
  expect(record.costNanoUsd).toBe(cost);
  expect([record.chargedNanoUsd, dollarsOf(record)]).toEqual([cost, cost]);
  expect([record.usage.inputTokens, record.usage.outputTokens]).toEqual([bill?.input ?? 0, bill?.output ?? 0]);
}
