/** OpenAI's own client, unchanged, against the simulated DeepSeek, as its documents show it. */
import OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../index.ts';
import type { Simulator } from '../index.ts';

const KEY = 'sk-simulated';
const ASK: ChatCompletionMessageParam[] = [{ role: 'user', content: 'What is a sidecar?' }];
const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
}));
const LONG = 'The mesh carries each call. '.repeat(50);

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
});

afterAll(() => simulator.close());

const clientAt = (root: string, apiKey = KEY): OpenAI => new OpenAI({ apiKey, baseURL: `${simulator.url}${root}`, maxRetries: 0 });

/** What its clients look at besides OpenAI's own fields. */
type Message = ChatCompletion['choices'][number]['message'] & { readonly reasoning_content?: string };

const messageOf = ({ choices }: ChatCompletion): Message => {
  const message = choices[0]?.message;
  if (message === undefined) throw new Error('no choice');
  return message;
};

describe.each(['', '/v1', '/beta'])('at %s/chat/completions', (root) => {
  it('says the same whole and streamed, with usage that nobody asked for', async () => {
    const client = clientAt(root);
    const whole = await client.chat.completions.create({ model: 'deepseek-chat', messages: ASK });
    let text = '';
    let usage: unknown;
    for await (const chunk of await client.chat.completions.create({ model: 'deepseek-chat', messages: ASK, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(messageOf(whole).content);
    expect(usage).toEqual(whole.usage);
    expect(messageOf(whole)).not.toHaveProperty('reasoning_content');
  });
});

describe('thinking', () => {
  const client = (): OpenAI => clientAt('');

  it.each([
    ['deepseek-reasoner', {}, true],
    ['deepseek-v4-pro', {}, true],
    ['deepseek-v4-pro', { thinking: { type: 'disabled' } }, false],
    ['deepseek-v4-flash', { reasoning_effort: 'none' as const }, false],
    ['deepseek-chat', {}, false],
    ['deepseek-chat', { thinking: { type: 'enabled' } }, true],
  ])('of %s with %j is shown: %s', async (model, more, isShown) => {
    const answer = await client().chat.completions.create({ model, messages: ASK, ...more });
    expect(messageOf(answer).reasoning_content !== undefined).toBe(isShown);
    expect((answer.usage?.completion_tokens_details?.reasoning_tokens ?? 0) > 0).toBe(isShown);
  });

  it('is streamed before the answer', async () => {
    const seen: string[] = [];
    for await (const { choices } of await client().chat.completions.create({ model: 'deepseek-reasoner', messages: ASK, stream: true })) {
      const delta = choices[0]?.delta as { readonly reasoning_content?: string; readonly content?: string | null } | undefined;
      const kind = delta?.reasoning_content ? 'thought' : delta?.content ? 'said' : undefined;
      if (kind !== undefined && seen.at(-1) !== kind) seen.push(kind);
    }
    expect(seen).toEqual(['thought', 'said']);
  });

  it('comes back with the calls that it led to, or is missed', async () => {
    const body = { model: 'deepseek-v4-pro', tools: TOOLS };
    const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: 'Use your tools for Oslo.' }];
    const { content, reasoning_content: thought, tool_calls: calls = [] } = messageOf(await client().chat.completions.create({ ...body, messages }));
    expect(calls).toHaveLength(2);
    const said = { role: 'assistant' as const, content, tool_calls: calls };
    const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'snow' }));
    const kept: ChatCompletionMessageParam & { readonly reasoning_content: string | undefined } = { ...said, reasoning_content: thought };
    expect(messageOf(await client().chat.completions.create({ ...body, messages: [...messages, kept, ...results] })).content).toMatch(/\w{3,}/);
    await expect(client().chat.completions.create({ ...body, messages: [...messages, said, ...results] })).rejects.toThrow(/must be passed back/);
  });
});

it('reads from its cache, which its usage and the books say', async () => {
  simulator.books.reset();
  const ask = (): Promise<ChatCompletion> => clientAt('').chat.completions.create({ model: 'deepseek-chat', messages: [{ role: 'user', content: LONG }] });
  const [first, second] = [await ask(), await ask()];
  const hit = (second.usage as unknown as { readonly prompt_cache_hit_tokens: number }).prompt_cache_hit_tokens;
  expect(first.usage).toMatchObject({ prompt_cache_hit_tokens: 0, prompt_cache_miss_tokens: first.usage?.prompt_tokens });
  expect(hit).toBeGreaterThan(64);
  expect(second.usage).toMatchObject({ prompt_tokens_details: { cached_tokens: hit }, prompt_cache_miss_tokens: (second.usage?.prompt_tokens ?? 0) - hit });
  expect(simulator.books.toJSON()).toMatchObject({ models: { 'deepseek-chat': { cached: hit } } });
});

it('answers in JSON, completes text, and lists its models', async () => {
  const client = clientAt('/beta');
  const answer = await client.chat.completions.create({
    model: 'deepseek-chat',
    messages: [{ role: 'user', content: 'As JSON.' }],
    response_format: { type: 'json_object' },
  });
  expect(JSON.parse(messageOf(answer).content ?? '')).toEqual({ answer: expect.any(Number) as unknown });
  expect((await client.completions.create({ model: 'deepseek-chat', prompt: 'Once' })).choices[0]?.text).toMatch(/\w{3,}/);
  expect((await client.models.list()).data.map(({ id }) => id)).toContain('deepseek-v4-pro');
});

it.each([
  ['a wrong key', () => clientAt('', 'wrong').chat.completions.create({ model: 'deepseek-chat', messages: ASK }), 401, /Authentication Fails/],
  ['another’s model', () => clientAt('').chat.completions.create({ model: 'gpt-4.1', messages: ASK }), 400, /Model Not Exist/],
  ['another’s model for text', () => clientAt('/beta').completions.create({ model: 'gpt-4.1', prompt: 'x' }), 400, /Model Not Exist/],
  [
    'a schema',
    () =>
      clientAt('').chat.completions.create({
        model: 'deepseek-chat',
        messages: ASK,
        response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } },
      }),
    400,
    /unavailable now/,
  ],
] as const)('refuses %s', async (_, request, status, message) => {
  await expect(request()).rejects.toMatchObject({ status, message: expect.stringMatching(message) as unknown });
});
