/** What breaks at the provider, as each client is told of it; and every call is settled. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../../src/shell/simulator/index.ts';
import type { Simulator } from '../../../src/shell/simulator/index.ts';
import { startTestMesh, until } from '../../support/mesh.ts';
import type { TestMesh } from '../../support/mesh.ts';
import { anthropicMessages } from './anthropic.ts';
import { BACKS, ENVIRONMENT, KEYS, resourcesOf } from './backs.ts';
import type { Answered, Front, Place, Question } from './front.ts';
import { geminiGenerateContent } from './gemini.ts';
import { openaiChat, openaiResponses } from './openai.ts';

const frontsAt = (place: Place): readonly Front[] => [openaiChat(place), openaiResponses(place), anthropicMessages(place), geminiGenerateContent(place)];
const NAMES = frontsAt({ origin: 'http://127.0.0.1' }).map(({ name }) => name);
const SPEAKERS = BACKS.filter(({ name }) => ['openai', 'anthropic', 'gemini'].includes(name));

/** How each API says that a filter stopped an answer. */
const FILTERED: Readonly<Record<string, string>> = {
  'OpenAI chat completions': 'content_filter',
  'OpenAI responses': 'content_filter',
  'Anthropic messages': 'refusal',
  'Gemini generateContent': 'SAFETY',
};

const TOOLS = ['look', 'ask'].map((name) => ({
  name,
  description: name,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
}));

let simulators: ReadonlyMap<string, Simulator>;
let mesh: TestMesh;
let fronts: ReadonlyMap<string, Front>;

beforeAll(async () => {
  simulators = new Map(
    await Promise.all(BACKS.map(async ({ name }) => [name, await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEYS[name] ?? ''] })] as const)),
  );
  mesh = await startTestMesh({ resources: resourcesOf(new Map([...simulators].map(([name, { url }]) => [name, url]))), environment: ENVIRONMENT });
  fronts = new Map(frontsAt({ origin: mesh.baseURL.replace(/\/v1$/, '') }).map((front) => [front.name, front]));
});

afterAll(async () => {
  await mesh?.stop();
  await Promise.all([...(simulators?.values() ?? [])].map((simulator) => simulator.close()));
});

function ask(name: string, question: Omit<Question, 'turns'>, text = 'Say something.'): Promise<Answered> {
  return fronts.get(name)?.ask({ turns: [{ role: 'user', text }], ...question }) ?? Promise.reject(new Error(`there is no front ${name}`));
}

describe.each(NAMES)('%s', (name) => {
  describe.each(SPEAKERS)('at $name', ({ model }) => {
    it.each(['stream-error, after=3', 'reset=stream, after=3'])('never takes a broken stream (%s) for a whole answer', async (simulate) => {
      await expect(ask(name, { model, stream: true, headers: { 'x-simulate': simulate } })).rejects.toThrow();
    });

    it.each([false, true])('is told that a filter stopped the answer (streamed: %s)', async (stream) => {
      const answer = await ask(name, { model, stream, headers: { 'x-simulate': 'block=answer' } });
      expect(answer.finish).toBe(FILTERED[name]);
      expect(answer.text.length).toBeGreaterThan(0);
    });

    it.each(['chunks=odd', 'chunks=bytes', 'chunks=crlf', 'chunks=comments', 'chunks=merged'])('reads a stream however it is cut (%s)', async (simulate) => {
      const plain = await ask(name, { model, stream: true });
      expect(await ask(name, { model, stream: true, headers: { 'x-simulate': simulate } })).toEqual(plain);
    });

    it('gets each of two calls with its own arguments', async () => {
      const whole = await ask(name, { model, tools: TOOLS }, 'Use your tools.');
      const streamed = await ask(name, { model, tools: TOOLS, stream: true }, 'Use your tools.');
      expect(whole.calls.map((call) => call.name)).toEqual(['look', 'ask']);
      expect(streamed.calls.map(({ name: called, input }) => [called, input])).toEqual(whole.calls.map(({ name: called, input }) => [called, input]));
    });

    it('is not made to wait by an empty answer', async () => {
      const outcome = await ask(name, { model, headers: { 'x-simulate': 'empty' } }).then(
        ({ text }) => text,
        () => 'failed',
      );
      expect(['', 'failed']).toContain(outcome);
    });
  });
});

it('and leaves nothing held', async () => {
  await until('every call is settled', async () => (await mesh.spend()).budgets.every(({ pending }) => Number(pending) === 0));
});
