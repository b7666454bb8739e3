import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NeutralChat } from '../../neutral.ts';
import type { Endpoint } from '../../types.ts';
import { parseRequest } from './parse-request.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const MESSAGES: Endpoint = { operation: 'chat', path: '/messages', body: 'json' };
const COUNT: Endpoint = { operation: 'count_tokens', path: '/messages/count_tokens', body: 'json' };

const HI = [{ role: 'user', content: 'hi' }];
const body = (more: object): string => JSON.stringify({ model: 'claude-x', max_tokens: 9, messages: HI, ...more });
const said = (role: string, ...content: object[]): object => ({ messages: [{ role, content }] });

function read(text: string): { readonly chat: NeutralChat; readonly losses: readonly (readonly [string, string])[] } {
  const parsed = parseRequest(MESSAGES, bytesOf(text));
  if (!parsed.ok) throw new Error(parsed.error.message);
  return { chat: parsed.value.request as NeutralChat, losses: parsed.value.losses.map(({ treatment, param }) => [treatment, param]) };
}

const CALL = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { x: 1 } };
const answered = (result: object): object => ({
  messages: [
    { role: 'assistant', content: [CALL] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', ...result }] },
  ],
});
const RESULT = { kind: 'tool_result', callId: 'toolu_1', name: 'look', content: [], isError: false };

describe('parseRequest', () => {
  it('reads a plain message, and leaves out what is not there', () => {
    expect(read(body({}))).toEqual({
      chat: {
        kind: 'chat',
        model: 'claude-x',
        stream: false,
        wantsStreamUsage: true,
        messages: [{ role: 'user', parts: [{ kind: 'text', text: 'hi' }] }],
        tools: [],
        toolChoice: undefined,
        parallelToolCalls: undefined,
        format: undefined,
        sampling: {},
        reasoning: undefined,
        maxOutputTokens: 9,
        choices: 1,
        user: undefined,
        metadata: undefined,
        tier: undefined,
      },
      losses: [],
    });
  });

  it.each<[object, object[]]>([
    [{ system: 'S', messages: [] }, [{ role: 'system', parts: [{ kind: 'text', text: 'S' }] }]],
    [
      { system: [{ type: 'text', text: 'S', cache_control: { type: 'ephemeral', ttl: '1h' } }], messages: [] },
      [{ role: 'system', parts: [{ kind: 'text', text: 'S', cache: { ttl: '1h' } }] }],
    ],
    [{ system: [], messages: [{ role: 'system', content: 'S' }] }, [{ role: 'system', parts: [{ kind: 'text', text: 'S' }] }]],
    [{ cache_control: { type: 'ephemeral' } }, [{ role: 'user', parts: [{ kind: 'text', text: 'hi', cache: { ttl: undefined } }] }]],
    [
      said('user', { type: 'image', source: { type: 'base64', media_type: 'image/PNG', data: 'QQ==' } }),
      [{ role: 'user', parts: [{ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'QQ==' } }] }],
    ],
    [
      said('user', { type: 'image', source: { type: 'url', url: 'https://i' } }),
      [{ role: 'user', parts: [{ kind: 'image', source: { kind: 'url', url: 'https://i' } }] }],
    ],
    [
      said('user', { type: 'document', title: 'T', source: { type: 'text', media_type: 'text/plain', data: 'D' } }),
      [{ role: 'user', parts: [{ kind: 'document', name: 'T', source: { kind: 'text', text: 'D' } }] }],
    ],
    [
      said('user', { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'QQ==' } }),
      [{ role: 'user', parts: [{ kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'QQ==' } }] }],
    ],
    [
      said('user', {
        type: 'document',
        source: {
          type: 'content',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      }),
      [{ role: 'user', parts: [{ kind: 'document', source: { kind: 'text', text: 'a\n\nb' } }] }],
    ],
    [
      said('user', { type: 'search_result', source: 'https://s', title: 'T', content: [{ type: 'text', text: 'a' }] }),
      [{ role: 'user', parts: [{ kind: 'document', name: 'T', source: { kind: 'text', text: 'https://s\na' } }] }],
    ],
    [
      said('assistant', { type: 'thinking', thinking: 'T', signature: 's' }),
      [{ role: 'assistant', parts: [{ kind: 'thinking', text: 'T', signature: { origin: 'anthropic', data: 's' } }] }],
    ],
    [said('assistant', { type: 'thinking', thinking: 'T', signature: '' }), [{ role: 'assistant', parts: [{ kind: 'thinking', text: 'T' }] }]],
    [
      said('assistant', { type: 'thinking', thinking: 'T', signature: 'airmesh:openai:e' }),
      [{ role: 'assistant', parts: [{ kind: 'thinking', text: 'T', signature: { origin: 'openai', data: 'e' } }] }],
    ],
    [
      said('assistant', { type: 'redacted_thinking', data: 'd' }),
      [{ role: 'assistant', parts: [{ kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: 'd' } }] }],
    ],
    [
      said('assistant', { type: 'redacted_thinking', data: 'airmesh-call:airmesh:gemini:g' }, CALL),
      [
        {
          role: 'assistant',
          parts: [{ kind: 'tool_call', id: 'toolu_1', name: 'look', argumentsJson: '{"x":1}', signature: { origin: 'gemini', data: 'g' } }],
        },
      ],
    ],
    [
      said('assistant', { type: 'redacted_thinking', data: 'airmesh-call:airmesh:gemini:g' }, CALL, { ...CALL, id: 'toolu_2' }),
      [
        {
          role: 'assistant',
          parts: [
            { kind: 'tool_call', id: 'toolu_1', name: 'look', argumentsJson: '{"x":1}', signature: { origin: 'gemini', data: 'g' } },
            { kind: 'tool_call', id: 'toolu_2', name: 'look', argumentsJson: '{"x":1}' },
          ],
        },
      ],
    ],
  ])('reads what is said in %j', (more, messages) => {
    const { chat, losses } = read(body(more));
    expect([chat.messages, losses]).toEqual([messages, []]);
  });

  it.each<[object, object]>([
    [{ content: 'ok' }, { content: [{ kind: 'text', text: 'ok' }] }],
    [
      { content: [{ type: 'text', text: 'ok' }], is_error: true, cache_control: { type: 'ephemeral', ttl: '5m' } },
      { content: [{ kind: 'text', text: 'ok' }], isError: true, cache: { ttl: '5m' } },
    ],
    [{ content: [{ type: 'image', source: { type: 'url', url: 'https://i' } }] }, { content: [{ kind: 'image', source: { kind: 'url', url: 'https://i' } }] }],
    [{}, {}],
  ])('reads the result %j, and finds the name of its tool', (result, expected) => {
    expect(read(body(answered(result))).chat.messages[1]).toEqual({ role: 'user', parts: [{ ...RESULT, ...expected }] });
  });

  it('keeps the arguments of a call as they were written', () => {
    const text = body(said('assistant', { ...CALL, input: 0 })).replace('"input":0', '"input":{"id": 12345678901234567890, "x":1.50}');
    expect(read(text).chat.messages[0]?.parts[0]).toMatchObject({ argumentsJson: '{"id": 12345678901234567890, "x":1.50}' });
  });

  it.each<[object, Partial<NeutralChat>]>([
    [{ stream: true }, { stream: true }],
    [
      { tools: [{ name: 'f', description: 'F', input_schema: { type: 'object' }, strict: true, cache_control: { type: 'ephemeral' } }] },
      { tools: [{ name: 'f', description: 'F', parameters: { type: 'object' }, strict: true, cache: { ttl: undefined } }] },
    ],
    [{ tool_choice: { type: 'auto', disable_parallel_tool_use: true } }, { toolChoice: { kind: 'auto' }, parallelToolCalls: false }],
    [{ tool_choice: { type: 'any', disable_parallel_tool_use: false } }, { toolChoice: { kind: 'required' }, parallelToolCalls: true }],
    [{ tool_choice: { type: 'none' } }, { toolChoice: { kind: 'none' } }],
    [{ tool_choice: { type: 'tool', name: 'f' } }, { toolChoice: { kind: 'tool', name: 'f' } }],
    [{ temperature: 0.5, top_p: 0.9, top_k: 4, stop_sequences: ['a', 'b'] }, { sampling: { temperature: 0.5, topP: 0.9, topK: 4, stop: ['a', 'b'] } }],
    [{ thinking: { type: 'enabled', budget_tokens: 2048, display: 'omitted' } }, { reasoning: { budgetTokens: 2048, visible: false } }],
    [
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'max' } },
      { reasoning: { adaptive: true, effort: 'max', visible: true } },
    ],
    [{ thinking: { type: 'disabled' } }, { reasoning: { effort: 'none' } }],
    [{ output_config: { effort: 'low' } }, { reasoning: { effort: 'low' } }],
    [
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
      { format: { kind: 'json_schema', name: undefined, description: undefined, schema: { type: 'object' }, strict: true } },
    ],
    [
      { output_format: { type: 'json_schema', schema: { a: 1 } } },
      { format: { kind: 'json_schema', name: undefined, description: undefined, schema: { a: 1 }, strict: true } },
    ],
    [{ metadata: { user_id: 'u' } }, { user: 'u' }],
    [{ service_tier: 'standard_only' }, { tier: 'standard' }],
    [{ service_tier: 'auto' }, { tier: 'auto' }],
  ])('reads the options %j', (more, expected) => {
    const { chat, losses } = read(body(more));
    expect(chat).toMatchObject(expected);
    expect(losses).toEqual([]);
  });

  it('reads what is to be counted', () => {
    expect(parseRequest(COUNT, bytesOf(JSON.stringify({ model: 'm', messages: HI })))).toMatchObject({
      ok: true,
      value: { request: { kind: 'count_tokens', chat: { model: 'm', maxOutputTokens: undefined } } },
    });
  });

  it('takes the keys of a prototype for keys', () => {
    const text = `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"__proto__":{"stream":true},"tools":[{"name":"f","input_schema":{"__proto__":{"a":1}}}]}`;
    const { chat, losses } = read(text);
    expect([chat.stream, JSON.stringify(chat.tools[0]?.parameters), losses]).toEqual([false, '{"__proto__":{"a":1}}', [['dropped', '__proto__']]]);
  });
});

