/** Budgets that hold: many callers at once on little money, through a real Envoy. */
import { afterEach, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';

/** An answer is 100 tokens: $0.0008, and its prompt 9 or so: $0.000018. */
const ANSWER_TOKENS = 100;
const MESSAGES = [{ role: 'user', content: 'hi' }];
const CLIENTS = 50;
const WORTH = 100;

const resources = (url: string, usd: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {value: ${KEY}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [gpt-4.1]}, backends: [{provider: relay}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: life}
spec: {limit: {usd: "${usd}"}, window: {lifetime: true}}
`;

let simulator: Simulator;
let mesh: TestMesh;

async function start(usd: string): Promise<void> {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  mesh = await startTestMesh({ resources: resources(simulator.url, usd) });
}

afterEach(async () => {
  await mesh.stop();
  await simulator.close();
});

interface Outcome {
  readonly status: number;
  readonly text: string;
}

async function call(extra: object, faults: string): Promise<Outcome> {
  const answer = await fetch(`${mesh.baseURL}/chat/completions`, {
    method: 'POST',
    signal: AbortSignal.timeout(20_000),
    headers: { 'content-type': 'application/json', 'x-simulate': faults },
    body: JSON.stringify({ model: 'gpt-4.1', messages: MESSAGES, ...extra }),
  });
  return { status: answer.status, text: await answer.text() };
}

const theirCost = (): bigint => BigInt((simulator.books.toJSON() as { costNanoUsd: string }).costNanoUsd);
const nano = (usd: string): bigint => {
  const [whole = '0', fraction = ''] = usd.split('.');
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
};

async function costOfOne(): Promise<bigint> {
  await call({ max_tokens: ANSWER_TOKENS }, `tokens=${ANSWER_TOKENS}`);
  return theirCost();
}

describe('a budget worth 100 calls, 50 callers at once, answers after a while', () => {
  it.each<[string, object]>([
    ['exact cap', { max_tokens: ANSWER_TOKENS }],
    ['cap ten times too large', { max_tokens: ANSWER_TOKENS * 10 }],
    ['no cap', {}],
    ['no cap, streamed', { stream: true }],
  ])('%s: never more than 100 are served, and 95 or more are', async (_name, extra) => {
    await start('1000');
    const one = await costOfOne();
    await mesh.stop();
    simulator.books.reset();
    const limit = one * BigInt(WORTH);
    const usd = `0.${String(limit).padStart(9, '0')}`;
    mesh = await startTestMesh({ resources: resources(simulator.url, usd) });
    let served = 0;
    let exhausted = 0;
    const client = async (): Promise<void> => {
      for (;;) {
        const { status, text } = await call(extra, `tokens=${ANSWER_TOKENS}, delay=200ms`);
        if (status === 429) {
          exhausted++;
          expect(text).toMatch(/budget_/);
          return;
        }
        expect(status).toBe(200);
        served++;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    expect(exhausted).toBe(CLIENTS);
    await until('no hold is left', async () => (await mesh.spend()).budgets.every(({ pending }) => pending === '0'));
    const report = await mesh.spend();
    const [budget] = report.budgets;
    expect(theirCost() <= limit).toBe(true);
    expect(nano(budget?.posted ?? '')).toBe(theirCost());
    // Answers that were cut short near the end count as what they cost.
    expect(Number((theirCost() * 1000n) / limit) / 10).toBeGreaterThanOrEqual(95);
    expect(served).toBeGreaterThanOrEqual(95);
  });
});

describe('endings', () => {
  it.each<[string, object, string, string, boolean]>([
    ['a stream that the provider resets', { stream: true }, 'reset=stream, after=3', 'client_gone|stream_error|provider_reset', true],
    ['a stream without usage', { stream: true }, 'usage=missing', 'finished', true],
    ['usage as text', {}, 'usage=string', 'finished', true],
    ['usage below zero', {}, 'usage=negative', 'finished', true],
    ['an error page', {}, 'malformed=html', 'finished', true],
    ['half a line', { stream: true }, 'half-line', 'stream_error', true],
    ['a line that is no JSON', { stream: true }, 'malformed=line', 'finished|stream_error', false],
    ['a refusal by the provider', {}, 'status=400', 'provider_error', false],
    ['a failure of the provider', {}, 'status=500', 'provider_error', false],
    ['gzip that nobody asked for', {}, 'encoding=gzip', 'finished', true],
    ['brotli that nobody asked for', {}, 'encoding=br', 'finished', true],
    ['bytes one by one', { stream: true }, 'chunks=bytes', 'finished', false],
    ['lines that end as on Windows', { stream: true }, 'chunks=crlf', 'finished', false],
    ['comments between events', { stream: true }, 'chunks=comments', 'finished', false],
    ['usage twice', { stream: true }, 'usage=double', 'finished', false],
  ])('%s is settled once', async (_name, extra, faults, ending, estimated) => {
    await start('25');
    await call({ max_tokens: 50, ...extra }, faults).catch(() => undefined);
    await until('it is settled', () => mesh.log().includes('"event":"call.settled"'));
    const events = mesh
      .log()
      .split('\n')
      .filter((line) => line.includes('"event":"call.settled"'));
    expect(events).toHaveLength(1);
    const event = JSON.parse(events[0] ?? '{}') as { ending: string; estimated: boolean };
    expect(event.ending).toMatch(new RegExp(`^(?:${ending})$`));
    expect(event.estimated).toBe(estimated);
    const [budget] = (await mesh.spend()).budgets;
    expect(budget?.pending ?? '0').toBe('0');
    // A strict budget is never charged less than the provider bills.
    expect(nano(budget?.posted ?? '0') >= theirCost()).toBe(true);
  });

  it('is settled when the caller leaves in the middle', async () => {
    await start('25');
    const abort = new AbortController();
    const answer = await fetch(`${mesh.baseURL}/chat/completions`, {
      method: 'POST',
      signal: abort.signal,
      headers: { 'content-type': 'application/json', 'x-simulate': 'tokens=200, chunk-delay=20ms' },
      body: JSON.stringify({ model: 'gpt-4.1', stream: true, max_tokens: 300, messages: MESSAGES }),
    });
    await answer.body?.getReader().read();
    abort.abort();
    await until('it is settled', () => mesh.log().includes('"ending":"client_gone"'));
    await until('the provider noticed', () => theirCost() > 0n);
    const [budget] = (await mesh.spend()).budgets;
    expect(budget?.pending).toBe('0');
    expect(nano(budget?.posted ?? '0') >= theirCost()).toBe(true);
  });
});
