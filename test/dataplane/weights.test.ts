/** Weights through a real Envoy: one choice a call, which retries keep. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { Caller } from '../support/caller.ts';
import type { Called } from '../support/caller.ts';
import { startTestMesh } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const CALLS = 400;
const CONNECTIONS = 20;
const RETRIES = 2;
const WEIGHTS = { main: 75, canary: 25 };

const provider = (name: string, url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: ${name}}
spec:
  type: OpenAICompatible
  baseUrl: "${url}/v1"
  auth: {apiKey: {value: ${KEY}}}
  retries: {attempts: ${RETRIES}, baseInterval: 10ms, maxInterval: 20ms}
  outlierDetection: {consecutive5xx: 1000}
---`;

const route = (name: string, model: string, more: string): string => `
  - name: ${name}
    match: {models: [${model}]}
    backends: [{provider: main, weight: ${WEIGHTS.main}}, {provider: canary, weight: ${WEIGHTS.canary}}]
    ${more}`;

let simulators: { readonly main: Simulator; readonly canary: Simulator };
let mesh: TestMesh;
let caller: Caller;

beforeAll(async () => {
  const [main, canary] = await Promise.all([1, 2].map(() => startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] })));
  if (main === undefined || canary === undefined) throw new Error('two simulators');
  simulators = { main, canary };
  const resources = `${provider('main', main.url)}${provider('canary', canary.url)}
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: ["*"]
  rules:${route('chance', 'gpt-4.1', '')}${route('sticky', 'deepseek-v3.2', 'sticky: {header: X-User}')}
`;
  mesh = await startTestMesh({ resources });
  caller = new Caller({ baseURL: mesh.baseURL, connections: CONNECTIONS });
});

afterAll(async () => {
  caller?.close();
  await mesh?.stop();
  await Promise.all(Object.values(simulators ?? {}).map((simulator) => simulator.close()));
});

async function callAll(model: string, faults: string, userOf: (call: number) => string = () => ''): Promise<Called[]> {
  const answers: Called[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < CALLS) {
      const call = next++;
      answers[call] = await caller.chat(
        { model, max_tokens: 2, messages: [{ role: 'user', content: 'hi' }] },
        { 'x-simulate': faults, 'x-user': userOf(call) },
      );
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return answers;
}

const providerOf = ({ headers }: Called): string => String(headers['x-airmesh-provider']);
const attemptsAt = (simulator: Simulator): number => (simulator.books.toJSON() as { attempts: unknown[] }).attempts.length;

function expectQuarter(canaries: number): void {
  const deviation = Math.sqrt(CALLS * 0.25 * 0.75);
  expect(Math.abs(canaries - CALLS * 0.25)).toBeLessThanOrEqual(5 * deviation);
}

describe('a call’s provider', () => {
  it('is the one that its answer names, by weight', async () => {
    const before = attemptsAt(simulators.canary);
    const answers = await callAll('gpt-4.1', 'tokens=2');
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const canaries = answers.filter((answer) => providerOf(answer) === 'default/canary').length;
    expect(attemptsAt(simulators.canary) - before).toBe(canaries);
    expectQuarter(canaries);
  });

  it('is asked again when it is busy, and no other', async () => {
    const before = { main: attemptsAt(simulators.main), canary: attemptsAt(simulators.canary) };
    const answers = await callAll('gpt-4.1', 'status=503');
    expect(answers.every(({ status }) => status === 503)).toBe(true);
    for (const name of ['main', 'canary'] as const) {
      const calls = answers.filter((answer) => providerOf(answer) === `default/${name}`).length;
      expect(attemptsAt(simulators[name]) - before[name]).toBe(calls * (1 + RETRIES));
    }
    expectQuarter(answers.filter((answer) => providerOf(answer) === 'default/canary').length);
  });

  it('is the same for the same caller, where the rule says so', async () => {
    const users = 40;
    const answers = await callAll('deepseek-v3.2', 'tokens=2', (call) => `user-${call % users}`);
    const chosen = Array.from({ length: users }, (_, user) => new Set(answers.filter((_answer, call) => call % users === user).map(providerOf)));
    expect(chosen.map(({ size }) => size)).toEqual(Array.from({ length: users }, () => 1));
    expect(new Set(answers.map(providerOf)).size).toBe(2);
  });
});