describe('losses', () => {
  it.each<[object, readonly (readonly [string, string])[]]>([
    [
      { diagnostics: { previous_message_id: null }, foo: 1, bar: null },
      [
        ['dropped', 'diagnostics'],
        ['dropped', 'foo'],
      ],
    ],
    [
      { context_management: { edits: [] }, speed: 'fast', fallbacks: 'default' },
      [
        ['dropped', 'context_management'],
        ['dropped', 'speed'],
        ['dropped', 'fallbacks'],
      ],
    ],
    [{ mcp_servers: [{}] }, [['refused', 'mcp_servers']]],
    [{ mcp_servers: [] }, []],
    [{ compaction: { type: 'summarize' } }, [['refused', 'compaction']]],
    [{ inference_geo: 'us' }, [['refused', 'inference_geo']]],
    [{ inference_geo: 'global' }, []],
    [{ max_tokens: 0 }, [['refused', 'max_tokens']]],
    [{ tools: [{ type: 'web_search_20260318', name: 'web_search' }] }, [['refused', 'tools[0]']]],
    [{ tools: [{ type: 'bash_20250124', name: 'bash' }] }, [['refused', 'tools[0]']]],
    [
      {
        tools: [
          { name: 'f', defer_loading: true, input_examples: [] },
          { name: 'g', defer_loading: true },
        ],
      },
      [
        ['dropped', 'tools[0].defer_loading'],
        ['dropped', 'tools[0].input_examples'],
      ],
    ],
    [{ thinking: { type: 'between_tools' } }, [['dropped', 'thinking.type']]],
    [
      { thinking: { type: 'disabled' }, output_config: { effort: 'low', task_budget: {} } },
      [
        ['dropped', 'output_config.task_budget'],
        ['dropped', 'output_config.effort'],
      ],
    ],
    [{ metadata: { user_id: 'u', trace: 't' } }, [['dropped', 'metadata.trace']]],
    [{ service_tier: 'priority' }, [['dropped', 'service_tier']]],
    [said('user', { type: 'text', text: 'x', citations: [{}] }), [['dropped', 'messages[0].content[0].citations']]],
    [said('user', { type: 'text', text: 'x', citations: [] }), []],
    [
      said('user', { type: 'document', citations: { enabled: true }, context: 'c', source: { type: 'url', url: 'u' } }),
      [
        ['dropped', 'messages[0].content[0].citations'],
        ['dropped', 'messages[0].content[0].context'],
      ],
    ],
    [
      said('user', { type: 'document', source: { type: 'content', content: [{ type: 'image', source: {} }] } }),
      [['refused', 'messages[0].content[0].source.content[0]']],
    ],
    [said('user', { type: 'document', source: { type: 'file', file_id: 'file_1' } }), [['refused', 'messages[0].content[0].source']]],
    [said('user', { type: 'video', source: {} }), [['refused', 'messages[0].content[0]']]],
    [
      said('assistant', { type: 'server_tool_use', id: 's' }, { type: 'web_search_tool_result', tool_use_id: 's' }, { type: 'text', text: 'x' }),
      [['dropped', 'messages[0].content[0]']],
    ],
    [{ messages: [{ role: 'user', content: 'x', clear_at: 'never' }] }, [['dropped', 'messages[0].clear_at']]],
  ])('of %j are told', (more, losses) => {
    expect(read(body(more)).losses).toEqual(losses);
  });

  it('are bounded, and name only what has a plain name', () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`field_${index}`, 1]));
    expect(read(body(many)).losses).toHaveLength(32);
    const parsed = parseRequest(MESSAGES, bytesOf(body({ 'sk-planted "key"': 1 })));
    expect(JSON.stringify(parsed.ok && parsed.value.losses)).not.toContain('planted');
  });
});

