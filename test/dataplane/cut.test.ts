/** Streams that are ended at the limit of a budget, each in its caller's language, through a real Envoy and by the official SDKs. */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';
import { BACKS, ENVIRONMENT, KEYS } from './matrix/backs.ts';

/** In tokens, prompt included: more than a call is expected to use, so that its hold must grow, and far less than the whole answer. */
const LIMIT = 800;
const ANSWER = 3_000;
const FAULTS = { 'x-simulate': `tokens=${ANSWER}, chunk-delay=1ms` };
const PROMPT = 'Tell me a long story.';

type BackName = 'openai' | 'anthropic' | 'gemini';
const backNamed = (name: BackName): (typeof BACKS)[number] => {
  const back = BACKS.find((one) => one.name === name);
  if (back === undefined) throw new Error(`no back ${name}`);
  return back;
};

const resources = (url: string, backName: BackName, budget: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: ${backName}}
spec: {${backNamed(backName).spec(url)}, auth: {apiKey: {value: "${KEYS[backName]}"}}, retries: {attempts: 0}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: all, match: {models: [${backNamed(backName).model}]}, backends: [{provider: ${backName}}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: tokens}
spec: {limit: {tokens: ${LIMIT}}, window: {lifetime: true}, waitTimeout: 1s, ${budget}}
`;

let simulator: Simulator;
let mesh: TestMesh;

async function start(back: BackName, budget = 'mode: Bounded, nearLimit: CutStream', envoyVersion?: string): Promise<void> {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: Object.values(KEYS) });
  mesh = await startTestMesh({
    resources: resources(simulator.url, back, budget),
    environment: { ...ENVIRONMENT },
    ...(envoyVersion === undefined ? {} : { envoyVersion }),
  });
}

afterEach(async () => {
  await mesh.stop();
  await simulator.close();
});

interface Heard {
  readonly reason: unknown;
  readonly text: string;
}

const root = (): string => mesh.baseURL.replace(/\/v1$/, '');
const openai = (): OpenAI => new OpenAI({ baseURL: mesh.baseURL, apiKey: 'unused', maxRetries: 0 });

/** What each official SDK makes of a stream: why it ended, and all its text. What it does not take for a whole stream, it throws. */
const FRONTS: Readonly<Record<string, (model: string) => Promise<Heard>>> = {
  'OpenAI chat': async (model) => {
    const stream = openai().chat.completions.stream(
      { model, messages: [{ role: 'user', content: PROMPT }], stream_options: { include_usage: true } },
      { headers: FAULTS },
    );
    const answer = await stream.finalChatCompletion();
    expect(answer.usage?.completion_tokens).toBeGreaterThan(50);
    return { reason: answer.choices[0]?.finish_reason, text: answer.choices[0]?.message.content ?? '' };
  },
  'OpenAI completions': async (model) => {
    const stream = await openai().completions.create({ model, prompt: PROMPT, stream: true }, { headers: FAULTS });
    let text = '';
    let reason: unknown;
    for await (const { choices } of stream) {
      text += choices[0]?.text ?? '';
      reason = choices[0]?.finish_reason ?? reason;
    }
    return { reason, text };
  },
  'OpenAI responses': async (model) => {
    const stream = await openai().responses.create({ model, input: PROMPT, stream: true, store: false }, { headers: FAULTS });
    const numbers: number[] = [];
    const types: string[] = [];
    let text = '';
    let reason: unknown;
    for await (const event of stream) {
      numbers.push(event.sequence_number);
      types.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.incomplete') {
        reason = event.response.incomplete_details?.reason;
        expect(event.response.status).toBe('incomplete');
        expect(event.response.output.at(-1)).toMatchObject({ type: 'message', status: 'incomplete', content: [{ type: 'output_text', text }] });
        expect(event.response.usage?.output_tokens).toBeGreaterThan(50);
      }
    }
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(types.slice(-4)).toEqual(['response.output_text.done', 'response.content_part.done', 'response.output_item.done', 'response.incomplete']);
    return { reason, text };
  },
  Anthropic: async (model) => {
    const client = new Anthropic({ baseURL: root(), apiKey: 'unused', maxRetries: 0 });
    const stream = client.messages.stream({ model, max_tokens: 8_000, messages: [{ role: 'user', content: PROMPT }] }, { headers: FAULTS });
    const message = await stream.finalMessage();
    expect(message.usage.output_tokens).toBeGreaterThan(50);
    return { reason: message.stop_reason, text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join('') };
  },
  Gemini: async (model) => {
    const client = new GoogleGenAI({ apiKey: 'unused', httpOptions: { baseUrl: root(), headers: FAULTS } });
    const stream = await client.models.generateContentStream({ model, contents: PROMPT });
    let text = '';
    let reason: unknown;
    for await (const part of stream) {
      text += part.text ?? '';
      reason = part.candidates?.[0]?.finishReason ?? reason;
    }
    return { reason, text };
  },
};

const CASES: readonly (readonly [front: string, back: BackName, reason: string])[] = [
  ['OpenAI chat', 'openai', 'length'],
  ['OpenAI completions', 'openai', 'length'],
  ['OpenAI responses', 'openai', 'max_output_tokens'],
  ['Anthropic', 'anthropic', 'max_tokens'],
  ['Gemini', 'gemini', 'MAX_TOKENS'],
  ['OpenAI chat', 'anthropic', 'length'],
  ['OpenAI completions', 'gemini', 'length'],
  ['OpenAI responses', 'anthropic', 'max_output_tokens'],
  ['Anthropic', 'openai', 'max_tokens'],
  ['Gemini', 'openai', 'MAX_TOKENS'],
];

interface SettledEvent {
  readonly ending: string;
  readonly estimated: boolean;
  readonly outputTokens: number;
}

async function settled(): Promise<SettledEvent> {
  await until('it is settled', () => mesh.log().includes('"event":"call.settled"'));
  const lines = mesh.log().split('\n');
  const events = lines.filter((line) => line.includes('"event":"call.settled"'));
  expect(events).toHaveLength(1);
  return JSON.parse(events[0] ?? '{}') as SettledEvent;
}

/** Tokens of answers, as the provider will bill them. */
const billed = (): number => (simulator.books.toJSON() as { attempts: readonly { output: number }[] }).attempts.reduce((sum, { output }) => sum + output, 0);

describe('a stream that reaches the limit', () => {
  it.each(CASES)('of %s from %s ends with %s, and the provider stops', async (front, back, reason) => {
    await start(back);
    const heard = await FRONTS[front]?.(backNamed(back).model);
    expect(heard?.reason).toBe(reason);
    expect(heard?.text.length).toBeGreaterThan(100);
    const { ending, estimated, outputTokens } = await settled();
    expect({ ending, estimated }).toEqual({ ending: 'cut', estimated: true });
    expect(outputTokens).toBeGreaterThan(LIMIT / 2);
    expect(outputTokens).toBeLessThan(LIMIT * 1.5);
    // Its stream was aborted: it did not go on to generate an answer that nobody hears.
    await until('the provider noticed', () => billed() > 0);
    expect(billed()).toBeLessThan(ANSWER * 0.7);
    const [budget] = (await mesh.spend()).budgets;
    expect(budget?.pending).toBe('0');
  });

  it('goes the same way with the oldest Envoy', async () => {
    await start('openai', 'mode: Bounded, nearLimit: CutStream', '1.36.4');
    const heard = await FRONTS['OpenAI chat']?.(backNamed('openai').model);
    expect(heard?.reason).toBe('length');
    expect((await settled()).ending).toBe('cut');
  });

  it('ends the connection in good order, so that it serves the next call', async () => {
    await start('openai');
    const answer = await fetch(`${mesh.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...FAULTS },
      body: JSON.stringify({ model: 'gpt-4.1', stream: true, messages: [{ role: 'user', content: PROMPT }] }),
    });
    const text = await answer.text();
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(text.split('"finish_reason":"length"')).toHaveLength(2);
  });
});

