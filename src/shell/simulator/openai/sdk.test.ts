/** OpenAI's own client, unchanged, against the simulated API. */
import OpenAI from 'openai';
import type { ResponseInputItem, ResponseOutputItem } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../index.ts';
import type { Simulator } from '../index.ts';

const KEY = 'sk-simulated';
const MODEL = 'gpt-4.1';
const ASK = [{ role: 'user' as const, content: 'What is a sidecar?' }];
const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const CITY = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const CHAT_TOOLS = ['get_weather', 'get_time'].map((name) => ({ type: 'function' as const, function: { name, parameters: CITY, strict: true } }));
const TOOLS = ['get_weather', 'get_time'].map((name) => ({ type: 'function' as const, name, parameters: CITY, strict: true }));
const BOTH = 'Use your tools for Oslo.';

let simulator: Simulator;
let client: OpenAI;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  client = new OpenAI({ apiKey: KEY, baseURL: `${simulator.url}/v1`, maxRetries: 0 });
});

afterAll(() => simulator.close());

describe('chat completions', () => {
  it('say the same whole and streamed, and count it', async () => {
    const whole = await client.chat.completions.create({ model: MODEL, messages: ASK });
    const streamed = await client.chat.completions.stream({ model: MODEL, messages: ASK, stream_options: { include_usage: true } }).finalChatCompletion();
    expect(whole.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { role: 'assistant', content: expect.stringMatching(/\w{3,}/) as unknown, refusal: null },
    });
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
    expect(streamed.usage).toEqual(whole.usage);
    expect(whole.usage?.total_tokens).toBe((whole.usage?.prompt_tokens ?? 0) + (whole.usage?.completion_tokens ?? 0));
  });

  it.each([false, true])('call tools at once, and go on with their results (streamed: %s)', async (isStreamed) => {
    const body = { model: MODEL, messages: [{ role: 'user' as const, content: BOTH }], tools: CHAT_TOOLS };
    const first = isStreamed ? await client.chat.completions.stream(body).finalChatCompletion() : await client.chat.completions.create(body);
    const calls = first.choices[0]?.message.tool_calls ?? [];
    expect(first.choices[0]?.finish_reason).toBe('tool_calls');
    expect(calls.map((call) => (call.type === 'function' ? [call.function.name, JSON.parse(call.function.arguments)] : []))).toEqual([
      ['get_weather', { city: 'mesh' }],
      ['get_time', { city: 'mesh 1' }],
    ]);
    const said = {
      role: 'assistant' as const,
      tool_calls: calls.flatMap((call) =>
        call.type === 'function' ? [{ id: call.id, type: call.type, function: { name: call.function.name, arguments: call.function.arguments } }] : [],
      ),
    };
    const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'snow' }));
    const second = await client.chat.completions.create({ ...body, messages: [...body.messages, said, ...results] });
    expect(second.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: expect.stringMatching(/\w{3,}/) as unknown } });
  });

  it('fit a schema', async () => {
    const schema = {
      type: 'object',
      properties: { title: { type: 'string' }, pages: { type: 'integer' } },
      required: ['title', 'pages'],
      additionalProperties: false,
    };
    const answer = await client.chat.completions.create({
      model: MODEL,
      messages: ASK,
      response_format: { type: 'json_schema', json_schema: { name: 'book', strict: true, schema } },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ title: expect.any(String) as unknown, pages: expect.any(Number) as unknown });
  });

  it('look at an image', async () => {
    const content = [
      { type: 'text' as const, text: 'What is it?' },
      { type: 'image_url' as const, image_url: { url: PIXEL } },
    ];
    const [seen, unseen] = await Promise.all(
      [content, content.slice(0, 1)].map((parts) => client.chat.completions.create({ model: MODEL, messages: [{ role: 'user', content: parts }] })),
    );
    expect((seen?.usage?.prompt_tokens ?? 0) - (unseen?.usage?.prompt_tokens ?? 0)).toBe(85);
  });

  it('think unseen, and count it', async () => {
    const { choices, usage } = await client.chat.completions.create({ model: 'o3', messages: ASK, reasoning_effort: 'low' });
    expect(choices[0]?.message).not.toHaveProperty('reasoning_content');
    expect(usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0);
  });

  it.each([false, true])('refuse, where the model does (streamed: %s)', async (isStreamed) => {
    const options = { headers: { 'x-simulate': 'block=refusal' } };
    const body = { model: MODEL, messages: ASK };
    const { choices } = isStreamed
      ? await client.chat.completions.stream(body, options).finalChatCompletion()
      : await client.chat.completions.create(body, options);
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: null, refusal: expect.stringMatching(/\w{3,}/) as unknown } });
  });
});

