/** A stream that is ended at its budget's limit where something else happens to it as well: failover, and a cache. Through a real Envoy. */
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const ANTHROPIC_KEY = 'sk-ant-0123456789abcdef0123';
/** In tokens, prompt included: far less than the whole answer. */
const [LIMIT, ANSWER] = [800, 3_000];

/** The budget counts calls with a header; all others are as long as they are. */
const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {value: ${KEY}}}, retries: {attempts: 0}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: anthropic}
spec: {type: Anthropic, baseUrl: "${url}", auth: {apiKey: {value: ${ANTHROPIC_KEY}}}, retries: {attempts: 0}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: ["*"]
  rules:
  - name: followed
    match: {models: [gpt-4.1]}
    failover: {consecutiveFailures: 1, ejectionTime: 1h}
    backends:
    - {provider: relay}
    - {provider: anthropic, model: claude-sonnet-4.5, priority: 1}
  - {name: kept, match: {models: [gpt-4.1-mini]}, backends: [{provider: relay}], cache: {ttl: 10m}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: tokens}
spec: {selector: {headers: [{name: x-budget, value: small}]}, limit: {tokens: ${LIMIT}}, window: {lifetime: true}, waitTimeout: 1s, mode: Bounded, nearLimit: CutStream}
`;

let simulator: Simulator;
let mesh: TestMesh;

afterEach(async () => {
  await mesh.stop();
  await simulator.close();
});

async function start(envoyVersion: string): Promise<void> {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY, ANTHROPIC_KEY] });
  mesh = await startTestMesh({ resources: resources(simulator.url), envoyVersion });
}

interface Attempt {
  readonly model: string;
  readonly output: number;
}

const attempts = (): readonly Attempt[] => (simulator.books.toJSON() as { attempts: readonly Attempt[] }).attempts;

interface Streamed {
  readonly provider: string | null;
  readonly cache: string | null;
  readonly reason: unknown;
  readonly text: string;
}

async function stream(model: string, simulate: string, budget = 'small'): Promise<Streamed> {
  const client = new OpenAI({ baseURL: mesh.baseURL, apiKey: 'unused', maxRetries: 0 });
  const { data, response } = await client.chat.completions
    .create(
      { model, stream: true, messages: [{ role: 'user', content: 'Tell me a long story.' }] },
      { headers: { 'x-simulate': simulate, 'x-budget': budget } },
    )
    .withResponse();
  let [text, reason]: [string, unknown] = ['', undefined];
  for await (const { choices } of data) {
    text += choices[0]?.delta.content ?? '';
    reason = choices[0]?.finish_reason ?? reason;
  }
  return { provider: response.headers.get('x-airmesh-provider'), cache: response.headers.get('x-airmesh-cache'), reason, text };
}

interface SettledEvent {
  readonly ending: string;
  readonly provider: string;
}

async function settled(count: number): Promise<SettledEvent> {
  const events = (): string[] =>
    mesh
      .log()
      .split('\n')
      .filter((line) => line.includes('"event":"call.settled"'));
  await until(`${count} are settled`, () => events().length === count);
  return JSON.parse(events().at(-1) ?? '{}') as SettledEvent;
}

const LONG = `tokens=${ANSWER}, chunk-delay=1ms`;

describe.each(['1.36.4', '1.40.0'])('a stream that is cut, with Envoy %s', (envoyVersion) => {
  it('after failover ends in its caller’s language, and is booked to the provider that stood in', async () => {
    await start(envoyVersion);
    await expect(stream('gpt-4.1', 'status=500')).rejects.toMatchObject({ status: 500 });
    await settled(1);
    const heard = await stream('gpt-4.1', LONG);
    expect(heard).toMatchObject({ provider: 'default/anthropic', reason: 'length' });
    expect(heard.text.length).toBeGreaterThan(100);
    expect(await settled(2)).toMatchObject({ ending: 'cut', provider: 'default/anthropic' });
    await until('the provider noticed', () => attempts().some(({ output }) => output > 0));
    const { model, output } = attempts().at(-1) ?? { model: '', output: 0 };
    expect(model).toContain('claude');
    // Its stream was aborted: it did not go on to generate an answer that nobody hears.
    expect(output).toBeLessThan(ANSWER * 0.7);
    const [budget] = (await mesh.spend()).budgets;
    expect(budget?.pending).toBe('0');
    expect(Number(budget?.posted)).toBeLessThan(LIMIT * 1.5);
  });

  it('is not given again where its rule keeps answers, and a whole one is', async () => {
    await start(envoyVersion);
    expect(await stream('gpt-4.1-mini', LONG)).toMatchObject({ cache: null, reason: 'length' });
    expect(await settled(1)).toMatchObject({ ending: 'cut' });
    // By who has more money, the same question is asked of the provider again, and answered whole.
    await until('the provider noticed', () => attempts().length === 1);
    const whole = await stream('gpt-4.1-mini', LONG, 'none');
    expect(whole).toMatchObject({ cache: null, reason: 'stop' });
    await until('the provider was asked', () => attempts().length === 2);
    expect(await stream('gpt-4.1-mini', LONG, 'none')).toEqual({ ...whole, cache: 'hit' });
    expect(attempts()).toHaveLength(2);
  });
});
