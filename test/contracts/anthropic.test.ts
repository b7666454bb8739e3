import { anthropic } from '../../src/core/dialects/anthropic/index.ts';
import { dialectContract } from './dialect.ts';
import type { AnswerFixture, RequestFixture } from './dialect.ts';

/*
 * Written by hand from the types and documentation comments of `@anthropic-ai/sdk` and the published API reference;
 * none of it was recorded from an account.
 */
const json = (path: string, body: object, facts: RequestFixture['facts']): RequestFixture => ({
  path,
  contentType: 'application/json',
  body: JSON.stringify(body, undefined, 1),
  facts,
  modelOf: (text) => (JSON.parse(text) as { readonly model?: unknown }).model,
});

const CONVERSATION = {
  model: 'claude-sonnet-4-5',
  system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is „this“? 😀' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 'EqQB' },
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: { x: 1 } },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'a cat' }] },
  ],
  tools: [{ name: 'look', description: 'Looks.', input_schema: { type: 'object', properties: { x: { type: 'number' } } } }],
  thinking: { type: 'enabled', budget_tokens: 2048 },
};

const REQUESTS: readonly RequestFixture[] = [
  json(
    '/v1/messages',
    { ...CONVERSATION, max_tokens: 4096, stream: true, metadata: { user_id: 'u' } },
    {
      model: 'claude-sonnet-4-5',
      stream: true,
      wantsStreamUsage: true,
      maxOutputTokens: 4096,
      choices: 1,
      inputImages: 1,
      unbounded: [],
      hasOutput: true,
      tier: 'standard',
    },
  ),
  json('/v1/messages/count_tokens', CONVERSATION, { hasOutput: false, inputTokenBound: 0, unbounded: [] }),
];

const USAGE = {
  input_tokens: 19,
  cache_creation_input_tokens: 6,
  cache_read_input_tokens: 4,
  cache_creation: { ephemeral_5m_input_tokens: 6, ephemeral_1h_input_tokens: 0 },
  output_tokens: 1,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: 'standard',
};
const READ = { inputTokens: 29, outputTokens: 10, cachedInputTokens: 4, cacheWriteTokens: 6, cacheWriteLongTokens: 0, reasoningTokens: 3 };

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content: [] as object[],
  stop_reason: null as string | null,
  stop_sequence: null,
  usage: USAGE,
};
const FINAL = { output_tokens: 10, output_tokens_details: { thinking_tokens: 3 } };

const stream = (end: string): string =>
  [
    { type: 'message_start', message: MESSAGE },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hé "llo" 😀\n' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"usage":{' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: FINAL },
    { type: 'message_stop' },
  ]
    .map((event) => `event: ${event.type}${end}data: ${JSON.stringify(event)}${end}${end}`)
    .join('');

const plain = (name: string, path: string, body: object, usage: AnswerFixture['usage']): AnswerFixture => ({
  name,
  path,
  kind: 'json',
  text: JSON.stringify(body),
  hidden: JSON.stringify(body),
  usage,
});
const events = (name: string, end: string): AnswerFixture => ({ name, path: '/v1/messages', kind: 'sse', text: stream(end), hidden: stream(end), usage: READ });

const ANSWERS: readonly AnswerFixture[] = [
  events('a streamed message', '\n'),
  events('a streamed message with CR LF', '\r\n'),
  events('a streamed message with CR', '\r'),
  plain(
    'a message',
    '/v1/messages',
    { ...MESSAGE, content: [{ type: 'text', text: 'Hé "llo" 😀', citations: null }], stop_reason: 'end_turn', usage: { ...USAGE, ...FINAL } },
    READ,
  ),
  plain('a count', '/v1/messages/count_tokens', { input_tokens: 2095 }, { inputTokens: 0, outputTokens: 0 }),
  { name: 'an HTML page', path: '/v1/messages', kind: 'other', text: '<html></html>', hidden: '<html></html>', usage: undefined },
];

dialectContract({
  dialect: anthropic,
  requests: REQUESTS,
  answers: ANSWERS,
  readRefusal: (body) => {
    const { message, details } = (body as { readonly error: { readonly message: unknown; readonly details: { readonly error_code: unknown } } }).error;
    return { code: details.error_code, message };
  },
  credentials: ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key', 'anthropic-workspace-id', 'proxy-authorization'],
});
