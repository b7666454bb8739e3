import { openai } from '../../src/core/dialects/index.ts';
import { dialectContract } from './dialect.ts';
import type { AnswerFixture, RequestFixture } from './dialect.ts';

/*
 * Written by hand from the types and documentation comments of the `openai` package and the published API reference;
 * none of it was recorded from an account.
 */
const json = (path: string, body: object, facts: RequestFixture['facts']): RequestFixture => ({
  path,
  contentType: 'application/json',
  body: JSON.stringify(body, undefined, 1),
  facts,
  modelOf: (text) => (JSON.parse(text) as { readonly model?: unknown }).model,
});

const form = (path: string, fields: readonly (readonly [string, string])[], facts: RequestFixture['facts']): RequestFixture => ({
  path,
  contentType: 'multipart/form-data; boundary=----form7',
  body: `${fields.map(([disposition, value]) => `------form7\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`).join('')}------form7--\r\n`,
  facts,
  modelOf: (text) => /name="model"\r\n\r\n(.*)\r\n/.exec(text)?.[1],
});

const REQUESTS: readonly RequestFixture[] = [
  json(
    '/v1/chat/completions',
    {
      model: 'gpt-4.1',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is „this“? 😀' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"x":1}' } }] },
        { role: 'tool', tool_call_id: 'call_1', content: 'a cat' },
      ],
      tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: { x: { type: 'number' } } } } }],
      max_completion_tokens: 200,
      n: 2,
      stream: true,
      stream_options: { include_obfuscation: false },
    },
    {
      model: 'gpt-4.1',
      stream: true,
      wantsStreamUsage: false,
      maxOutputTokens: 200,
      choices: 2,
      inputImages: 1,
      unbounded: [],
      hasOutput: true,
      tier: 'standard',
    },
  ),
  json(
    '/v1/completions',
    { model: 'gpt-3.5-turbo-instruct', prompt: ['a', 'b'], max_tokens: 5, echo: true },
    { maxOutputTokens: 5, choices: 2, unbounded: [] },
  ),
  json(
    '/v1/responses',
    {
      model: 'gpt-4.1',
      instructions: 'Be brief.',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'hi' },
            { type: 'input_image', detail: 'auto', image_url: 'https://example.com/a.png' },
          ],
        },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' },
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'ok' },
      ],
      tools: [{ type: 'function', name: 'f', parameters: null, strict: null }],
      max_output_tokens: 300,
      service_tier: 'flex',
    },
    { maxOutputTokens: 300, inputImages: 1, unbounded: [], tier: 'flex', wantsStreamUsage: true },
  ),
  json('/v1/embeddings', { model: 'text-embedding-3-small', input: ['a', 'b'], encoding_format: 'base64' }, { hasOutput: false, unbounded: [] }),
  json('/v1/moderations', { model: 'omni-moderation-latest', input: 'a' }, { hasOutput: false }),
  json(
    '/v1/images/generations',
    { model: 'gpt-image-1.5', prompt: 'a cat', n: 2, stream: true, partial_images: 1 },
    { choices: 2, stream: true, wantsStreamUsage: true },
  ),
  json('/v1/audio/speech', { model: 'gpt-4o-mini-tts', input: 'hello', voice: 'alloy' }, { stream: false, unbounded: [] }),
  form(
    '/v1/images/edits',
    [
      ['name="image[]"; filename="a.png"', 'PNG\r\n'],
      ['name="model"', 'gpt-image-1.5'],
      ['name="prompt"', 'a hat'],
    ],
    { inputImages: 1, unbounded: [] },
  ),
  form(
    '/v1/images/variations',
    [
      ['name="image"; filename="a.png"', 'PNG'],
      ['name="model"', 'dall-e-2'],
      ['name="n"', '3'],
    ],
    { choices: 3 },
  ),
  form(
    '/v1/audio/transcriptions',
    [
      ['name="model"', 'gpt-4o-transcribe'],
      ['name="file"; filename="a.wav"', 'RIFF'],
      ['name="stream"', 'true'],
    ],
    { stream: true, unbounded: ['audio input'] },
  ),
  form(
    '/v1/audio/translations',
    [
      ['name="model"', 'whisper-1'],
      ['name="file"; filename="a.wav"', 'RIFF'],
    ],
    { stream: false },
  ),
];

const CHAT_USAGE = {
  prompt_tokens: 19,
  completion_tokens: 10,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 3, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
};
const CHAT_READ = { inputTokens: 19, outputTokens: 10, cachedInputTokens: 4, reasoningTokens: 3 };

