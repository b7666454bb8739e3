/** Anthropic's own client, unchanged, against the simulated API. */
import Anthropic from '@anthropic-ai/sdk';
import type { MessageCreateParamsNonStreaming, MessageParam } from '@anthropic-ai/sdk/resources/messages';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../index.ts';
import type { Simulator } from '../index.ts';

const KEY = 'sk-ant-simulated';
const MODEL = 'claude-opus-4-5';
const ASK: MessageParam[] = [{ role: 'user', content: 'What is a sidecar?' }];
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  name,
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
}));
const LONG = 'The mesh carries each call. '.repeat(400);

let simulator: Simulator;
let client: Anthropic;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  client = new Anthropic({ apiKey: KEY, baseURL: simulator.url, maxRetries: 0 });
});

afterAll(() => simulator.close());

const ask = (body: Omit<MessageCreateParamsNonStreaming, 'model' | 'max_tokens'>, isStreamed: boolean, simulate = ''): Promise<Anthropic.Message> => {
  const whole = { model: MODEL, max_tokens: 3000, ...body };
  const options = { headers: { 'x-simulate': simulate } };
  return isStreamed ? client.messages.stream(whole, options).finalMessage() : client.messages.create(whole, options);
};

const textOf = ({ content }: Anthropic.Message): string => content.map((block) => (block.type === 'text' ? block.text : '')).join('');

describe('messages', () => {
  it('say the same whole and streamed, and count it', async () => {
    const [whole, streamed] = [await ask({ messages: ASK }, false), await ask({ messages: ASK }, true)];
    expect(whole).toMatchObject({ type: 'message', role: 'assistant', model: MODEL, stop_reason: 'end_turn' });
    expect(textOf(whole)).toMatch(/\w{3,}/);
    expect(textOf(streamed)).toBe(textOf(whole));
    expect([streamed.usage.input_tokens, streamed.usage.output_tokens]).toEqual([whole.usage.input_tokens, whole.usage.output_tokens]);
    expect((await client.messages.countTokens({ model: MODEL, messages: ASK })).input_tokens).toBe(whole.usage.input_tokens);
  });

  describe.each([false, true])('with tools (streamed: %s)', (isStreamed) => {
    it('call them at once, and go on with their results', async () => {
      const messages: MessageParam[] = [{ role: 'user', content: 'Use your tools for Oslo.' }];
      const first = await ask({ messages, tools: TOOLS }, isStreamed);
      const uses = first.content.flatMap((block) => (block.type === 'tool_use' ? [block] : []));
      expect(first.stop_reason).toBe('tool_use');
      expect(uses.map(({ name, input }) => [name, input])).toEqual([
        ['get_weather', { city: 'mesh' }],
        ['get_time', { city: 'mesh 1' }],
      ]);
      const results = uses.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'snow' }));
      const second = await ask(
        { messages: [...messages, { role: 'assistant', content: first.content }, { role: 'user', content: results }], tools: TOOLS },
        isStreamed,
      );
      expect([second.stop_reason, textOf(second)]).toEqual(['end_turn', expect.stringMatching(/\w{3,}/)]);
    });

    it.each(['thinking', 'redacted_thinking'] as const)('take %s back as they sealed it, and no other', async (type) => {
      const simulate = type === 'redacted_thinking' ? 'thinking=redacted' : '';
      const body = { thinking: { type: 'enabled' as const, budget_tokens: 1024 }, tools: TOOLS };
      const messages: MessageParam[] = [{ role: 'user', content: 'Use your tool for Oslo.' }];
      const first = await ask({ ...body, messages }, isStreamed, simulate);
      expect(first.content.map((block) => block.type)).toEqual([type, 'tool_use']);
      expect(first.usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(0);
      const results = first.content.flatMap((block) =>
        block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'snow' }] : [],
      );
      const next = (content: Anthropic.ContentBlock[]): Promise<Anthropic.Message> =>
        ask({ ...body, messages: [...messages, { role: 'assistant', content }, { role: 'user', content: results }] }, isStreamed);
      expect(textOf(await next(first.content))).toMatch(/\w{3,}/);
      const forged = first.content.map((block) =>
        block.type === 'thinking' ? { ...block, thinking: `${block.thinking}!` } : block.type === 'redacted_thinking' ? { ...block, data: 'AAAA' } : block,
      );
      await expect(next(forged)).rejects.toThrow(/Invalid `(?:signature|data)` in `(?:redacted_)?thinking` block/);
    });
  });

  it('fit a schema', async () => {
    const schema = {
      type: 'object',
      properties: { title: { type: 'string' }, pages: { type: 'integer' } },
      required: ['title', 'pages'],
      additionalProperties: false,
    };
    const answer = await ask({ messages: ASK, output_config: { format: { type: 'json_schema', schema } } }, false);
    expect(JSON.parse(textOf(answer))).toEqual({ title: expect.any(String) as unknown, pages: expect.any(Number) as unknown });
  });

  it('look at an image', async () => {
    const text = { type: 'text' as const, text: 'What is it?' };
    const image = { type: 'image' as const, source: { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL } };
    const seen = await ask({ messages: [{ role: 'user', content: [text, image] }] }, false);
    const unseen = await ask({ messages: [{ role: 'user', content: [text] }] }, false);
    expect(seen.usage.input_tokens - unseen.usage.input_tokens).toBe(85);
  });

  it('write to the cache and read from it, which the books say', async () => {
    simulator.books.reset();
    const body = { system: [{ type: 'text' as const, text: LONG, cache_control: { type: 'ephemeral' as const, ttl: '1h' as const } }], messages: ASK };
    const [first, second] = [await ask(body, false), await ask(body, true)];
    const written = first.usage.cache_creation_input_tokens ?? 0;
    expect(written).toBeGreaterThan(1024);
    expect(first.usage.cache_creation).toEqual({ ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: written });
    expect(second.usage).toMatchObject({ cache_read_input_tokens: written, cache_creation_input_tokens: 0, input_tokens: first.usage.input_tokens });
    expect(simulator.books.toJSON()).toMatchObject({ models: { [MODEL]: { requests: 2, cached: written, cacheWrites: written, cacheWritesLong: written } } });
  });

  it.each(['block=refusal', 'block=answer', 'block=prompt'])('refuse at %s', async (simulate) => {
    expect((await ask({ messages: ASK }, true, simulate)).stop_reason).toBe('refusal');
  });
});

