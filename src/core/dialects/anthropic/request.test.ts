import { describe, expect, it } from 'vitest';
import type { RequestFacts } from '../types.ts';
import { match } from './endpoints.ts';
import { readRequest } from './request.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const HEADERS = { contentType: 'application/json', contentEncoding: undefined };

function read(
  body: unknown,
  path = '/v1/messages',
  headers: { contentType: string | undefined; contentEncoding: string | undefined } = HEADERS,
): ReturnType<typeof readRequest> {
  const found = match('POST', path);
  if (found.kind !== 'endpoint') throw new Error(path);
  return readRequest(found.endpoint, bytesOf(typeof body === 'string' ? body : JSON.stringify(body)), headers);
}

function facts(body: unknown, path?: string): RequestFacts {
  const result = read(body, path);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

const HI = [{ role: 'user', content: 'hi' }];
const chat = (more: object): object => ({ model: 'm', max_tokens: 9, messages: HI, ...more });
const block = (content: object): object => chat({ messages: [{ role: 'user', content: [content] }] });
const size = (body: object): number => JSON.stringify(body).length;

describe('faults', () => {
  it.each([
    ['', 'invalid_body', undefined, 'empty'],
    ['[]', 'invalid_body', undefined, 'object'],
    ['{"model":"m",}', 'invalid_json', undefined, 'byte 13'],
    ['{"model":"a","max_tokens":1,"messages":[{}],"mod\\u0065l":"b"}', 'invalid_json', undefined, 'twice'],
    ['{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","type":"image"}]}]}', 'invalid_json', 'messages[0].content[0]', 'twice'],
    [chat({ model: undefined }), 'invalid_value', 'model', 'missing'],
    [chat({ model: 7 }), 'invalid_value', 'model', 'string'],
    [chat({ model: 'a\u0000b' }), 'invalid_value', 'model', 'control'],
    [chat({ max_tokens: undefined }), 'invalid_value', 'max_tokens', 'missing'],
    [chat({ max_tokens: null }), 'invalid_value', 'max_tokens', 'missing'],
    [chat({ max_tokens: '9' }), 'invalid_value', 'max_tokens', 'whole number'],
    [chat({ max_tokens: -1 }), 'invalid_value', 'max_tokens', 'whole number'],
    [chat({ max_tokens: 1.5 }), 'invalid_value', 'max_tokens', 'whole number'],
    [chat({ messages: [] }), 'invalid_value', 'messages', 'at least one'],
    [chat({ messages: 'hi' }), 'invalid_value', 'messages', 'array'],
    [chat({ messages: [{ role: 'user', content: 5 }] }), 'invalid_value', 'messages[0].content', 'blocks'],
    [chat({ system: {} }), 'invalid_value', 'system', 'blocks'],
    [chat({ stream: 'true' }), 'invalid_value', 'stream', 'true or false'],
    [chat({ tools: {} }), 'invalid_value', 'tools', 'array'],
    [chat({ service_tier: 5 }), 'invalid_value', 'service_tier', 'string'],
    [chat({ billing_policy: { type: 'billing_policy', bill_to: 'user_profile' } }), 'invalid_value', 'billing_policy', 'billed'],
    [chat({ container: 'container_1' }), 'unsupported_state', 'container', 'keeps'],
    [chat({ container: { skills: [] } }), 'unsupported_state', 'container', 'keeps'],
    [chat({ thread: { type: 'create' } }), 'unsupported_state', 'thread', 'kept'],
    [block({ type: 'container_upload', file_id: 'f' }), 'unsupported_state', 'messages[0].content[0].file_id', 'keeps'],
  ])('refuses %j', (body, code, param, message) => {
    expect(read(body)).toEqual({ ok: false, error: { code, param, message: expect.stringContaining(message) } });
  });

  it.each([
    ['text/plain', undefined, 'unsupported_content_type'],
    ['multipart/form-data; boundary=x', undefined, 'unsupported_content_type'],
    ['application/json', 'gzip', 'unsupported_content_encoding'],
  ])('refuses content-type %s with content-encoding %s', (contentType, contentEncoding, code) => {
    expect(read(chat({}), '/v1/messages', { contentType, contentEncoding })).toMatchObject({ ok: false, error: { code } });
  });

  it('never repeats what a caller wrote', () => {
    const secret = 'sk-ant-planted';
    for (const body of [chat({ model: [secret] }), chat({ stream: secret }), `{"model":"${secret}`, chat({ messages: [secret] })]) {
      expect(JSON.stringify(read(body))).not.toContain(secret);
    }
    expect(JSON.stringify(facts(chat({ tools: [{ type: `${secret} "` }] })).unbounded)).not.toContain(secret);
  });
});

describe('facts', () => {
  it('reads a plain chat', () => {
    const body = chat({});
    expect(facts(body)).toEqual({
      model: 'm',
      stream: false,
      wantsStreamUsage: true,
      maxOutputTokens: 9,
      choices: 1,
      inputTokenBound: size(body) + 64,
      inputTokenEstimate: Math.ceil(size(body) / 3.5),
      inputImages: 0,
      unbounded: [],
      hasOutput: true,
      tier: 'standard',
      cacheWrites: 'none',
      references: [],
      stores: 'no',
    });
  });

  it.each([
    [block({ type: 'image', source: { type: 'file', file_id: 'f' } }), 'messages[0].content[0].source.file_id', { inputImages: 1, unbounded: [] }],
    [block({ type: 'document', source: { type: 'file', file_id: 'f' } }), 'messages[0].content[0].source.file_id', { unbounded: ['document by file id'] }],
    [
      block({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }),
      'messages[0].content[0].content[0].source.file_id',
      { inputImages: 1 },
    ],
  ])('finds the file that %j refers to', (body, param, expected) => {
    expect(facts(body)).toMatchObject({ ...expected, references: [{ kind: 'file', id: 'f', param }] });
  });

  it.each([
    [chat({ stream: true }), { stream: true, wantsStreamUsage: true }],
    [chat({ max_tokens: 0 }), { maxOutputTokens: 0 }],
    [chat({ service_tier: 'auto' }), { tier: 'standard', unbounded: [] }],
    [chat({ service_tier: 'standard_only' }), { tier: 'standard', unbounded: [] }],
    [chat({ service_tier: 'priority' }), { unbounded: ['service_tier "priority"'] }],
    [chat({ speed: 'fast' }), { unbounded: ['speed "fast"'] }],
    [chat({ speed: 'standard', inference_geo: 'global' }), { unbounded: [] }],
    [chat({ inference_geo: 'us' }), { unbounded: ['inference_geo "us"'] }],
    [chat({ fallbacks: 'default' }), { unbounded: ['field "fallbacks"'] }],
    [chat({ compaction: { type: 'summarize' } }), { unbounded: ['field "compaction"'] }],
    [chat({ context_management: { edits: [{ type: 'clear_tool_uses_20250919' }, { type: 'clear_thinking_20251015' }] } }), { unbounded: [] }],
    [chat({ context_management: { edits: [{ type: 'compact_20260112' }] } }), { unbounded: ['context_management "compact_20260112"'] }],
    [chat({ mcp_servers: [] }), { unbounded: [] }],
    [chat({ mcp_servers: [{ type: 'url', url: 'https://m' }] }), { unbounded: ['mcp_servers'] }],
    [
      chat({
        tools: [
          { name: 'f', input_schema: {} },
          { type: 'custom', name: 'g' },
          { type: 'bash_20250124', name: 'bash' },
          { type: 'text_editor_20250728' },
          { type: 'computer_20251124' },
          { type: 'memory_20250818' },
        ],
      }),
      { unbounded: [] },
    ],
    [
      chat({ tools: [{ type: 'web_search_20260318', name: 'web_search' }, { type: 'code_execution_20260521' }] }),
      { unbounded: ['hosted tool "web_search_20260318"', 'hosted tool "code_execution_20260521"'] },
    ],
    [
      chat({ tools: [{ type: 'computer_toolset_20260801' }, { type: 'mcp_toolset' }] }),
      { unbounded: ['toolset "computer_toolset_20260801"', 'toolset "mcp_toolset"'] },
    ],
    [block({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }), { unbounded: [] }],
    [
      block({ type: 'document', source: { type: 'content', content: [{ type: 'image', source: { type: 'url', url: 'https://i' } }] } }),
      { unbounded: [], inputImages: 1 },
    ],
    [block({ type: 'document', source: { type: 'url', url: 'https://d' } }), { unbounded: ['document by URL'] }],
    [block({ type: 'video', source: {} }), { unbounded: ['content block "video"'] }],
    [block({ type: 'thinking', thinking: 'x', signature: 's' }), { unbounded: [] }],
    [block({ type: 'web_search_tool_result', content: [] }), { unbounded: ['content block "web_search_tool_result"'] }],
    [block({ type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'x' }] }), { unbounded: [] }],
  ])('reads %j', (body, expected) => {
    expect(facts(body)).toMatchObject(expected);
  });

  it.each(['image', 'document'])('counts a base64 %s apart from the text', (type) => {
    const data = 'QUJD'.repeat(1000);
    const body = block({ type, source: { type: 'base64', media_type: 'x/y', data } });
    const nested = block({ type: 'tool_result', tool_use_id: 't', content: [{ type, source: { type: 'base64', media_type: 'x/y', data } }] });
    expect(facts(body)).toMatchObject({
      inputTokenBound: size(body) - data.length + 64,
      inputImages: type === 'image' ? 1 : 0,
      unbounded: type === 'image' ? [] : ['document'],
    });
    expect(facts(nested)).toMatchObject({ inputTokenBound: size(nested) - data.length + 64 });
  });

  it('adds what Anthropic adds for tools and formats', () => {
    const plain = chat({ tools: [{ name: 'f' }] });
    const kept = chat({ tools: [{ type: 'bash_20250124' }] });
    const format = chat({ output_config: { format: { type: 'json_schema', schema: {} } } });
    expect(facts(plain).inputTokenBound - size(plain)).toBe(64 + 1060);
    expect(facts(kept).inputTokenBound - size(kept)).toBe(64 + 1060 + 1500);
    expect(facts(format).inputTokenBound - size(format)).toBe(64 + 512);
  });

  it('prices the counting of tokens at nothing, and needs no cap for it', () => {
    const body = { model: 'm', messages: HI, tools: [{ type: 'web_search_20260318' }] };
    expect(facts(body, '/v1/messages/count_tokens')).toMatchObject({
      model: 'm',
      inputTokenBound: 0,
      hasOutput: false,
      unbounded: [],
      maxOutputTokens: undefined,
    });
  });
});
