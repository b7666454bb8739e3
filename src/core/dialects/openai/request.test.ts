import { describe, expect, it } from 'vitest';
import type { Endpoint, RequestFacts } from '../types.ts';
import { match } from './endpoints.ts';
import { readRequest } from './request.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const JSON_HEADERS = { contentType: 'application/json', contentEncoding: undefined };

function endpoint(path: string): Endpoint {
  const found = match('POST', path);
  if (found.kind !== 'endpoint') throw new Error(path);
  return found.endpoint;
}

function read(
  path: string,
  body: unknown,
  headers: { contentType: string | undefined; contentEncoding: string | undefined } = JSON_HEADERS,
): ReturnType<typeof readRequest> {
  return readRequest(endpoint(path), bytesOf(typeof body === 'string' ? body : JSON.stringify(body)), headers);
}

function facts(path: string, body: unknown): RequestFacts {
  const result = read(path, body);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

const CHAT = '/v1/chat/completions';
const HI = [{ role: 'user', content: 'hi' }];
const chat = (more: object): object => ({ model: 'm', messages: HI, ...more });
const respond = (more: object): object => ({ model: 'm', input: 'hi', ...more });
const part = (content: object): object => chat({ messages: [{ role: 'user', content: [content] }] });
const item = (input: object): object => respond({ input: [input] });

describe('faults', () => {
  it.each([
    ['', 'invalid_body', undefined, 'empty'],
    ['[]', 'invalid_body', undefined, 'object'],
    ['{"model":"m",}', 'invalid_json', undefined, 'byte 13'],
    ['{"model":"a","messages":[],"mod\\u0065l":"b"}', 'invalid_json', undefined, 'twice'],
    ['{"model":"m","messages":[{"role":"user","role":"system","content":"x"}]}', 'invalid_json', 'messages[0]', 'twice'],
    ['{"model":"m","messages":[{"role":"user","content":[{"type":"text","type":"image_url"}]}]}', 'invalid_json', 'messages[0].content[0]', 'twice'],
    ['{"model":"m","messages":[],"stream_options":{"include_usage":true,"include_usage":false}}', 'invalid_value', 'messages', 'at least one'],
    [{ messages: HI }, 'invalid_value', 'model', 'missing'],
    [chat({ model: null }), 'invalid_value', 'model', 'missing'],
    [chat({ model: ['gpt'] }), 'invalid_value', 'model', 'string'],
    [chat({ model: 7 }), 'invalid_value', 'model', 'string'],
    [chat({ model: 'x'.repeat(10_240) }), 'invalid_value', 'model', '256 bytes'],
    [chat({ model: ' ' }), 'invalid_value', 'model', 'empty'],
    [chat({ model: 'a\u0000b' }), 'invalid_value', 'model', 'control'],
    [chat({ model: 'a\ud800' }), 'invalid_value', 'model', 'surrogate'],
    [chat({ messages: undefined }), 'invalid_value', 'messages', 'array'],
    [chat({ messages: 'hi' }), 'invalid_value', 'messages', 'array'],
    [chat({ messages: ['hi'] }), 'invalid_value', 'messages[0]', 'object'],
    [chat({ messages: [{ role: 'user', content: 5 }] }), 'invalid_value', 'messages[0].content', 'string'],
    [part({ type: 'image_url', image_url: 5 }), 'invalid_value', 'messages[0].content[0].image_url', 'string'],
    [chat({ stream: 'true' }), 'invalid_value', 'stream', 'true or false'],
    [chat({ stream: 1 }), 'invalid_value', 'stream', 'true or false'],
    [chat({ stream_options: [] }), 'invalid_value', 'stream_options', 'object'],
    [chat({ stream_options: { include_usage: 'yes' } }), 'invalid_value', 'stream_options.include_usage', 'true or false'],
    [chat({ max_tokens: -1 }), 'invalid_value', 'max_tokens', 'whole number'],
    [chat({ max_tokens: 0 }), 'invalid_value', 'max_tokens', 'whole number'],
    [chat({ max_tokens: 1.5 }), 'invalid_value', 'max_tokens', 'whole number'],
    ['{"model":"m","messages":[{}],"max_tokens":1e99}', 'invalid_value', 'max_tokens', 'whole number'],
    [chat({ max_completion_tokens: '100' }), 'invalid_value', 'max_completion_tokens', 'whole number'],
    [chat({ max_completion_tokens: 10, max_tokens: 20 }), 'invalid_value', 'max_tokens', 'differ'],
    [chat({ n: 0 }), 'invalid_value', 'n', 'from 1 to 128'],
    [chat({ n: 129 }), 'invalid_value', 'n', 'from 1 to 128'],
    [chat({ tools: {} }), 'invalid_value', 'tools', 'array'],
    [chat({ service_tier: 5 }), 'invalid_value', 'service_tier', 'string'],
    [chat({ store: true }), 'unsupported_state', 'store', 'false'],
    [chat({ messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }), 'unsupported_state', 'messages[0].audio', 'transcript'],
  ])('refuses the chat %j', (body, code, param, message) => {
    expect(read(CHAT, body)).toEqual({ ok: false, error: { code, param, message: expect.stringContaining(message) } });
  });

  it.each([
    [respond({ background: true }), 'background'],
    [respond({ tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }), 'tools[0].vector_store_ids'],
    [respond({ tools: [{ type: 'code_interpreter', container: 'cntr_1' }] }), 'tools[0].container'],
    [respond({ tools: [{ type: 'shell', environment: { type: 'container_reference', container_id: 'cntr_1' } }] }), 'tools[0].environment.container_id'],
    [respond({ conversation: 'conv_1' }), 'conversation'],
    [respond({ prompt: { id: 'pmpt_1' } }), 'prompt'],
  ])('refuses the response %j, which needs what the provider keeps', (body, param) => {
    expect(read('/v1/responses', body)).toMatchObject({ ok: false, error: { code: 'unsupported_state', param } });
  });

  it.each([
    [undefined, undefined, 'unsupported_content_type', 'no content-type'],
    ['application/x-www-form-urlencoded', undefined, 'unsupported_content_type', "-H 'content-type: application/json'"],
    ['text/plain', undefined, 'unsupported_content_type', 'Send application/json'],
    ['multipart/form-data; boundary=x', undefined, 'unsupported_content_type', 'Send application/json'],
    ['application/json; charset=utf-16', undefined, 'unsupported_content_type', 'charset'],
    ['application/json', 'gzip', 'unsupported_content_encoding', 'uncompressed'],
    ['application/json', 'identity, gzip', 'unsupported_content_encoding', 'uncompressed'],
  ])('refuses content-type %s with content-encoding %s', (contentType, contentEncoding, code, message) => {
    expect(read(CHAT, chat({}), { contentType, contentEncoding })).toEqual({
      ok: false,
      error: { code, param: undefined, message: expect.stringContaining(message) },
    });
  });

  it.each(['application/json', 'Application/JSON; charset="UTF-8"', ' application/json ;charset=utf-8'])('takes the content-type %s', (contentType) => {
    expect(read(CHAT, chat({}), { contentType, contentEncoding: 'identity' }).ok).toBe(true);
  });

  it('never repeats what a caller wrote', () => {
    const secret = 'sk-planted';
    for (const body of [
      chat({ model: [secret] }),
      chat({ stream: secret }),
      `{"model":"${secret}`,
      chat({ messages: [secret] }),
      chat({ [secret]: 1, n: secret }),
    ]) {
      expect(JSON.stringify(read(CHAT, body))).not.toContain(secret);
    }
    expect(JSON.stringify(facts(CHAT, chat({ tools: [{ type: `${secret} "` }] })).unbounded)).not.toContain(secret);
  });
});

describe('facts', () => {
  it('reads a plain chat', () => {
    const body = chat({});
    expect(facts(CHAT, body)).toEqual({
      model: 'm',
      stream: false,
      wantsStreamUsage: true,
      maxOutputTokens: undefined,
      choices: 1,
      inputTokenBound: JSON.stringify(body).length + 64,
      inputTokenEstimate: Math.ceil(JSON.stringify(body).length / 4),
      inputImages: 0,
      unbounded: [],
      hasOutput: true,
      tier: 'standard',
      references: [],
      stores: 'no',
    });
  });

  it.each([
    [{}, 'default'],
    [{ store: null }, 'default'],
    [{ store: true }, 'asked'],
    [{ store: false }, 'no'],
  ])('tells whether the response to %j is kept', (fields, stores) => {
    expect(facts('/v1/responses', respond(fields)).stores).toBe(stores);
  });

  it.each([
    [respond({ previous_response_id: 'resp_1' }), [{ kind: 'response', id: 'resp_1', param: 'previous_response_id' }]],
    [item({ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }), [{ kind: 'file', id: 'file-1', param: 'input[0].content[0].file_id' }]],
    [item({ type: 'novelty', parts: [{ deep: { file_id: 'file-1' } }] }), [{ kind: 'file', id: 'file-1', param: 'input[0].parts[0].deep.file_id' }]],
    [
      respond({ tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-1', 'file-2'] } }] }),
      [
        { kind: 'file', id: 'file-1', param: 'tools[0].container.file_ids[0]' },
        { kind: 'file', id: 'file-2', param: 'tools[0].container.file_ids[1]' },
      ],
    ],
    [
      respond({ tools: [{ type: 'image_generation', input_image_mask: { file_id: 'file-1' } }] }),
      [{ kind: 'file', id: 'file-1', param: 'tools[0].input_image_mask.file_id' }],
    ],
  ])('finds what %j refers to', (body, references) => {
    expect(facts('/v1/responses', body).references).toEqual(references);
  });

  it.each([
    [item({ type: 'item_reference', id: 'rs_1' }), 'rs_1'],
    [item({ id: 'rs_1' }), 'rs_1'],
    [item({ type: 'reasoning', id: 'rs_1', summary: [] }), 'rs_1'],
    [item({ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: null }), 'rs_1'],
    [item({ type: 'image_generation_call', id: 'ig_1' }), 'ig_1'],
    [item({ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'abc' }), undefined],
    [item({ type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'x' }] }), undefined],
    [item({ type: 'reasoning', summary: [] }), undefined],
    [item({ type: 'image_generation_call', id: 'ig_1', result: 'aGk=' }), undefined],
    [item({ type: 'message', id: 'msg_1', role: 'assistant', content: 'hi' }), undefined],
  ])('tells whether %j is told by its id alone', (body, id) => {
    expect(facts('/v1/responses', body).references).toEqual(id === undefined ? [] : [{ kind: 'item', id, param: 'input[0].id' }]);
  });

  it('refuses ids that no provider makes, and more than can be looked up', () => {
    expect(read('/v1/responses', respond({ previous_response_id: 'a/../b' }))).toMatchObject({
      ok: false,
      error: { code: 'invalid_value', param: 'previous_response_id' },
    });
    const many = Array.from({ length: 300 }, (_, index) => ({ type: 'input_image', file_id: `file-${index}` }));
    expect(read('/v1/responses', item({ role: 'user', content: many }))).toMatchObject({
      ok: false,
      error: { code: 'invalid_value', param: 'input[0].content[256].file_id' },
    });
  });

  it.each([
    [CHAT, chat({ stream: true }), { stream: true, wantsStreamUsage: false }],
    [CHAT, chat({ stream: true, stream_options: { include_usage: true } }), { stream: true, wantsStreamUsage: true }],
    [CHAT, chat({ stream: null, n: null, max_tokens: null, store: null, tools: null }), { stream: false, choices: 1, maxOutputTokens: undefined }],
    [CHAT, chat({ max_tokens: 5 }), { maxOutputTokens: 5 }],
    [CHAT, chat({ max_completion_tokens: 6, max_tokens: 6 }), { maxOutputTokens: 6 }],
    [CHAT, chat({ n: 3, best_of: 5 }), { choices: 5 }],
    [CHAT, chat({ service_tier: 'flex' }), { tier: 'flex', unbounded: [] }],
    [CHAT, chat({ service_tier: 'fast' }), { tier: 'priority', unbounded: [] }],
    [CHAT, chat({ service_tier: 'auto' }), { tier: 'standard', unbounded: [] }],
    [CHAT, chat({ service_tier: 'ultrafast' }), { tier: 'standard', unbounded: ['service_tier "ultrafast"'] }],
    [CHAT, part({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }), { unbounded: ['content part "input_audio"'] }],
    [CHAT, part({ type: 'file', file: { file_id: 'f' } }), { unbounded: ['file by id'] }],
    [CHAT, part({ type: 'file', file: { file_data: 'AAAA' } }), { unbounded: ['file'] }],
    [CHAT, part({ type: 'image_url', image_url: { url: 'https://a/b.png' } }), { inputImages: 1, unbounded: [] }],
    [CHAT, chat({ modalities: ['text', 'audio'] }), { unbounded: ['audio output'] }],
    [CHAT, chat({ prediction: { type: 'content', content: 'x' } }), { unbounded: ['prediction'] }],
    [CHAT, chat({ web_search_options: {} }), { unbounded: ['field "web_search_options"'] }],
    [CHAT, chat({ models: ['dear'] }), { unbounded: ['field "models"'] }],
    [CHAT, chat({ tools: [{ type: 'builtin_function' }] }), { unbounded: ['hosted tool "builtin_function"'] }],
    [CHAT, chat({ tools: [{}] }), { unbounded: ['hosted tool of unknown type'] }],
    ['/v1/completions', { model: 'm', prompt: ['a', 'b'], n: 2, best_of: 3, max_tokens: 0 }, { choices: 6, maxOutputTokens: 0 }],
    ['/v1/completions', { model: 'm', prompt: [1, 2, 3] }, { choices: 1 }],
    ['/v1/completions', { model: 'm', prompt: [[1], [2]] }, { choices: 2 }],
    ['/v1/responses', respond({ stream: true, max_output_tokens: 9 }), { stream: true, wantsStreamUsage: true, maxOutputTokens: 9, unbounded: [] }],
    [
      '/v1/responses',
      respond({
        tools: [
          { type: 'function' },
          { type: 'custom' },
          { type: 'namespace', tools: [{ type: 'function' }] },
          { type: 'shell', environment: { type: 'local' } },
        ],
      }),
      { unbounded: [] },
    ],
    [
      '/v1/responses',
      respond({ tools: ['web_search', 'file_search', 'code_interpreter', 'image_generation', 'mcp', 'computer', 'shell'].map((type) => ({ type })) }),
      { unbounded: ['web_search', 'file_search', 'code_interpreter', 'image_generation', 'mcp', 'computer', 'shell'].map((type) => `hosted tool "${type}"`) },
    ],
    ['/v1/responses', item({ type: 'additional_tools', tools: [{ type: 'web_search' }] }), { unbounded: ['hosted tool "web_search"'] }],
    ['/v1/responses', item({ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }), { unbounded: ['input_file by id'] }],
    ['/v1/responses', item({ role: 'user', content: [{ type: 'input_file', file_url: 'https://a' }] }), { unbounded: ['input_file by URL'] }],
    [
      '/v1/responses',
      item({ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }),
      { inputImages: 1, unbounded: [], references: [{ kind: 'file', id: 'f', param: 'input[0].content[0].file_id' }] },
    ],
    ['/v1/responses', item({ type: 'function_call_output', output: [{ type: 'input_image', image_url: 'https://a' }] }), { inputImages: 1, unbounded: [] }],
    [
      '/v1/responses',
      item({ type: 'computer_call_output', output: { type: 'computer_screenshot', image_url: 'https://a' } }),
      { inputImages: 1, unbounded: [] },
    ],
    ['/v1/responses', item({ type: 'reasoning', summary: [], encrypted_content: 'abc' }), { unbounded: [] }],
    ['/v1/responses', item({ type: 'compaction', encrypted_content: 'abc' }), { unbounded: ['input item "compaction"'] }],
    ['/v1/responses', respond({ context_management: [{ type: 'compaction' }] }), { unbounded: ['context_management'] }],
    ['/v1/responses', respond({ reasoning: { mode: 'pro' } }), { unbounded: ['reasoning mode "pro"'] }],
    ['/v1/embeddings', { model: 'e', input: [[1, 2], [3]] }, { hasOutput: false, unbounded: [] }],
    [
      '/v1/moderations',
      { input: [{ type: 'image_url', image_url: { url: 'https://a' } }] },
      { model: 'omni-moderation-latest', inputImages: 1, hasOutput: false },
    ],
    ['/v1/images/generations', { model: 'i', prompt: 'x', n: 4 }, { choices: 4 }],
    ['/v1/images/generations', { model: 'i', prompt: 'x', output_format: 'svg' }, { unbounded: ['svg output'] }],
    [
      '/v1/images/edits',
      { model: 'i', prompt: 'x', images: [{ image_url: 'https://a' }, { file_id: 'f' }] },
      { inputImages: 2, unbounded: [], references: [{ kind: 'file', id: 'f', param: 'images[1].file_id' }] },
    ],
    ['/v1/audio/speech', { model: 's', input: 'x', voice: 'alloy', stream_format: 'sse' }, { stream: true }],
  ])('reads from %s %j', (path, body, expected) => {
    expect(facts(path, body)).toMatchObject(expected);
  });

  it('counts an image in base64 as an image, and not by its bytes', () => {
    const image = (data: string): RequestFacts => facts(CHAT, part({ type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } }));
    expect(image('A'.repeat(1_000_000)).inputTokenBound).toBe(image('').inputTokenBound);
    expect(image('A'.repeat(1_000_000)).inputImages).toBe(1);
    const text = facts(CHAT, part({ type: 'image_url', image_url: { url: `data:text/plain,${'A'.repeat(1000)}` } }));
    expect(text.inputTokenBound).toBeGreaterThan(1000);
  });

  it('bounds tools with what a template adds to explain them', () => {
    const without = facts(CHAT, chat({}));
    const withTools = facts(CHAT, chat({ tools: [{ type: 'function', function: { name: 'f' } }] }));
    expect(withTools.inputTokenBound - without.inputTokenBound).toBeGreaterThan(512);
  });
});

