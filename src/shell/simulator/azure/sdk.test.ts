/** OpenAI's clients, unchanged, against the simulated Azure: by deployments and dates, and by the newer API. */
import OpenAI, { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../index.ts';
import type { Simulator } from '../index.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const MODEL = 'gpt-4.1';
const ASK = [{ role: 'user' as const, content: 'What is a sidecar?' }];
const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const TOOLS = ['get_weather', 'get_time'].map((name) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
}));

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
});

afterAll(() => simulator.close());

const dated = (apiVersion = '2024-10-21', apiKey = KEY): OpenAI => new AzureOpenAI({ endpoint: simulator.url, apiKey, apiVersion, maxRetries: 0 });
const newer = (apiKey = KEY): OpenAI => new OpenAI({ baseURL: `${simulator.url}/openai/v1`, apiKey, maxRetries: 0 });

describe.each([
  ['by deployments', () => dated()],
  ['by the newer API', () => newer()],
])('%s', (_, clientOf) => {
  it('says the same whole and streamed, and what its filter found', async () => {
    const whole = await clientOf().chat.completions.create({ model: MODEL, messages: ASK });
    const streamed = await clientOf()
      .chat.completions.stream({ model: MODEL, messages: ASK, stream_options: { include_usage: true } })
      .finalChatCompletion();
    expect(whole.choices[0]).toMatchObject({ finish_reason: 'stop', content_filter_results: { hate: { filtered: false, severity: 'safe' } } });
    expect(whole).toHaveProperty('prompt_filter_results');
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
    expect(streamed.usage).toEqual(whole.usage);
  });

  it('calls tools at once', async () => {
    const { choices } = await clientOf()
      .chat.completions.stream({ model: MODEL, messages: [{ role: 'user', content: 'Use your tools.' }], tools: TOOLS })
      .finalChatCompletion();
    expect(choices[0]?.message.tool_calls?.map((call) => (call.type === 'function' ? call.function.name : ''))).toEqual(['get_weather', 'get_time']);
  });

  it('fits a schema, looks at an image, and thinks', async () => {
    const schema = { type: 'object', properties: { pages: { type: 'integer' } }, required: ['pages'], additionalProperties: false };
    const content = [
      { type: 'text' as const, text: 'What is it?' },
      { type: 'image_url' as const, image_url: { url: PIXEL } },
    ];
    const answer = await clientOf().chat.completions.create({
      model: 'gpt-5',
      messages: [{ role: 'user', content }],
      response_format: { type: 'json_schema', json_schema: { name: 'book', strict: true, schema } },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ pages: expect.any(Number) as unknown });
    expect(answer.usage?.prompt_tokens).toBeGreaterThan(85);
    expect(answer.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0);
  });

  it('embeds', async () => {
    const { data } = await clientOf().embeddings.create({ model: 'text-embedding-3-small', input: 'x', dimensions: 8 });
    expect(data[0]?.embedding).toHaveLength(8);
  });

  it('knows no other deployment', async () => {
    await expect(clientOf().chat.completions.create({ model: 'gpt-4o', messages: ASK })).rejects.toMatchObject({ status: 404, code: 'DeploymentNotFound' });
  });

  it('answers for its filter', async () => {
    const options = { headers: { 'x-simulate': 'block=prompt' } };
    await expect(clientOf().chat.completions.create({ model: MODEL, messages: ASK }, options)).rejects.toMatchObject({
      status: 400,
      code: 'content_filter',
      error: { innererror: { code: 'ResponsibleAIPolicyViolation' } },
    });
    const { choices } = await clientOf().chat.completions.create({ model: MODEL, messages: ASK }, { headers: { 'x-simulate': 'block=answer' } });
    expect(choices[0]?.finish_reason).toBe('content_filter');
  });
});

it('serves responses by the newer API', async () => {
  const { output_text: text } = await newer().responses.create({ model: MODEL, input: ASK });
  const chat = await dated().chat.completions.create({ model: MODEL, messages: ASK });
  expect(text).toBe(chat.choices[0]?.message.content);
});

it.each([
  ['a wrong key', () => dated('2024-10-21', 'wrong'), 401],
  ['a wrong bearer', () => newer('wrong'), 401],
  ['a date without a version', () => dated('2019-01-01'), 404],
] as const)('refuses %s', async (_, clientOf, status) => {
  await expect(clientOf().chat.completions.create({ model: MODEL, messages: ASK })).rejects.toMatchObject({ status });
});