describe('models', () => {
  it('are listed and told one by one', async () => {
    const listed = await client.models.list();
    expect(listed.data.map(({ id }) => id)).toContain(MODEL);
    expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, type: 'model' });
    await expect(client.models.retrieve('claude-nothing')).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });
});

describe('errors', () => {
  it.each([
    [
      'a wrong key',
      () => new Anthropic({ apiKey: 'wrong', baseURL: simulator.url, maxRetries: 0 }).messages.create({ model: MODEL, max_tokens: 5, messages: ASK }),
      401,
      'authentication_error',
    ],
    ['no such model', () => client.messages.create({ model: 'claude-nothing', max_tokens: 5, messages: ASK }), 404, 'not_found_error'],
    ['no messages', () => client.messages.create({ model: MODEL, max_tokens: 5, messages: [] }), 400, 'invalid_request_error'],
    ['too many requests', () => ask({ messages: ASK }, false, 'status=429'), 429, 'rate_limit_error'],
    ['an overloaded provider', () => ask({ messages: ASK }, true, 'status=529'), 529, 'overloaded_error'],
  ] as const)('%s', async (_, request, status, type) => {
    const error: unknown = await request().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(error).toMatchObject({ status, type, requestID: expect.any(String) as unknown });
  });

  it('come in the middle of a stream', async () => {
    await expect(ask({ messages: ASK }, true, 'stream-error, after=4')).rejects.toMatchObject({ type: 'overloaded_error' });
  });
});
