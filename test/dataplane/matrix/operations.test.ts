/** What is no chat: embeddings, text completions, counts of tokens and lists of models, by each client at each kind of provider. */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../../src/shell/simulator/index.ts';
import type { Simulator } from '../../../src/shell/simulator/index.ts';
import { startTestMesh } from '../../support/mesh.ts';
import type { TestMesh } from '../../support/mesh.ts';
import { BACKS, ENVIRONMENT, KEYS, resourcesOf } from './backs.ts';
import { failureOf } from './front.ts';

const TEXT = 'A sidecar is a helper beside a service.';

/** What embeds where anything does. */
const EMBEDDERS = [
  { back: 'openai', model: 'text-embedding-3-small' },
  { back: 'gemini', model: 'gemini-embedding-001' },
] as const;

let simulators: ReadonlyMap<string, Simulator>;
let mesh: TestMesh;
let openai: OpenAI;
let anthropic: Anthropic;
let gemini: GoogleGenAI;

beforeAll(async () => {
  simulators = new Map(
    await Promise.all(BACKS.map(async ({ name }) => [name, await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEYS[name] ?? ''] })] as const)),
  );
  const embedders = EMBEDDERS.map(({ back, model }) => ({ back, model, price: '{inputPerMillion: 0.02, outputPerMillion: 0}' }));
  mesh = await startTestMesh({ resources: resourcesOf(new Map([...simulators].map(([name, { url }]) => [name, url])), embedders), environment: ENVIRONMENT });
  const origin = mesh.baseURL.replace(/\/v1$/, '');
  openai = new OpenAI({ apiKey: 'any word', baseURL: mesh.baseURL, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: 'any word', baseURL: origin, maxRetries: 0 });
  gemini = new GoogleGenAI({ apiKey: 'any word', httpOptions: { baseUrl: origin } });
});

afterAll(async () => {
  await mesh?.stop();
  await Promise.all([...(simulators?.values() ?? [])].map((simulator) => simulator.close()));
});

describe.each(EMBEDDERS)('embeddings at $back', ({ model }) => {
  it('by OpenAI’s client, one and many, of fewer dimensions', async () => {
    const one = await openai.embeddings.create({ model, input: TEXT });
    const many = await openai.embeddings.create({ model, input: [TEXT, 'Another.'], dimensions: 8 });
    expect([one.data.length, many.data.map(({ index, embedding }) => [index, embedding.length])]).toEqual([
      1,
      [
        [0, 8],
        [1, 8],
      ],
    ]);
    expect(one.data[0]?.embedding.length).toBeGreaterThan(1000);
    expect(one.usage.total_tokens).toBe(10);
  });

  it('by Google’s client', async () => {
    const { embeddings } = await gemini.models.embedContent({ model, contents: [TEXT, 'Another.'], config: { outputDimensionality: 8 } });
    expect(embeddings?.map(({ values }) => values?.length)).toEqual([8, 8]);
  });
});

it.each(['anthropic', 'deepseek'])('refuses embeddings at %s, naming the models that can', async (back) => {
  const model = BACKS.find(({ name }) => name === back)?.model ?? '';
  const failures = await Promise.all(
    [openai.embeddings.create({ model, input: TEXT }), gemini.models.embedContent({ model, contents: TEXT })].map((asked) =>
      Promise.resolve(asked).then(() => undefined, failureOf),
    ),
  );
  for (const failure of failures) expect(failure).toMatchObject({ status: 404, message: expect.stringMatching(/Models that can: .*gemini-embedding-001/) });
});

describe.each(BACKS)('text completions at $name', ({ model, served }) => {
  it('whole and streamed', async () => {
    const whole = await openai.completions.create({ model, prompt: TEXT, max_tokens: 8 });
    const stream = await openai.completions.create({ model, prompt: TEXT, max_tokens: 8, stream: true });
    let text = '';
    let finish: string | null = null;
    for await (const { choices } of stream) {
      text += choices[0]?.text ?? '';
      finish = choices[0]?.finish_reason ?? finish;
    }
    expect([whole.model, whole.choices[0]?.finish_reason, finish, text]).toEqual([served, 'length', 'length', whole.choices[0]?.text]);
    expect(whole.usage?.completion_tokens).toBe(8);
  });
});

describe('a count of tokens', () => {
  const counting = BACKS.filter(({ name }) => ['openai', 'anthropic', 'gemini'].includes(name));
  const others = BACKS.filter((back) => !counting.includes(back));

  it.each(counting)('at $name is the same by every client, and costs nothing', async ({ name, model }) => {
    const before = await costAt(name);
    const counts = [
      (await anthropic.messages.countTokens({ model, messages: [{ role: 'user', content: TEXT }] })).input_tokens,
      (await gemini.models.countTokens({ model, contents: TEXT })).totalTokens,
      (await openai.responses.inputTokens.count({ model, input: TEXT })).input_tokens,
    ];
    expect(counts).toEqual([17, 17, 17]);
    expect(await costAt(name)).toBe(before);
  });

  it.each(others)('at $name is refused, naming the models that can', async ({ model }) => {
    const failure = await anthropic.messages.countTokens({ model, messages: [{ role: 'user', content: TEXT }] }).then(() => undefined, failureOf);
    expect(failure).toMatchObject({ status: 404, message: expect.stringMatching(/Models that can: .*claude-sonnet-4\.5/) });
  });
});

async function costAt(name: string): Promise<string> {
  return (await mesh.spend()).byProvider.find((row) => row.name === `default/${name}`)?.costUsd ?? '0';
}

it('lists the models of the mesh to every client in its own form', async () => {
  const names = [...BACKS, ...EMBEDDERS].map(({ model }) => model).toSorted();
  const listed = [];
  for await (const { id } of openai.models.list()) listed.push(id);
  const claimed = [];
  for await (const { id } of anthropic.models.list()) claimed.push(id);
  const pages = [];
  for await (const { name } of await gemini.models.list()) pages.push(name?.replace('models/', ''));
  expect([listed.toSorted(), claimed.toSorted(), pages.toSorted()]).toEqual([names, names, names]);
});