describe('forms', () => {
  const form = (fields: readonly (readonly [disposition: string, value: string])[]): string =>
    `${fields.map(([disposition, value]) => `--B\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`).join('')}--B--\r\n`;
  const readForm = (path: string, body: string): ReturnType<typeof readRequest> =>
    read(path, body, { contentType: 'multipart/form-data; boundary=B', contentEncoding: undefined });
  const FILE = ['name="file"; filename="a.wav"', 'RIFF\r\n--b\u0000'] as const;
  const MODEL = ['name="model"', 'whisper-1'] as const;

  it('reads a transcription', () => {
    expect(readForm('/v1/audio/transcriptions', form([FILE, MODEL, ['name="stream"', 'true']]))).toMatchObject({
      ok: true,
      value: { model: 'whisper-1', stream: true, wantsStreamUsage: true, inputImages: 0, unbounded: ['audio input'], hasOutput: true },
    });
  });

  it('reads an image edit', () => {
    const body = form([
      ['name="image[]"; filename="a.png"', 'x'],
      ['name="image[]"; filename="b.png"', 'x'],
      ['name=model', 'gpt-image-1'],
      ['name="n"', '2'],
      ['name="prompt"', 'a hat'],
    ]);
    expect(readForm('/v1/images/edits', body)).toMatchObject({ ok: true, value: { model: 'gpt-image-1', choices: 2, inputImages: 2, unbounded: [] } });
  });

  it.each([
    ['no model', form([FILE]), 'model', 'missing'],
    ['two models', form([MODEL, MODEL]), 'model', 'twice'],
    ['a model as a file', form([['name="model"; filename="m"', 'x']]), 'model', 'plain ASCII'],
    ['a long model', form([['name="model"', 'x'.repeat(300)]]), 'model', '256'],
    ['a bad stream', form([MODEL, ['name="stream"', 'yes']]), 'stream', 'true or false'],
    ['n of none', form([MODEL, ['name="n"', '0']]), 'n', 'from 1'],
    ['n as a fraction', form([MODEL, ['name="n"', '1.5']]), 'n', 'from 1'],
    ['nothing', '', undefined, 'empty'],
    ['no boundary', 'model=whisper-1', undefined, 'begin'],
    ['no end', form([MODEL]).slice(0, -6), undefined, 'closing'],
    ['something after the end', `${form([MODEL])}--B`, undefined, 'follows'],
    ['the boundary within a field', form([['name="x"', 'a\n--B\r\nb'], MODEL]), undefined, 'within'],
    ['no headers', '--B\r\n\r\nx\r\n--B--', undefined, 'blank line'],
    ['no name', form([['nome="x"', 'x']]), undefined, 'name'],
    ['two names', form([['name="x"; name="model"', 'x']]), undefined, 'name'],
    ['an extended name', form([['name*=utf-8\'\'model; name="x"', 'x']]), undefined, 'name'],
    ['a folded header', '--B\r\nContent-Disposition: form-data;\r\n name="model"\r\n\r\nx\r\n--B--', undefined, 'folded'],
    ['two dispositions', '--B\r\nContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="model"\r\n\r\nx\r\n--B--', undefined, 'two'],
    ['an encoded field', '--B\r\nContent-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--B--', undefined, 'encoded'],
    ['too many fields', form([...Array.from({ length: 256 }, (_, index) => [`name="f${index}"`, 'x'] as const), MODEL]), undefined, '256'],
  ])('refuses a form with %s', (_, body, param, message) => {
    expect(readForm('/v1/audio/transcriptions', body)).toMatchObject({ ok: false, error: { param, message: expect.stringContaining(message) } });
  });

  it('refuses a content-type without a usable boundary', () => {
    for (const contentType of [
      'multipart/form-data',
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary=a; boundary=b',
      `multipart/form-data; boundary=${'x'.repeat(71)}`,
    ]) {
      expect(read('/v1/audio/transcriptions', form([MODEL]), { contentType, contentEncoding: undefined })).toMatchObject({
        ok: false,
        error: { code: 'unsupported_content_type' },
      });
    }
  });
});
