/** The official OpenAI SDK, unchanged, through a real Envoy: the oldest that is supported and the newest. */
import OpenAI, { APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const PROVIDER_KEY = 'hs_planted0123456789abcdefABCDEF_planted';
const PROMPT = 'a planted prompt about pangolins';

const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {env: RELAY_KEY}}, retries: {attempts: 0}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: [default]
  rules:
  - {name: chat, match: {models: [gpt-4.1, gpt-4, text-embedding-3-small, omni-moderation-latest]}, backends: [{provider: relay}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: support}
spec:
  workloads: [support]
  rules:
  - {match: {models: [deepseek-v3.2]}, backends: [{provider: relay}], limits: {requestsPerMinute: 3}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: daily}
spec: {limit: {usd: "25"}, window: {calendar: Day}, per: [Workload]}
`;

describe.each(['1.40.0', '1.36.4'])('the official SDK through Envoy %s', (envoyVersion) => {
  let simulator: Simulator;
  let mesh: TestMesh;
  let client: OpenAI;

  beforeAll(async () => {
    simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [PROVIDER_KEY] });
    mesh = await startTestMesh({ resources: resources(simulator.url), envoyVersion, workloads: ['support'], environment: { RELAY_KEY: ` ${PROVIDER_KEY}\n` } });
    client = new OpenAI({ apiKey: 'any word', baseURL: mesh.baseURL, maxRetries: 0 });
  });

  afterAll(async () => {
    await mesh?.stop();
    await simulator?.close();
  });

  it('answers a chat completion, by an alias and with the key put in', async () => {
    const { data, response } = await client.chat.completions.create({ model: 'GPT-4', messages: [{ role: 'user', content: PROMPT }] }).withResponse();
    expect(data.model).toBe('gpt-4.1');
    expect(data.choices[0]?.message.content).toBeTruthy();
    expect(response.headers.get('x-airmesh-model')).toBe('gpt-4.1');
    expect(response.headers.get('x-airmesh-provider')).toBe('default/relay');
    expect(response.headers.get('x-airmesh-request-id')).toMatch(/^air_/);
  });

  it('streams, and hides the usage chunk that the caller did not ask for', async () => {
    const stream = await client.chat.completions.create({ model: 'gpt-4.1', stream: true, messages: [{ role: 'user', content: PROMPT }] });
    let text = '';
    for await (const chunk of stream) {
      expect(chunk.choices).toHaveLength(1);
      expect(chunk.usage ?? null).toBeNull();
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text.length).toBeGreaterThan(20);
  });

  it('leaves the usage chunk where the caller asked for it', async () => {
    const stream = await client.chat.completions.create({
      model: 'gpt-4.1',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: PROMPT }],
    });
    const usages = [];
    for await (const chunk of stream) if (chunk.usage != null) usages.push(chunk.usage);
    expect(usages).toHaveLength(1);
  });

  it('passes tools, structured output, embeddings, completions, responses and moderations', async () => {
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }];
    const called = await client.chat.completions.create({ model: 'gpt-4.1', tools, tool_choice: 'required', messages: [{ role: 'user', content: PROMPT }] });
    expect(called.choices[0]?.message.tool_calls).toHaveLength(1);
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } } };
    const formed = await client.chat.completions.create({
      model: 'gpt-4.1',
      messages: [{ role: 'user', content: PROMPT }],
      response_format: { type: 'json_schema', json_schema: { name: 'ok', schema } },
    });
    expect(JSON.parse(formed.choices[0]?.message.content ?? '')).toEqual({ ok: true });
    const embedded = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['one', 'two'] });
    expect(embedded.data).toHaveLength(2);
    const responded = await client.responses.create({ model: 'gpt-4.1', input: PROMPT });
    expect(responded.output_text.length).toBeGreaterThan(10);
    expect((responded as { store?: boolean }).store).toBe(false);
    const moderated = await client.moderations.create({ model: 'omni-moderation-latest', input: PROMPT });
    expect(moderated.results).toHaveLength(1);
  });

  it('lists the models that this workload may call', async () => {
    const support = new OpenAI({ apiKey: 'x', baseURL: mesh.baseURLOf('support'), maxRetries: 0 });
    const listed = await support.models.list();
    expect(listed.data.map(({ id }) => id)).toEqual(['deepseek-v3.2']);
  });

  it.each<[string, (api: OpenAI, support: OpenAI) => Promise<unknown>, number, string]>([
    ['an unknown model', (api) => api.chat.completions.create({ model: 'gpt-99', messages: [{ role: 'user', content: 'x' }] }), 404, 'model_not_found'],
    [
      'a model of others',
      (_api, support) => support.chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'x' }] }),
      403,
      'model_not_allowed',
    ],
    [
      'a negative cap',
      (api) => api.chat.completions.create({ model: 'gpt-4.1', max_tokens: -1, messages: [{ role: 'user', content: 'x' }] }),
      400,
      'invalid_value',
    ],
    ['files', (api) => api.files.list(), 403, 'stateful_endpoint_refused'],
    ['an unknown path', (api) => api.post('/nowhere', { body: {} }), 404, 'endpoint_not_supported'],
    ['a stored response', (api) => api.responses.create({ model: 'gpt-4.1', input: 'x', store: true }), 400, 'unsupported_state'],
  ])('refuses %s in the shape that the SDK expects', async (_name, call, status, code) => {
    const support = new OpenAI({ apiKey: 'x', baseURL: mesh.baseURLOf('support'), maxRetries: 0 });
    const error = await call(client, support).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status, code });
  });

  it('limits requests a minute, and says when to come back', async () => {
    const support = new OpenAI({ apiKey: 'x', baseURL: mesh.baseURLOf('support'), maxRetries: 0 });
    const ask = (): Promise<unknown> => support.chat.completions.create({ model: 'deepseek', messages: [{ role: 'user', content: 'x' }] });
    await Promise.all([ask(), ask(), ask()]);
    const error = await ask().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect(Number((error as APIError).headers?.get('retry-after'))).toBeGreaterThan(0);
  });

  it('keeps the same books as the provider, to the token and the nano-dollar', async () => {
    const body = simulator.books.toJSON() as { models: Record<string, { input: number; output: number; costNanoUsd: string }> };
    await until('all calls settled', async () => {
      const { budgets } = await mesh.spend();
      return budgets.every(({ pending }) => pending === '0');
    });
    const { byModel } = await mesh.spend();
    const ours = byModel.find(({ name }) => name === 'gpt-4.1');
    const theirs = body.models['gpt-4.1'];
    expect(ours?.inputTokens).toBe(theirs?.input);
    expect(ours?.outputTokens).toBe(theirs?.output);
    expect(BigInt(Math.round(Number(ours?.costUsd) * 1e9))).toBe(BigInt(theirs?.costNanoUsd ?? -1));
    expect(ours?.estimatedRequests).toBe(0);
  });

  it('shows neither the key nor a prompt anywhere', async () => {
    const [metrics, ready, spend, config] = await Promise.all(
      ['/metrics', '/readyz', '/spend', '/config'].map(async (path) => (await fetch(mesh.admin + path)).text()),
    );
    const files = await readAll(mesh.stateDir);
    for (const [place, text] of Object.entries({ log: mesh.log(), metrics, ready, spend, config, files })) {
      expect(text, place).not.toContain(PROVIDER_KEY);
      expect(text, place).not.toContain('pangolins');
    }
    expect(mesh.log()).toContain('call.settled');
    expect(files).toContain('default/relay');
  });
});

async function readAll(folder: string): Promise<string> {
  const { readdir, readFile } = await import('node:fs/promises');
  const { join } = await import('node:path');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')));
  return texts.join('\n');
}
