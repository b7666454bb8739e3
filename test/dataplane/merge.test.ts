/** Small calls for embeddings that become one, through real Envoys: the official SDK, a provider that keeps books, and ours. */
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/core/units/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { vectorOf } from '../../src/shell/simulator/vector.ts';
import type { SpendReport } from '../../src/shell/spending/index.ts';
import { startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const GOOGLE_KEY = 'AIzaSyPlanted0123456789abcdefABCDEFGHIJ';
const AZURE_KEY = 'planted0123456789abcdef0123456789ab';
const SMALL = 'text-embedding-3-small';
const GEMINI = 'gemini-embedding-001';
const LARGE = 'text-embedding-3-large';

const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec:
  type: OpenAICompatible
  baseUrl: "${url}/v1"
  auth: {apiKey: {value: ${KEY}}}
  retries: {attempts: 0}
  outlierDetection: {consecutive5xx: 1000}
  models:
  - {name: ${SMALL}, price: {inputPerMillion: "0.02", outputPerMillion: "0"}}
  # It takes less than is said here, so that a call can spoil others.
  - {name: ${LARGE}, contextWindow: 100000, price: {inputPerMillion: "0.13", outputPerMillion: "0"}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: google}
spec:
  type: Gemini
  baseUrl: "${url}"
  auth: {apiKey: {value: ${GOOGLE_KEY}}}
  models: [{name: ${GEMINI}, price: {inputPerMillion: "0.15", outputPerMillion: "0"}}]
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: azure}
spec:
  type: AzureOpenAI
  baseUrl: "${url}"
  apiVersion: "2024-10-21"
  auth: {apiKey: {value: ${AZURE_KEY}}}
  models: [{name: house-embedder, providerModel: ${SMALL}, price: {inputPerMillion: "0.02", outputPerMillion: "0"}}]
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: ["*"]
  rules:
  - {name: slow, match: {models: [${LARGE}]}, backends: [{provider: relay}], mergeEmbeddings: {maxDelay: 1s}, failover: {consecutiveFailures: 1000}}
  - {name: google, match: {models: [${GEMINI}]}, backends: [{provider: google}], mergeEmbeddings: {}}
  - {name: azure, match: {models: [house-embedder]}, backends: [{provider: azure}], mergeEmbeddings: {}}
  - {name: quick, backends: [{provider: relay}], mergeEmbeddings: {}, cache: {ttl: 10m}, failover: {consecutiveFailures: 1000}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: dollars}