const chunk = (choices: readonly object[], usage: unknown): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_694_268_190, model: 'gpt-4.1-2025-04-14', service_tier: 'default', system_fingerprint: 'fp_1', choices, usage })}`;
const choice = (delta: object, finish: string | null = null): object => ({ index: 0, delta, logprobs: null, finish_reason: finish });
const stream = (end: string, withUsage: boolean): string =>
  [
    ': ping',
    chunk([choice({ role: 'assistant', content: '' })], null),
    chunk([choice({ content: 'Hé "llo" 😀\n' })], null),
    chunk([choice({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"usage":{' } }] })], null),
    chunk([choice({}, 'stop')], null),
    ...(withUsage ? [chunk([], CHAT_USAGE)] : []),
    'data: [DONE]',
  ]
    .map((event) => event + end + end)
    .join('');

const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: 1, ...more })}\n\n`;
const RESPONSE_STREAM = [
  event('response.created', { response: { id: 'resp_1', model: 'gpt-4.1-2025-04-14', error: null, output: [], usage: null } }),
  event('response.output_text.delta', { item_id: 'msg_1', delta: 'Hi' }),
  event('response.output_text.done', { item_id: 'msg_1', text: 'Hi' }),
  event('response.completed', {
    response: {
      id: 'resp_1',
      model: 'gpt-4.1-2025-04-14',
      error: null,
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }],
      usage: {
        input_tokens: 37,
        input_tokens_details: { cache_write_tokens: 0, cached_tokens: 1 },
        output_tokens: 11,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 48,
      },
    },
  }),
].join('');

const plain = (name: string, path: string, body: object, usage: AnswerFixture['usage']): AnswerFixture => ({
  name,
  path,
  kind: 'json',
  text: JSON.stringify(body),
  hidden: JSON.stringify(body),
  usage,
});
const events = (name: string, path: string, text: string, usage: AnswerFixture['usage'], hidden = text): AnswerFixture => ({
  name,
  path,
  kind: 'sse',
  text,
  hidden,
  usage,
});

const ANSWERS: readonly AnswerFixture[] = [
  events('a streamed chat', '/v1/chat/completions', stream('\n', true), CHAT_READ, stream('\n', false)),
  events('a streamed chat with CR LF', '/v1/chat/completions', stream('\r\n', true), CHAT_READ, stream('\r\n', false)),
  events('a streamed chat with CR', '/v1/chat/completions', stream('\r', true), CHAT_READ, stream('\r', false)),
  events('a streamed chat without usage', '/v1/chat/completions', stream('\n', false), undefined),
  events('a streamed response', '/v1/responses', RESPONSE_STREAM, {
    inputTokens: 37,
    outputTokens: 11,
    cachedInputTokens: 1,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
  }),
  events(
    'a streamed image',
    '/v1/images/generations',
    event('image_generation.completed', {
      b64_json: 'QUJD'.repeat(50),
      usage: { input_tokens: 5, output_tokens: 7, total_tokens: 12, input_tokens_details: { image_tokens: 0, text_tokens: 5 } },
    }),
    { inputTokens: 5, outputTokens: 7, inputImageTokens: 0, outputImageTokens: 7 },
  ),
  plain(
    'a chat',
    '/v1/chat/completions',
    {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      model: 'gpt-4.1-2025-04-14',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hé "llo" 😀', refusal: null, annotations: [] }, logprobs: null, finish_reason: 'stop' }],
      usage: CHAT_USAGE,
      service_tier: 'default',
    },
    CHAT_READ,
  ),
  plain(
    'a response',
    '/v1/responses',
    {
      id: 'resp_1',
      error: null,
      model: 'gpt-4.1-2025-04-14',
      metadata: { usage: 'x' },
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }],
      usage: { input_tokens: 37, output_tokens: 11, total_tokens: 48 },
    },
    { inputTokens: 37, outputTokens: 11 },
  ),
  plain(
    'embeddings',
    '/v1/embeddings',
    {
      object: 'list',
      data: [{ object: 'embedding', embedding: [0.0023, -9.3e-3], index: 0 }],
      model: 'text-embedding-3-small',
      usage: { prompt_tokens: 8, total_tokens: 8 },
    },
    { inputTokens: 8, outputTokens: 0 },
  ),
  plain('a moderation', '/v1/moderations', { id: 'modr-1', model: 'omni-moderation-latest', results: [{ flagged: false }] }, undefined),
  plain('a transcription by duration', '/v1/audio/transcriptions', { text: 'Hello.', usage: { type: 'duration', seconds: 9 } }, undefined),
  {
    name: 'subtitles',
    path: '/v1/audio/transcriptions',
    kind: 'other',
    text: '1\n00:00 --> 00:01\nHi\n',
    hidden: '1\n00:00 --> 00:01\nHi\n',
    usage: undefined,
  },
];

dialectContract({
  dialect: openai,
  requests: REQUESTS,
  answers: ANSWERS,
  readRefusal: (body) => {
    const { code, message } = (body as { readonly error: { readonly code: unknown; readonly message: unknown } }).error;
    return { code, message };
  },
  credentials: ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key', 'openai-organization', 'openai-project', 'proxy-authorization'],
});
