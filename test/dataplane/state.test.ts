/** What providers keep for one key, through a real Envoy and by the official SDKs: each workload has its own and hears of nobody else's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { generateText, isStepCount, jsonSchema, tool } from 'ai';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/core/units/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { KeptThings } from '../../src/shell/simulator/state/index.ts';
import type { SpendReport } from '../../src/shell/spending/index.ts';
import { startAirmesh } from '../support/airmesh-process.ts';
import { freePorts, startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'sk-proj-0123456789abcdefABCDEF0123456789';
const CLAUDE_KEY = 'sk-ant-api03-0123456789abcdefABCDEF0123456789';

const GOOGLE_KEY = 'AIzaSy0123456789abcdefABCDEF0123456789a';

const resources = (first: string, second: string, claude: string, google: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: openai}
spec: {type: OpenAI, baseUrl: "${first}/v1", auth: {apiKey: {env: KEY}}, retries: {attempts: 0}, models: [{name: gpt-4.1}, {name: gpt-5, price: {inputPerMillion: 2, outputPerMillion: 12}}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: other}
spec: {type: OpenAI, baseUrl: "${second}/v1", auth: {apiKey: {env: KEY}}, retries: {attempts: 0}, models: [{name: gpt-4.1-mini}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${second}/v1", auth: {apiKey: {env: KEY}}, retries: {attempts: 0}, models: [{name: deepseek-v3.2}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: anthropic}
spec: {type: Anthropic, baseUrl: "${claude}", auth: {apiKey: {env: CLAUDE_KEY}}, retries: {attempts: 0}, models: [{name: claude-sonnet-4.5}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: gemini}
spec: {type: Gemini, baseUrl: "${google}", auth: {apiKey: {env: GOOGLE_KEY}}, retries: {attempts: 0}, models: [{name: gemini-2.5-flash}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: [alpha, beta, gamma, delta]
  rules:
  - {name: gemini, match: {models: [gemini-2.5-flash]}, backends: [{provider: gemini}]}
  - {name: chat, match: {models: [gpt-4.1, gpt-5]}, backends: [{provider: openai}]}
  - {name: mini, match: {models: [gpt-4.1-mini]}, backends: [{provider: other}]}
  - {name: relay, match: {models: [deepseek-v3.2]}, backends: [{provider: relay}]}
  - {name: claude, match: {models: [claude-sonnet-4.5]}, backends: [{provider: anthropic}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: life}
spec: {selector: {workloads: [alpha, beta]}, limit: {usd: "25"}, window: {lifetime: true}, per: [Workload]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: bounded}
spec: {selector: {workloads: [gamma, delta]}, mode: Bounded, limit: {usd: "25"}, window: {lifetime: true}, per: [Workload]}
`;

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 100, output_tokens: 20, service_tier: 'batch' },
};

const GENERATED = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 'STOP', index: 0 }],
  modelVersion: 'gemini-2.5-flash-001',
  usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 20, totalTokenCount: 120 },
};

/** A provider that keeps things, and answers every call alike. */
async function startKeeper(answer: object): Promise<{ readonly server: Server; readonly url: string }> {
  const things = new KeptThings({ batchMs: 300, serve: async () => ({ status: 200, body: answer }) });
  const server = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, typeof value === 'string' ? value : value?.[0]]));
      const kept = await things.handle({ method: request.method ?? '', path: request.url ?? '', headers, body: Buffer.concat(parts) });
      const { status, contentType, body } = kept ?? { status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(answer)) };
      response.writeHead(status, { 'content-type': contentType });
      response.end(body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` };
}

const line = (id: string, fields: object = {}): string =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'gpt-4', messages: [{ role: 'user', content: `what is ${id}?` }], ...fields },
  });

const failure = (promise: Promise<unknown>): Promise<{ readonly status?: number; readonly code?: string | null; readonly message: string }> =>
  promise.then(
    () => ({ message: 'no error' }),
    (error: { status?: number; code?: string; message: string }) => error,
  );

let simulator: Simulator;
let second: Simulator;
let claude: Awaited<ReturnType<typeof startKeeper>>;
let google: Awaited<ReturnType<typeof startKeeper>>;
let mesh: TestMesh;
let alpha: OpenAI;
let beta: OpenAI;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  second = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  claude = await startKeeper(MESSAGE);
  google = await startKeeper(GENERATED);
  mesh = await startTestMesh({
    resources: resources(simulator.url, second.url, claude.url, google.url),
    workloads: ['alpha', 'beta', 'gamma', 'delta'],
    environment: { KEY, CLAUDE_KEY, GOOGLE_KEY },
  });
  alpha = new OpenAI({ apiKey: 'alpha', baseURL: mesh.baseURLOf('alpha'), maxRetries: 0 });
  beta = new OpenAI({ apiKey: 'beta', baseURL: mesh.baseURLOf('beta'), maxRetries: 0 });
});

afterAll(async () => {
  await mesh?.stop();
  await simulator?.close();
  await second?.close();
  claude?.server.close();
  google?.server.close();
});

/** Nano-dollars of a workload's budget. */
async function amount(workload: string, which: 'posted' | 'pending'): Promise<bigint> {
  const budget = (await mesh.spend()).budgets.find(({ subject }) => subject === workload);
  return usdToNano(budget?.[which] ?? '0');
}
const posted = (workload: string): Promise<bigint> => amount(workload, 'posted');
const pending = (workload: string): Promise<bigint> => amount(workload, 'pending');

describe('stored responses', () => {
  it('go on, for whoever has them', async () => {
    const first = await alpha.responses.create({ model: 'gpt-4.1', input: 'my name is Ada', max_output_tokens: 50 });
    const next = await alpha.responses.create({ model: 'gpt-4.1', input: 'what is my name?', previous_response_id: first.id, max_output_tokens: 50 });
    expect(next.usage?.input_tokens).toBeGreaterThan(first.usage?.total_tokens ?? Infinity);
    expect((await alpha.responses.retrieve(first.id)).id).toBe(first.id);
    expect((await alpha.responses.inputItems.list(first.id)).data).toHaveLength(1);

    const unknown = await failure(beta.responses.retrieve('resp_00000000'));
    for (const call of [
      () => beta.responses.retrieve(first.id),
      () => beta.responses.delete(first.id),
      () => beta.responses.cancel(first.id),
      () => beta.responses.inputItems.list(first.id),
      () => beta.responses.create({ model: 'gpt-4.1', input: 'x', previous_response_id: first.id, max_output_tokens: 50 }),
    ]) {
      const refused = await failure(call());
      expect(refused).toMatchObject({ status: 404, code: 'object_not_found' });
      expect(refused.message).toBe(unknown.message.replace('resp_00000000', first.id));
    }

    await alpha.responses.delete(first.id);
    expect(await failure(alpha.responses.retrieve(first.id))).toMatchObject({ status: 404, code: 'object_not_found' });
  });

  it('go on by the ids of their items, as Vercel’s AI SDK does with them', async () => {
    const vercel = createOpenAI({ apiKey: 'any word', baseURL: mesh.baseURLOf('alpha') });
    const tools = {
      look: tool({
        inputSchema: jsonSchema<{ city: string }>({
          type: 'object',
          properties: { city: { type: 'string' } },
          required: ['city'],
          additionalProperties: false,
        }),
        execute: () => 'snow',
      }),
    };
    for (const model of ['gpt-4.1', 'gpt-5']) {
      const { text, steps } = await generateText({
        model: vercel.responses(model),
        prompt: 'Use your tool for Oslo.',
        tools,
        maxOutputTokens: 500,
        maxRetries: 0,
        stopWhen: isStepCount(3),
      });
      expect(steps).toHaveLength(2);
      expect(text.length).toBeGreaterThan(20);
    }
    const stored = await alpha.responses.create({ model: 'gpt-4.1', input: 'say something', max_output_tokens: 50 });
    const item = stored.output[0]?.id ?? '';
    const goOn = (client: OpenAI): Promise<unknown> =>
      client.responses.create({
        model: 'gpt-4.1',
        input: [
          { type: 'item_reference', id: item },
          { role: 'user', content: 'go on' },
        ],
        max_output_tokens: 50,
      });
    await goOn(alpha);
    expect(await failure(goOn(beta))).toMatchObject({
      status: 404,
      code: 'object_not_found',
      message: expect.stringContaining(`Item with id '${item}' not found.`) as unknown,
    });
  });

  it('come as a stream too', async () => {
    let id = '';
    const stream = await alpha.responses.create({ model: 'gpt-4.1', input: 'stream this', stream: true, max_output_tokens: 50 });
    for await (const event of stream) if (event.type === 'response.completed') id = event.response.id;
    expect((await alpha.responses.retrieve(id)).id).toBe(id);
    expect(await failure(beta.responses.retrieve(id))).toMatchObject({ status: 404 });
  });

  it('are not kept where the caller says so, and belong to one provider', async () => {
    const unkept = await alpha.responses.create({ model: 'gpt-4.1', input: 'forget this', store: false, max_output_tokens: 50 });
    expect(await failure(alpha.responses.retrieve(unkept.id))).toMatchObject({ status: 404 });
    const kept = await alpha.responses.create({ model: 'gpt-4.1', input: 'keep this', max_output_tokens: 50 });
    expect(await failure(alpha.responses.create({ model: 'gpt-4.1-mini', input: 'x', previous_response_id: kept.id }))).toMatchObject({
      status: 400,
      code: 'unsupported_state',
    });
    expect(await failure(alpha.responses.create({ model: 'claude-sonnet-4.5', input: 'x', previous_response_id: kept.id }))).toMatchObject({
      status: 400,
      code: 'unsupported_state',
    });
    expect(await failure(alpha.responses.create({ model: 'deepseek-v3.2', input: 'x', store: true }))).toMatchObject({
      status: 400,
      code: 'unsupported_state',
    });
    const relayed = await alpha.responses.create({ model: 'deepseek-v3.2', input: 'x', max_output_tokens: 50 });
    expect(relayed).toMatchObject({ store: false });
  });
});

describe('files', () => {
  it('are their owner’s', async () => {
    const mine = await alpha.files.create({ file: await toFile(Buffer.from('secret of alpha'), 'a.txt'), purpose: 'user_data' });
    const theirs = await beta.files.create({ file: await toFile(Buffer.from('secret of beta'), 'b.txt'), purpose: 'user_data' });
    expect(await (await alpha.files.content(mine.id)).text()).toBe('secret of alpha');
    expect((await alpha.files.list()).data.map(({ id }) => id)).toContain(mine.id);
    const listed = (await alpha.files.list({ limit: 1 })) as unknown as { data: { id: string }[]; last_id: string };
    expect(JSON.stringify(listed)).not.toContain(theirs.id);
    expect(listed.data).toHaveLength(1);
    for (const call of [() => alpha.files.retrieve(theirs.id), () => alpha.files.content(theirs.id), () => alpha.files.delete(theirs.id)]) {
      expect(await failure(call())).toMatchObject({ status: 404, code: 'object_not_found' });
    }
    const image = (id: string): Promise<unknown> =>
      alpha.responses.create({
        model: 'gpt-4.1',
        input: [{ role: 'user', content: [{ type: 'input_image', file_id: id, detail: 'auto' }] }],
        max_output_tokens: 50,
      });
    expect(await failure(image(theirs.id))).toMatchObject({ status: 404, code: 'object_not_found' });
    expect(await failure(image(mine.id))).toEqual({ message: 'no error' });
    expect((await alpha.files.delete(mine.id)).deleted).toBe(true);
    expect(await failure(alpha.files.retrieve(mine.id))).toMatchObject({ status: 404 });
    expect((await beta.files.retrieve(theirs.id)).id).toBe(theirs.id);
  });
});

describe('batches', () => {
  const upload = async (client: OpenAI, lines: readonly string[]): Promise<OpenAI.FileObject> =>
    client.files.create({ file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl'), purpose: 'batch' });

  it('are held at their worst, and settled from their result although nobody comes for it', async () => {
    const before = await posted('default/beta');
    const file = await upload(beta, [line('a', { max_tokens: 500 }), line('b', { max_tokens: 500 })]);
    const batch = await beta.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    const held = await pending('default/beta');
    // Two answers of 500 tokens at half of 8 dollars a million, and the input.
    expect(held).toBeGreaterThan(2n * 500n * 4_000n);
    expect(held).toBeLessThan(2n * 1_000n * 4_000n);
    await until('the batch is settled', async () => (await pending('default/beta')) === 0n && (await posted('default/beta')) > before);
    const cost = (await posted('default/beta')) - before;
    const done = await beta.batches.retrieve(batch.id);
    const results = (await (await beta.files.content(done.output_file_id ?? '')).text())
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { response: { body: { model: string; usage: { prompt_tokens: number; completion_tokens: number } } } });
    const { input, output } = results.reduce(
      (sum, { response: { body } }) => ({ input: sum.input + body.usage.prompt_tokens, output: sum.output + body.usage.completion_tokens }),
      { input: 0, output: 0 },
    );
    expect(results.map(({ response }) => response.body.model)).toEqual(['gpt-4.1', 'gpt-4.1']);
    expect(cost).toBe(BigInt(input) * 1_000n + BigInt(output) * 4_000n);
  });

  it('are their owner’s, with their files', async () => {
    const file = await upload(alpha, [line('a')]);
    const create = (client: OpenAI): Promise<OpenAI.Batch> =>
      client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    expect(await failure(create(beta))).toMatchObject({ status: 404, code: 'object_not_found' });
    const batch = await create(alpha);
    for (const call of [() => beta.batches.retrieve(batch.id), () => beta.batches.cancel(batch.id)])
      expect(await failure(call())).toMatchObject({ status: 404, code: 'object_not_found' });
    expect((await alpha.batches.list()).data.map(({ id }) => id)).toEqual([batch.id]);
    expect(JSON.stringify(await beta.batches.list())).not.toContain(batch.id);
    await until('it is done', async () => (await alpha.batches.retrieve(batch.id)).status === 'completed');
    const output = (await alpha.batches.retrieve(batch.id)).output_file_id ?? '';
    expect(await failure(beta.files.content(output))).toMatchObject({ status: 404 });
    expect(await (await alpha.files.content(output)).text()).toContain('"custom_id":"a"');
  });

  it('that are cancelled settle what was done', async () => {
    const file = await upload(alpha, [line('a')]);
    const batch = await alpha.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    expect((await alpha.batches.cancel(batch.id)).status).toBe('cancelling');
    await until('it is settled', async () => (await pending('default/alpha')) === 0n);
  });

  it('say which line is wrong', async () => {
    expect(await failure(upload(alpha, [line('a'), '{"custom_id"']))).toMatchObject({ status: 400, message: expect.stringContaining('line 2') });
    expect(await failure(upload(alpha, [line('a'), line('b', { model: 'gpt-99' })]))).toMatchObject({
      status: 400,
      message: expect.stringContaining('line 2'),
    });
    expect(await failure(upload(alpha, [line('a', { model: 'deepseek-v3.2' })]))).toMatchObject({
      status: 400,
      message: expect.stringContaining('not served by default/openai'),
    });
    expect(await failure(upload(alpha, [line('a', { stream: true })]))).toMatchObject({ status: 400, message: expect.stringContaining('stream') });
  });

  it('are refused where the budget cannot bear them', async () => {
    const file = await upload(
      alpha,
      Array.from({ length: 1000 }, (_, index) => line(String(index))),
    );
    expect(await failure(alpha.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' }))).toMatchObject({
      status: 429,
      code: 'budget_too_small_for_call',
    });
  });
});

describe('message batches', () => {
  it('are held, settled and kept apart', async () => {
    const root = (workload: string): string => mesh.baseURLOf(workload).replace(/\/v1$/, '');
    const [mine, theirs] = [
      new Anthropic({ apiKey: 'a', baseURL: root('alpha'), maxRetries: 0 }),
      new Anthropic({ apiKey: 'b', baseURL: root('beta'), maxRetries: 0 }),
    ];
    const before = await posted('default/beta');
    const params = { model: 'claude-sonnet-4.5', max_tokens: 100, messages: [{ role: 'user' as const, content: 'hi' }] };
    const batch = await theirs.messages.batches.create({
      requests: [
        { custom_id: 'a', params },
        { custom_id: 'b', params },
      ],
    });
    expect(await pending('default/beta')).toBeGreaterThan(2n * 100n * 7_500n);
    expect((await theirs.messages.batches.list()).data.map(({ id }) => id)).toEqual([batch.id]);
    expect((await mine.messages.batches.list()).data).toEqual([]);
    for (const call of [
      () => mine.messages.batches.retrieve(batch.id),
      () => mine.messages.batches.cancel(batch.id),
      () => mine.messages.batches.delete(batch.id),
    ])
      expect(await failure(call())).toMatchObject({ status: 404 });
    await until('it is settled', async () => (await pending('default/beta')) === 0n);
    expect((await posted('default/beta')) - before).toBe(2n * (100n * 1_500n + 20n * 7_500n));
    const results = [];
    for await (const result of await theirs.messages.batches.results(batch.id)) results.push(result.custom_id);
    expect(results).toEqual(['a', 'b']);
    await theirs.messages.batches.delete(batch.id);
    expect(await failure(theirs.messages.batches.retrieve(batch.id))).toMatchObject({ status: 404 });
    expect(await failure(theirs.messages.batches.create({ requests: [{ custom_id: 'a', params: { ...params, model: 'gpt-4.1' } }] }))).toMatchObject({
      status: 400,
      message: expect.stringContaining('requests[0]'),
    });
  });

  it('have files beside them', async () => {
    const root = (workload: string): string => mesh.baseURLOf(workload).replace(/\/v1$/, '');
    const [mine, theirs] = [
      new Anthropic({ apiKey: 'a', baseURL: root('alpha'), maxRetries: 0 }),
      new Anthropic({ apiKey: 'b', baseURL: root('beta'), maxRetries: 0 }),
    ];
    const file = await mine.beta.files.upload({ file: await toFile(Buffer.from('secret'), 'a.png', { type: 'image/png' }) });
    expect((await mine.beta.files.retrieveMetadata(file.id)).id).toBe(file.id);
    expect(await (await mine.beta.files.download(file.id)).text()).toBe('secret');
    for (const call of [() => theirs.beta.files.retrieveMetadata(file.id), () => theirs.beta.files.download(file.id), () => theirs.beta.files.delete(file.id)])
      expect(await failure(call())).toMatchObject({ status: 404 });
    expect((await theirs.beta.files.list()).data).toEqual([]);
    const look = (client: Anthropic): Promise<unknown> =>
      client.beta.messages.create({
        model: 'claude-sonnet-4.5',
        max_tokens: 50,
        messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: file.id } }] }],
      });
    expect(await failure(look(theirs))).toMatchObject({ status: 404 });
    expect(await failure(look(mine))).toEqual({ message: 'no error' });
  });
});

const gemini = (workload: string): GoogleGenAI => new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: mesh.baseURLOf(workload).replace(/\/v1$/, '') } });

describe('cached contents', () => {
  it('are billed as input, and used by their owner', async () => {
    const [mine, theirs] = [gemini('gamma'), gemini('delta')];
    const create = (client: GoogleGenAI): ReturnType<GoogleGenAI['caches']['create']> =>
      client.caches.create({ model: 'gemini-2.5-flash', config: { contents: 'a long story', ttl: '3600s' } });
    expect(await failure(create(gemini('alpha')))).toMatchObject({ status: 403, message: expect.stringContaining('cost_unbounded'.toUpperCase()) });
    const cached = await create(mine);
    const name = cached.name ?? '';
    expect(await posted('default/gamma')).toBe(4096n * 350n);
    const use = (client: GoogleGenAI): Promise<unknown> =>
      client.models.generateContent({ model: 'gemini-2.5-flash', contents: 'go on', config: { cachedContent: name } });
    expect(await failure(use(mine))).toEqual({ message: 'no error' });
    for (const call of [
      () => use(theirs),
      () => theirs.caches.get({ name }),
      () => theirs.caches.update({ name, config: { ttl: '60s' } }),
      () => theirs.caches.delete({ name }),
    ]) {
      expect(await failure(call())).toMatchObject({ status: 404, message: expect.stringContaining('Requested entity was not found.') });
    }
    expect((await theirs.caches.list()).page).toEqual([]);
    expect((await mine.caches.list()).page.map((each) => each.name)).toEqual([name]);
    expect((await mine.caches.update({ name, config: { ttl: '7200s' } })).name).toBe(name);
    await mine.caches.delete({ name });
    expect(await failure(mine.caches.get({ name }))).toMatchObject({ status: 404 });
  });
});

describe('batches of Gemini', () => {
  it('are held, settled and kept apart', async () => {
    const [mine, theirs] = [gemini('beta'), gemini('alpha')];
    const before = await posted('default/beta');
    const batch = await mine.batches.create({
      model: 'gemini-2.5-flash',
      src: [
        { contents: 'a', config: { maxOutputTokens: 100 } },
        { contents: 'b', config: { maxOutputTokens: 100 } },
      ],
    });
    const name = batch.name ?? '';
    expect(await pending('default/beta')).toBeGreaterThan(2n * 100n * 1_250n);
    for (const call of [() => theirs.batches.get({ name }), () => theirs.batches.cancel({ name }), () => theirs.batches.delete({ name })])
      expect(await failure(call())).toMatchObject({ status: 404 });
    expect((await theirs.batches.list()).page).toEqual([]);
    expect((await mine.batches.list()).page.map((each) => each.name)).toEqual([name]);
    await until('it is settled', async () => (await pending('default/beta')) === 0n);
    expect((await posted('default/beta')) - before).toBe(2n * (100n * 175n + 20n * 1_250n));
    expect((await mine.batches.get({ name })).state).toBe('JOB_STATE_SUCCEEDED');
    await mine.batches.delete({ name });
    expect(await failure(mine.batches.get({ name }))).toMatchObject({ status: 404 });
    expect(await failure(mine.batches.create({ model: 'gemini-2.5-flash', src: 'files/others' }))).toMatchObject({ status: 400 });
  });
});

describe('a process that is killed', () => {
  it('leaves an open batch and its owner to the next one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'airmesh-state-'));
    const [port = 0, admin = 0, other = 0] = await freePorts(3);
    writeFileSync(join(folder, 'resources.yaml'), resources(simulator.url, second.url, claude.url, google.url));
    const args = [
      'run',
      join(folder, 'resources.yaml'),
      '--listen',
      `127.0.0.1:${other}`,
      '--workload',
      `alpha=${port}`,
      '--admin',
      `127.0.0.1:${admin}`,
      '--state',
      join(folder, 'state'),
    ];
    const client = new OpenAI({ apiKey: 'a', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
    const budget = async (): Promise<{ readonly posted: string; readonly pending: string } | undefined> =>
      ((await (await fetch(`http://127.0.0.1:${admin}/spend`)).json()) as SpendReport).budgets.find(({ subject }) => subject === 'default/alpha');
    const first = await startAirmesh(args, { KEY, CLAUDE_KEY, GOOGLE_KEY });
    const file = await client.files.create({ file: await toFile(Buffer.from(line('a', { max_tokens: 500 })), 'in.jsonl'), purpose: 'batch' });
    const batch = await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    await first.kill();
    const next = await startAirmesh(args, { KEY, CLAUDE_KEY, GOOGLE_KEY });
    try {
      await until('the batch is settled', async () => (await budget())?.pending === '0');
      const done = await client.batches.retrieve(batch.id);
      const { response } = JSON.parse(await (await client.files.content(done.output_file_id ?? '')).text()) as {
        response: { body: { usage: { prompt_tokens: number; completion_tokens: number } } };
      };
      const { prompt_tokens: input, completion_tokens: output } = response.body.usage;
      expect(usdToNano((await budget())?.posted ?? '0')).toBe(BigInt(input) * 1_000n + BigInt(output) * 4_000n);
    } finally {
      await next.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
