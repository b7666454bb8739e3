/** A provider's outage: its calls go to the next one, translated, and come back when it serves again. Through a real Envoy. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const ANTHROPIC_KEY = 'sk-ant-0123456789abcdef0123';

const resources = (url: string, broken: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${broken}/v1", auth: {apiKey: {value: ${KEY}}}, retries: {attempts: 0}, timeouts: {connect: 1s}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: anthropic}
spec: {type: Anthropic, baseUrl: "${url}", auth: {apiKey: {value: ${ANTHROPIC_KEY}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: ["*"]
  rules:
  - name: chat
    match: {models: [gpt-4.1]}
    failover: {consecutiveFailures: 2, ejectionTime: 2s}
    backends:
    - {provider: relay}
    - {provider: anthropic, model: claude-sonnet-4.5, priority: 1}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: life}
spec: {limit: {usd: "10"}, window: {lifetime: true}}
`;

let simulator: Simulator;
let mesh: TestMesh;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY, ANTHROPIC_KEY] });
  mesh = await startTestMesh({ resources: resources(simulator.url, simulator.url) });
});

afterAll(async () => {
  await mesh.stop();
  await simulator.close();
});

const ask = async (simulate?: string, maxRetries = 0): Promise<string | null> => {
  const client = new OpenAI({ baseURL: mesh.baseURL, apiKey: 'any', maxRetries });
  const headers = simulate === undefined ? {} : { 'x-simulate': simulate };
  const { response, data } = await client.chat.completions
    .create({ model: 'gpt-4.1', max_tokens: 16, messages: [{ role: 'user', content: 'hi' }] }, { headers })
    .withResponse();
  expect(data.choices[0]?.message.content).toBeTruthy();
  return response.headers.get('x-airmesh-provider');
};

const isOut = async (): Promise<boolean> =>
  /airmesh_provider_out\{provider="default\/relay",model="gpt-4.1"\} 1/.test(await (await fetch(`${mesh.admin}/metrics`)).text());

describe('a provider that fails', () => {
  it('is stood in for by the next one, in its own language, and gets its calls back when it serves', async () => {
    expect(await ask()).toBe('default/relay');
    for (let failed = 0; failed < 2; failed++) await expect(ask('status=500')).rejects.toMatchObject({ status: 500 });
    expect(await isOut()).toBe(true);
    expect(await ask()).toBe('default/anthropic');
    await until('the relay is tried and takes its calls again', async () => (await ask()) === 'default/relay');
    expect(await isOut()).toBe(false);
    expect(mesh.log()).toMatch(/"provider.out"/);
    expect(mesh.log()).toMatch(/"provider.back"/);
  });

  it('is left alone at once where it says for how long, and an official SDK’s own retry is served by the next one', async () => {
    // Only the relay takes the header; the stand-in would fail on it as well, if it were asked to.
    await expect(ask('status=429,retry-after=1')).rejects.toMatchObject({ status: 429 });
    expect(await isOut()).toBe(true);
    expect(await ask()).toBe('default/anthropic');
    await until('the relay is back', async () => (await ask()) === 'default/relay');
  });

  it('that is not there at all costs no caller with an SDK more than its own retries', async () => {
    mesh.write(resources(simulator.url, 'http://127.0.0.1:9'));
    await until('the change is applied', () => (mesh.log().match(/snapshot.applied/g) ?? []).length > 0);
    expect(await ask(undefined, 2)).toBe('default/anthropic');
    const { records } = await mesh.spend().then((spend) => ({ records: spend }));
    expect(JSON.stringify(records)).toContain('anthropic');
  });
});
