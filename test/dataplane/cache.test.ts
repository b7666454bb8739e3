/** Answers given again, and calls that become one, through a real Envoy. */
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { startTestMesh } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';

const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {value: ${KEY}}}, retries: {attempts: 0}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: anthropic}
spec: {type: Anthropic, baseUrl: "${url}", auth: {apiKey: {value: sk-ant-0123456789abcdef0123}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: ["*"]
  rules:
  - {name: kept, match: {models: [gpt-4.1, text-embedding-3-small]}, backends: [{provider: relay}], cache: {ttl: 10m}}
  - {name: translated, match: {models: [claude-sonnet-4.5]}, backends: [{provider: anthropic}], cache: {ttl: 10m}}
  - {name: shared, match: {models: [gpt-4.1-mini]}, backends: [{provider: relay}], cache: {}}
  - {name: always, match: {models: [gpt-4.1-nano]}, backends: [{provider: relay}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: life}
spec: {limit: {usd: "10"}, window: {lifetime: true}}
`;

let simulator: Simulator;
let mesh: TestMesh;
let served = 0;

interface Books {
  readonly models: Readonly<Record<string, { readonly requests: number }>>;
}

const calls = (): number => Object.values((simulator.books.toJSON() as Books).models).reduce((sum, { requests }) => sum + requests, 0);

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY, 'sk-ant-0123456789abcdef0123'] });
  mesh = await startTestMesh({ resources: resources(simulator.url), workloads: ['other'] });
});

afterAll(async () => {
  await mesh.stop();
  await simulator.close();
});

beforeEach(() => {
  served = calls();
});

const client = (baseURL = mesh.baseURL): OpenAI => new OpenAI({ baseURL, apiKey: 'any', maxRetries: 0 });
const ask = (model: string, content: string) => ({ model, max_tokens: 32, messages: [{ role: 'user' as const, content }] });

describe('an answer that was given before', () => {
  it.each(['gpt-4.1', 'claude-sonnet-4.5'])('is given again by %s: the same words, no call, no cost', async (model) => {
    const first = await client()
      .chat.completions.create(ask(model, `again ${model}`))
      .withResponse();
    const before = await mesh.spend();
    const second = await client()
      .chat.completions.create(ask(model, `again ${model}`))
      .withResponse();
    expect(second.data).toEqual(first.data);
    expect(first.response.headers.get('x-airmesh-cache')).toBeNull();
    expect(second.response.headers.get('x-airmesh-cache')).toBe('hit');
    expect(second.response.headers.get('x-airmesh-request-id')).not.toBe(first.response.headers.get('x-airmesh-request-id'));
    expect(calls() - served).toBe(1);
    expect(await mesh.spend()).toEqual(before);
  });

  it('is given again as a stream', async () => {
    const words = async (): Promise<string[]> => {
      const stream = await client().chat.completions.create({ ...ask('gpt-4.1', 'streamed'), stream: true });
      const parts: string[] = [];
      for await (const chunk of stream) parts.push(chunk.choices[0]?.delta.content ?? '');
      return parts;
    };
    expect(await words()).toEqual(await words());
    expect(calls() - served).toBe(1);
  });

  it('is not given to another workload, nor to another question, nor where no rule says so', async () => {
    await client().chat.completions.create(ask('gpt-4.1', 'mine'));
    await client(mesh.baseURLOf('other')).chat.completions.create(ask('gpt-4.1', 'mine'));
    await client().chat.completions.create({ ...ask('gpt-4.1', 'mine'), temperature: 0 });
    await client().chat.completions.create(ask('gpt-4.1-nano', 'mine'));
    await client().chat.completions.create(ask('gpt-4.1-nano', 'mine'));
    expect(calls() - served).toBe(5);
  });

  it('is none where it failed', async () => {
    const failing = client().chat.completions.create(ask('gpt-4.1', 'fails'), { headers: { 'x-simulate': 'status=500' } });
    await expect(failing).rejects.toMatchObject({ status: 500 });
    expect((await client().chat.completions.create(ask('gpt-4.1', 'fails'))).choices).toHaveLength(1);
  });

  it('is counted with what it saved, and its text is in no log', async () => {
    const secret = 'zebra-crossing-4711';
    await client().chat.completions.create(ask('gpt-4.1', secret));
    await client().chat.completions.create(ask('gpt-4.1', secret));
    const metrics = await (await fetch(`${mesh.admin}/metrics`)).text();
    expect(metrics).toMatch(/airmesh_reused_answers_total\{workload="default\/default",model="gpt-4.1",provider="default\/relay",how="kept"\} [1-9]/);
    expect(metrics).toMatch(/airmesh_saved_usd_total\{[^}]*\} 0\.0[0-9]*[1-9]/);
    expect(mesh.log()).not.toContain(secret);
  });
});

describe('calls that ask the same at the same time', () => {
  const together = (count: number, headers: Record<string, string>): Promise<PromiseSettledResult<OpenAI.ChatCompletion>[]> =>
    Promise.allSettled(Array.from({ length: count }, () => client().chat.completions.create(ask('gpt-4.1-mini', 'together'), { headers })));

  it('become one, and each gets its answer; a later one is made anew', async () => {
    // All are there long before it is answered.
    const answers = await together(20, { 'x-simulate': 'delay=4000ms' });
    const ids = new Set(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.id : 'failed')));
    expect([...ids]).toHaveLength(1);
    expect(ids.has('failed')).toBe(false);
    expect(calls() - served).toBe(1);
    await client().chat.completions.create(ask('gpt-4.1-mini', 'together'));
    expect(calls() - served).toBe(2);
  });

  it('whose one has failed are each made', async () => {
    const answers = await together(5, { 'x-simulate': 'status=503,delay=100ms' });
    expect(answers.map((answer) => (answer.status === 'rejected' ? (answer.reason as { status: number }).status : 200))).toEqual([503, 503, 503, 503, 503]);
  });
});