describe('responses', () => {
  it('say the same whole and streamed, as chat completions do', async () => {
    const whole = await client.responses.create({ model: MODEL, input: ASK });
    const streamed = await client.responses.stream({ model: MODEL, input: ASK }).finalResponse();
    const chat = await client.chat.completions.create({ model: MODEL, messages: ASK });
    expect([whole.output_text, streamed.output_text]).toEqual([chat.choices[0]?.message.content, chat.choices[0]?.message.content]);
    expect(whole.usage).toMatchObject({ input_tokens: chat.usage?.prompt_tokens, output_tokens: chat.usage?.completion_tokens });
  });

  it('count their input', async () => {
    const counted = await client.responses.inputTokens.count({ model: MODEL, input: ASK });
    expect(counted.input_tokens).toBe((await client.responses.create({ model: MODEL, input: ASK })).usage?.input_tokens);
  });

  it.each([false, true])('think, call tools, and take back what they sealed (streamed: %s)', async (isStreamed) => {
    const body = { model: 'gpt-5', store: false, include: ['reasoning.encrypted_content' as const], reasoning: { summary: 'auto' as const }, tools: TOOLS };
    const question = [{ role: 'user' as const, content: BOTH }];
    const first = isStreamed
      ? await client.responses.stream({ ...body, input: question }).finalResponse()
      : await client.responses.create({ ...body, input: question });
    expect(first.output.map(({ type }) => type)).toEqual(['reasoning', 'function_call', 'function_call']);
    const output: readonly ResponseOutputItem[] = first.output;
    const said = output.flatMap((item): ResponseInputItem[] => {
      if (item.type === 'reasoning') return [item];
      return item.type === 'function_call' ? [{ type: item.type, id: item.id ?? '', call_id: item.call_id, name: item.name, arguments: item.arguments }] : [];
    });
    const results = output.flatMap((item) =>
      item.type === 'function_call' ? [{ type: 'function_call_output' as const, call_id: item.call_id, output: 'snow' }] : [],
    );
    expect((await client.responses.create({ ...body, input: [...question, ...said, ...results] })).output_text).toMatch(/\w{3,}/);
    const forged = said.map((item) => (item.type === 'reasoning' ? { ...item, encrypted_content: 'AAAA' } : item));
    await expect(client.responses.create({ ...body, input: [...question, ...forged, ...results] })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_encrypted_content',
    });
  });

  it.each([false, true])('refuse, where the model does (streamed: %s)', async (isStreamed) => {
    const options = { headers: { 'x-simulate': 'block=refusal' } };
    const body = { model: MODEL, input: ASK };
    const { output } = isStreamed ? await client.responses.stream(body, options).finalResponse() : await client.responses.create(body, options);
    expect(output[0]).toMatchObject({ type: 'message', content: [{ type: 'refusal', refusal: expect.stringMatching(/\w{3,}/) as unknown }] });
  });
});

describe('the rest', () => {
  it('completes text, whole and streamed', async () => {
    const whole = await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Once' });
    let text = '';
    for await (const { choices } of await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Once', stream: true }))
      text += choices[0]?.text ?? '';
    expect(text).toBe(whole.choices[0]?.text);
  });

  it('embeds, the same as numbers and as bytes', async () => {
    const body = { model: 'text-embedding-3-small', input: ['one', 'two'], dimensions: 8 };
    const [asBytes, asNumbers] = await Promise.all([client.embeddings.create(body), client.embeddings.create({ ...body, encoding_format: 'float' })]);
    expect(asBytes.data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
    expect(asBytes.data[1]?.embedding[3]).toBeCloseTo(asNumbers.data[1]?.embedding[3] ?? 0, 5);
    expect(asBytes.data[0]?.embedding).not.toEqual(asBytes.data[1]?.embedding);
  });

  it('moderates and lists its models', async () => {
    expect((await client.moderations.create({ input: 'hi' })).results).toHaveLength(1);
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toContain(MODEL);
    expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: 'model' });
  });
});

describe('errors', () => {
  it.each([
    [
      'a wrong key',
      () => new OpenAI({ apiKey: 'wrong', baseURL: `${simulator.url}/v1`, maxRetries: 0 }).chat.completions.create({ model: MODEL, messages: ASK }),
      OpenAI.AuthenticationError,
      'invalid_api_key',
    ],
    ['no such model', () => client.chat.completions.create({ model: 'nothing', messages: ASK }), OpenAI.NotFoundError, 'model_not_found'],
    ['no such model', () => client.embeddings.create({ model: 'nothing', input: 'x' }), OpenAI.NotFoundError, 'model_not_found'],
    [
      'too many requests',
      () => client.chat.completions.create({ model: MODEL, messages: ASK }, { headers: { 'x-simulate': 'status=429' } }),
      OpenAI.RateLimitError,
      'rate_limit_exceeded',
    ],
    ['a failure', () => client.responses.create({ model: MODEL, input: ASK }, { headers: { 'x-simulate': 'status=500' } }), OpenAI.InternalServerError, null],
  ] as const)('%s', async (_, ask, type, code) => {
    const error: unknown = await ask().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ code, requestID: expect.any(String) as unknown });
  });

  it('come in the middle of a stream', async () => {
    const options = { headers: { 'x-simulate': 'stream-error, after=2' } };
    await expect(client.chat.completions.stream({ model: MODEL, messages: ASK }, options).finalChatCompletion()).rejects.toThrow(/server had an error/);
    await expect(client.responses.stream({ model: MODEL, input: ASK }, options).finalResponse()).rejects.toThrow();
  });
});