describe('faults', () => {
  it.each<[object, string]>([
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'user' }] }, 'messages[0].content'],
    [said('user', { type: 'text' }), 'messages[0].content[0].text'],
    [said('user', CALL), 'messages[0].content[0]'],
    [said('system', CALL), 'messages[0].content[0]'],
    [said('assistant', { type: 'tool_result', tool_use_id: 'x' }), 'messages[0].content[0]'],
    [said('user', { type: 'tool_result', tool_use_id: 'x' }), 'messages[0].content[0].tool_use_id'],
    [said('assistant', { ...CALL, input: 'x' }), 'messages[0].content[0].input'],
    [said('user', { type: 'image' }), 'messages[0].content[0].source'],
    [said('user', { type: 'image', source: { type: 'ftp' } }), 'messages[0].content[0].source.type'],
    [{ tool_choice: { type: 'some' } }, 'tool_choice.type'],
    [{ tools: [{ input_schema: {} }] }, 'tools[0].name'],
    [{ thinking: { type: 'x' } }, 'thinking.type'],
    [{ output_config: { effort: 'huge' } }, 'output_config.effort'],
    [{ output_config: { format: { type: 'json' } } }, 'output_config.format'],
    [{ temperature: 'hot' }, 'temperature'],
    [{ stop_sequences: [1] }, 'stop_sequences[0]'],
  ])('of %j name where they are', (more, param) => {
    expect(parseRequest(MESSAGES, bytesOf(body(more)))).toMatchObject({ ok: false, error: { code: 'invalid_value', param } });
  });

  it('are all that junk leads to', () => {
    const key = fc.constantFrom(
      'model',
      'messages',
      'system',
      'role',
      'content',
      'type',
      'text',
      'tool_use',
      'tool_result',
      'source',
      'tools',
      'thinking',
      'output_config',
      'format',
      'schema',
      'user',
      'assistant',
      '__proto__',
    );
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 6, withCrossShrink: true },
        fc.oneof(key, fc.constant(null), fc.double(), fc.boolean()),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(key, tie('node'), { maxKeys: 6 }),
      ),
    }));
    fc.assert(
      fc.property(node, fc.constantFrom(MESSAGES, COUNT), (value, endpoint) => {
        const parsed = parseRequest(endpoint, bytesOf(JSON.stringify(value)));
        if (!parsed.ok) expect(parsed.error.message).toMatch(/\.$/);
      }),
      { numRuns: 3000 },
    );
    expect(parseRequest(MESSAGES, bytesOf('{'))).toMatchObject({ ok: false, error: { code: 'invalid_json' } });
  });
});