describe('a stream in a strict budget', () => {
  it('has a cap that is no higher than its hold, so the provider ends it', async () => {
    await start('openai', 'mode: Strict, nearLimit: CutStream');
    const heard = await FRONTS['OpenAI chat']?.(backNamed('openai').model);
    expect(heard?.reason).toBe('length');
    expect(await settled()).toMatchObject({ ending: 'finished', estimated: false });
    const [budget] = (await mesh.spend()).budgets;
    expect(Number(budget?.posted)).toBeLessThanOrEqual(LIMIT);
  });
});

describe('a stream that outgrows a bounded budget', () => {
  it('runs on into the overdraft where nothing cuts it, and that is told', async () => {
    await start('openai', 'mode: Bounded, nearLimit: Reject, alerts: [50, 100]');
    const heard = await FRONTS['OpenAI chat']?.(backNamed('openai').model);
    expect(heard?.reason).toBe('stop');
    const { ending, outputTokens } = await settled();
    expect({ ending, outputTokens }).toEqual({ ending: 'finished', outputTokens: ANSWER });
    const events = mesh
      .log()
      .split('\n')
      .filter((line) => line.includes('"event":"budget.'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.filter(({ event }) => event === 'budget.threshold').map(({ percent }) => percent)).toEqual([50, 100]);
    const [budget] = (await mesh.spend()).budgets;
    expect(events.filter(({ event }) => event === 'budget.overdrawn')).toMatchObject([
      { budget: 'default/tokens', beyond: String(Number(budget?.posted) - LIMIT) },
    ]);
    const metrics = await (await fetch(`${mesh.admin}/metrics`)).text();
    expect(metrics).toContain('airmesh_budget_overdrawn_total{budget="default/tokens"} 1');
    expect(metrics).toContain('airmesh_budget_threshold_total{budget="default/tokens",percent="100"} 1');
  });
});

describe('a budget that only observes', () => {
  it('says which calls it would have refused', async () => {
    await start('openai', 'mode: Observe, nearLimit: CutStream');
    for (let call = 0; call < 2; call++) {
      const answer = await openai().chat.completions.create(
        { model: 'gpt-4.1', messages: [{ role: 'user', content: PROMPT }] },
        { headers: { 'x-simulate': 'tokens=900' } },
      );
      expect(answer.choices[0]?.finish_reason).toBe('stop');
    }
    expect(mesh.log()).toContain('"event":"budget.would_refuse"');
    const metrics = await (await fetch(`${mesh.admin}/metrics`)).text();
    expect(metrics).toContain('airmesh_budget_would_refuse_total{budget="default/tokens",workload="default/default"} 1');
  });
});