spec: {limit: {usd: "100"}, window: {lifetime: true}}
---
# Answers to whom this counts come by another of Envoy's modes.
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: cut}
spec: {selector: {workloads: [other]}, limit: {usd: "100"}, window: {lifetime: true}, mode: Bounded, nearLimit: CutStream}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: requests}
spec: {limit: {requests: 1000000}, window: {lifetime: true}}
`;

interface Books {
  readonly costNanoUsd: string;
  readonly models: Readonly<Record<string, { readonly requests: number; readonly input: number }>>;
  readonly attempts: readonly { readonly status: number; readonly input: number }[];
}

describe.each(['1.36.4', '1.40.0'])('small calls for embeddings through Envoy %s', (envoyVersion) => {
  let simulator: Simulator;
  let mesh: TestMesh;
  let before: SpendReport;

  beforeAll(async () => {
    simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY, GOOGLE_KEY, AZURE_KEY] });
    mesh = await startTestMesh({ resources: resources(simulator.url), envoyVersion, workloads: ['other'] });
  });

  afterAll(async () => {
    await mesh.stop();
    await simulator.close();
  });

  beforeEach(async () => {
    await until('nothing is held', async () => (await pending()) === 0);
    simulator.books.reset();
    before = await mesh.spend();
  });

  const client = (maxRetries = 0, baseURL = mesh.baseURL): OpenAI => new OpenAI({ baseURL, apiKey: 'any', maxRetries });
  const books = (): Books => simulator.books.toJSON() as Books;
  const pending = async (): Promise<number> => Number((await mesh.spend()).budgets.find(({ budget }) => budget === 'default/requests')?.pending ?? 0);
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${mesh.admin}/metrics`)).text();
    return [...text.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'gm'))].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const spent = async (): Promise<{ readonly nanoUsd: bigint; readonly tokens: number; readonly requests: number }> => {
    const { totals } = await mesh.spend();
    return {
      nanoUsd: usdToNano(totals.costUsd) - usdToNano(before.totals.costUsd),
      tokens: totals.totalTokens - before.totals.totalTokens,
      requests: totals.requests - before.totals.requests,
    };
  };
  /** What the provider says of a text by itself. */
  const direct = async (input: string | string[] | number[], more: object = {}): Promise<number[][]> => {
    const own = new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey: KEY, maxRetries: 0 });
    return (await own.embeddings.create({ model: SMALL, input, ...more })).data.map(({ embedding }) => embedding);
  };

  /** Asks in a window of its own: nothing else is like these calls, and none of them is late for the others. */
  const together = async (
    user: string,
    headers: Record<string, string>,
    api: OpenAI,
  ): Promise<(input: string, signal?: AbortSignal) => Promise<OpenAI.CreateEmbeddingResponse>> => {
    await api.embeddings.create({ model: LARGE, input: 'opener', user });
    return async (input, signal) => api.embeddings.create({ model: LARGE, input, user }, { headers, ...(signal === undefined ? {} : { signal }) });
  };

  it('become few, 200 at a time: to each its own vector, and both books agree to the nano-dollar', async () => {
    const texts = Array.from({ length: 200 }, (_, index) => `Text ${index} of ${envoyVersion}: ${'word '.repeat(index % 13)}`);
    const api = client();
    const answers = await Promise.all(texts.map((input) => api.embeddings.create({ model: SMALL, input, dimensions: 64 })));
    const billed = books();
    const paid = await spent();
    expect(billed.models[SMALL]?.requests).toBeLessThan(60);
    expect(paid).toEqual({ nanoUsd: BigInt(billed.costNanoUsd), tokens: billed.models[SMALL]?.input, requests: 200 });
    expect(answers.reduce((sum, { usage }) => sum + usage.total_tokens, 0)).toBe(paid.tokens);
    for (const [index, { data }] of answers.entries()) {
      expect(data.map((one) => one.index)).toEqual([0]);
      expect([data[0]?.embedding]).toEqual(await direct(texts[index] ?? '', { dimensions: 64 }));
    }
    expect(await metric('airmesh_merged_calls_total')).toBeGreaterThan(100);
  });

  it('of several texts, of token ids, of other dimensions and encodings, and of other workloads, do not get mixed up', async () => {
    const asks = Array.from({ length: 60 }, (_, index) => {
      const input = [`one ${index}`, [`two ${index}`, 'same'], [index + 1, 7, 9]][index % 3] as string | string[] | number[];
      const more = { dimensions: 8 + (index % 2), encoding_format: index % 5 === 0 ? ('float' as const) : ('base64' as const) };
      return { input, more, baseURL: index % 4 === 0 ? mesh.baseURLOf('other') : mesh.baseURL };
    });
    const answers = await Promise.all(asks.map(({ input, more, baseURL }) => client(0, baseURL).embeddings.create({ model: SMALL, input, ...more })));
    const billed = books();
    const paid = await spent();
    expect(paid).toEqual({ nanoUsd: BigInt(billed.costNanoUsd), tokens: billed.models[SMALL]?.input, requests: 60 });
    for (const [index, { data }] of answers.entries()) {
      const { input = '', more = { encoding_format: 'float' } } = asks[index] ?? {};
      const vectors = data.map(({ embedding }) =>
        typeof embedding === 'string' ? [...new Float32Array(new Uint8Array(Buffer.from(embedding, 'base64')).buffer)] : embedding,
      );
      const plain = (values: number[][]): number[][] => values.map((vector) => vector.map((value) => Math.fround(value)));
      expect(plain(vectors)).toEqual(plain(await direct(input, { ...more, encoding_format: 'float' })));
    }
  });

  it.each([
    [GEMINI, GEMINI],
    ['house-embedder', SMALL],
  ])('become few at other providers, whoever asks: %s', async (model, served) => {
    const texts = Array.from({ length: 30 }, (_, index) => `${model} ${index} ${'word '.repeat(index % 5)}`);
    const google = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: mesh.baseURL.replace(/\/v1$/, '') } });
    const config = { outputDimensionality: 16 };
    const [ours, theirs] = await Promise.all([
      Promise.all(texts.map(async (input) => (await client().embeddings.create({ model, input, dimensions: 16 })).data.map(({ embedding }) => embedding))),
      Promise.all(
        texts.map(async (contents) => (await google.models.embedContent({ model, contents, config })).embeddings?.map(({ values = [] }) => values) ?? []),
      ),
    ]);
    const billed = books();
    const paid = await spent();
    expect(billed.models[served]?.requests).toBeLessThan(50);
    expect(paid).toEqual({ nanoUsd: BigInt(billed.costNanoUsd), tokens: billed.models[served]?.input, requests: 60 });
    const plain = (all: readonly number[][][]): number[][][] => all.map((vectors) => vectors.map((vector) => vector.map((value) => Math.fround(value))));
    const expected = texts.map((text) => [[...vectorOf(text, 16)]]);
    expect([plain(ours), plain(theirs)]).toEqual([expected, expected]);
  });

  it('that were answered before are answered again, before anything is merged', async () => {
    const texts = ['kept 1', 'kept 2', 'kept 3'];
    const api = client();
    const ask = (): Promise<number[][]> =>
      Promise.all(texts.map(async (input) => (await api.embeddings.create({ model: SMALL, input })).data[0]?.embedding ?? []));
    const first = await ask();
    const { requests } = await spent();
    expect([await ask(), await spent(), requests]).toEqual([first, await spent(), 3]);
    expect(books().models[SMALL]?.requests).toBeLessThanOrEqual(3);
  });

  it('of which the provider refuses one are each served all the same, but for that one', async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `good ${index}`);
    const unmerged = await metric('airmesh_unmerged_calls_total');
    const ask = await together('one is bad', {}, client(2));
    const answers = await Promise.allSettled([...texts.slice(0, 10), 'bad '.repeat(9_000), ...texts.slice(10)].map((input) => ask(input)));
    const failed = answers.flatMap((answer, index) => (answer.status === 'rejected' ? [[index, (answer.reason as { status: number }).status]] : []));
    expect(failed).toEqual([[10, 400]]);
    const billed = books();
    // All together, and the bad one by itself.
    expect(billed.attempts.filter(({ status }) => status === 400)).toHaveLength(2);
    expect(billed.models[LARGE]?.requests).toBe(21);
    expect(await spent()).toMatchObject({ nanoUsd: BigInt(billed.costNanoUsd), tokens: billed.models[LARGE]?.input });
    expect(await metric('airmesh_unmerged_calls_total')).toBe(unmerged + 20);
    expect(mesh.log()).not.toContain('bad bad');
  });

  it.each([
    ['status=429,retry-after=1', 429],
    ['status=500', 500],
    ['reset=before', 503],
  ])('fail together (%s) as each would by itself', async (fault, status) => {
    // Of a reset the older Envoy tells the processor nothing, as if the caller had left: the others are asked for by themselves.
    const tries = envoyVersion === '1.36.4' && fault === 'reset=before' ? 2 : 0;
    const ask = await together(fault, { 'x-simulate': fault }, client());
    const failures = await Promise.all(
      ['x', 'y', 'z'].map((input) =>
        ask(input).then(
          () => undefined,
          (reason: unknown) => reason,
        ),
      ),
    );
    for (const failure of failures) expect(failure).toMatchObject({ status });
    expect(books().attempts).toHaveLength(2 + tries);
    const paid = await spent();
    expect(paid.requests).toBe(4 + tries);
    expect(paid.nanoUsd >= BigInt(books().costNanoUsd)).toBe(true);
  });

  it('whose first hangs up are asked for again by themselves, and what was tried is paid for', async () => {
    const ask = await together('one leaves', { 'x-simulate': 'delay=1s' }, client());
    const leaving = new AbortController();
    const sent = await metric('airmesh_merged_requests_total');
    const leader = ask('leader', leaving.signal).then(
      () => 'answered',
      () => 'gone',
    );
    await until('the leader is held', async () => (await pending()) === 1);
    const others = ['b', 'c'].map((input) => ask(input));
    await until('they have become one', async () => (await metric('airmesh_merged_requests_total')) === sent + 1);
    leaving.abort();
    const answers = await Promise.all(others);
    expect([await leader, ...answers.map(({ data }) => data.length)]).toEqual(['gone', 1, 1]);
    await until('the provider has ended all', () => books().attempts.length === 4);
    const paid = await spent();
    expect(paid.requests).toBe(6);
    expect(paid.nanoUsd >= BigInt(books().costNanoUsd)).toBe(true);
    expect((await mesh.spend()).totals.estimatedRequests - before.totals.estimatedRequests).toBe(3);
  });
});
