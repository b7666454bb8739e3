/** Every client that people use, unchanged, to every kind of provider, through a real Envoy. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../../src/shell/simulator/index.ts';
import type { Simulator } from '../../../src/shell/simulator/index.ts';
import { startTestMesh } from '../../support/mesh.ts';
import type { TestMesh } from '../../support/mesh.ts';
import { anthropicMessages } from './anthropic.ts';
import { BACKS, PROVIDER_KEY, resourcesOf } from './backs.ts';
import type { MatrixBack } from './backs.ts';
import { CASES, FAILURES } from './cases.ts';
import type { MatrixCase } from './cases.ts';
import { failureOf } from './front.ts';
import type { Answered, Front, Place } from './front.ts';
import { geminiGenerateContent } from './gemini.ts';
import { openaiChat, openaiResponses } from './openai.ts';
import { vercelFronts } from './vercel.ts';

const frontsAt = (place: Place): readonly Front[] => [openaiChat(place), openaiResponses(place), anthropicMessages(place), geminiGenerateContent(place), ...vercelFronts(place)];

const NAMES = frontsAt({ origin: 'http://127.0.0.1' }).map(({ name }) => name);

/** How each API says why an answer ended. */
const FINISHES: Readonly<Record<string, Readonly<Record<MatrixCase['finish'], string>>>> = {
  'OpenAI chat completions': { stop: 'stop', tools: 'tool_calls', length: 'length' },
  'OpenAI responses': { stop: 'completed', tools: 'function_call', length: 'max_output_tokens' },
  'Anthropic messages': { stop: 'end_turn', tools: 'tool_use', length: 'max_tokens' },
  'Gemini generateContent': { stop: 'STOP', tools: 'STOP', length: 'MAX_TOKENS' },
};
const AI_SDK_FINISHES = { stop: 'stop', tools: 'tool-calls', length: 'length' };

let simulators: ReadonlyMap<string, Simulator>;
let mesh: TestMesh;
let fronts: ReadonlyMap<string, Front>;
/** What the provider says when it is asked without a mesh in between, by case. */
let direct: ReadonlyMap<string, Answered>;

beforeAll(async () => {
  simulators = new Map(await Promise.all(BACKS.map(async ({ name }) => [name, await startSimulator({ host: '127.0.0.1', port: 0, keys: [PROVIDER_KEY, 'any word'] })] as const)));
  const urls = new Map([...simulators].map(([name, { url }]) => [name, url]));
  mesh = await startTestMesh({ resources: resourcesOf(urls), environment: { MATRIX_KEY: PROVIDER_KEY } });
  fronts = new Map(frontsAt({ origin: mesh.baseURL.replace(/\/v1$/, '') }).map((front) => [front.name, front]));
  const reference = await startSimulator({ host: '127.0.0.1', port: 0, keys: 'any' });
  const asked = openaiChat({ origin: reference.url });
  direct = new Map(await Promise.all(CASES.map(async ({ name, question }) => [name, await asked.ask({ ...question, model: 'gpt-4.1' })] as const)));
  await reference.close();
});

afterAll(async () => {
  await mesh?.stop();
  await Promise.all([...(simulators?.values() ?? [])].map((simulator) => simulator.close()));
});

describe.each(NAMES)('%s', (name) => {
  describe.each(BACKS)('to $name', (back) => {
    it.each(CASES)('$name', async (one) => {
      const answer = await ask(name, back, one);
      const expected = direct.get(one.name);
      const isObject = one.question.schema !== undefined;
      expect({
        text: isObject ? (JSON.parse(answer.text) as unknown) : answer.text,
        finish: answer.finish,
        calls: answer.calls.map(({ name: called, input }) => ({ called, input })),
        model: answer.model,
        inputTokens: answer.inputTokens,
        outputTokens: answer.outputTokens,
      }).toEqual({
        text: isObject ? (JSON.parse(expected?.text ?? '') as unknown) : expected?.text,
        finish: (FINISHES[name] ?? AI_SDK_FINISHES)[one.finish],
        calls: expected?.calls.map(({ name: called, input }) => ({ called, input })),
        model: back.served,
        inputTokens: expected?.inputTokens,
        outputTokens: expected?.outputTokens,
      });
      const ids = answer.calls.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    });

    it.each(FAILURES)('$name', async ({ simulate, stream, statuses }) => {
      const front = fronts.get(name);
      const asked = front?.ask({ model: back.model, turns: [{ role: 'user', text: 'Fail.' }], stream, headers: { 'x-simulate': simulate } });
      const failure = await asked?.then(
        () => undefined,
        (error: unknown) => failureOf(error),
      );
      expect(statuses).toContain(failure?.status);
      expect(failure?.message).toMatch(/This failure was asked for/);
    });
  });
});

describe('the books', () => {
  it.each(BACKS)('agree with those of $name, to the nano-dollar', async ({ name }) => {
    const theirs = (await (await fetch(`${simulators.get(name)?.url}/simulator/books`)).json()) as { readonly costNanoUsd: string; readonly models: Readonly<Record<string, { readonly requests: number; readonly input: number; readonly output: number }>> };
    const { byProvider, budgets } = await mesh.spend();
    const ours = byProvider.find((row) => row.name === `default/${name}`);
    const billed = Object.values(theirs.models);
    const sum = (of: 'requests' | 'input' | 'output'): number => billed.reduce((total, model) => total + model[of], 0);
    expect(sum('requests')).toBe(NAMES.length * CASES.length);
    expect(ours).toMatchObject({ inputTokens: sum('input'), outputTokens: sum('output'), costUsd: usd(theirs.costNanoUsd), estimatedRequests: 0 });
    expect(budgets.map(({ pending }) => Number(pending))).toEqual([0]);
  });

  it('and no log holds the key or what was asked', () => {
    expect(mesh.log()).not.toContain(PROVIDER_KEY);
    expect(mesh.log()).not.toContain('sidecar?');
  });
});

async function ask(name: string, back: MatrixBack, { question }: MatrixCase): Promise<Answered> {
  const front = fronts.get(name);
  if (front === undefined) throw new Error(`there is no front ${name}`);
  return front.ask({ ...question, model: back.model });
}

/** `0.00102402` of `1024020`. */
function usd(nano: string): string {
  const digits = nano.padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, '');
}
