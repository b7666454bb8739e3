import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralMessage, NeutralPart, NeutralRequest } from '../../neutral.ts';
import { writeRequest } from './write-request.ts';

const HI: NeutralMessage = { role: 'user', parts: [{ kind: 'text', text: 'hi' }] };
const CHAT: NeutralChat = {
  kind: 'chat',
  model: 'claude-sonnet-4-6',
  stream: false,
  wantsStreamUsage: true,
  messages: [HI],
  tools: [],
  toolChoice: undefined,
  parallelToolCalls: undefined,
  format: undefined,
  sampling: {},
  reasoning: undefined,
  maxOutputTokens: 100,
  choices: 1,
  user: undefined,
  metadata: undefined,
  tier: undefined,
};
const TOOL = { name: 'f', description: undefined, parameters: undefined, strict: undefined };
const WRITTEN_TOOL = { name: 'f', input_schema: { type: 'object', properties: {} } };

interface Written {
  readonly body: Readonly<Record<string, unknown>>;
  readonly losses: readonly (readonly [string, string])[];
}

function write(request: NeutralRequest): Written {
  const written = writeRequest(request);
  if (written === undefined) throw new Error('not written');
  return {
    body: JSON.parse(new TextDecoder().decode(written.body)) as Written['body'],
    losses: written.losses.map(({ treatment, param }) => [treatment, param]),
  };
}
const chat = (more: Partial<NeutralChat>): Written => write({ ...CHAT, ...more });
const user = (...parts: NeutralPart[]): NeutralMessage => ({ role: 'user', parts });
const assistant = (...parts: NeutralPart[]): NeutralMessage => ({ role: 'assistant', parts });
const text = (words: string): NeutralPart => ({ kind: 'text', text: words });
const call = (id: string, argumentsJson = '{}'): NeutralPart => ({ kind: 'tool_call', id, name: 'f', argumentsJson });
const result = (callId: string, words = 'ok'): NeutralPart => ({
  kind: 'tool_result',
  callId,
  name: 'f',
  content: words === '' ? [] : [{ kind: 'text', text: words }],
  isError: false,
});

describe('writeRequest', () => {
  it('writes a plain chat, with the cap that was asked for', () => {
    expect(chat({})).toEqual({ body: { model: 'claude-sonnet-4-6', messages: [{ role: 'user', content: 'hi' }], max_tokens: 100 }, losses: [] });
  });

  it('writes a cap of its own where there is none', () => {
    expect(chat({ maxOutputTokens: undefined }).body['max_tokens']).toBe(8192);
    expect(chat({ model: 'claude-sonnet-4-5', maxOutputTokens: undefined, reasoning: { budgetTokens: 5000 } }).body).toMatchObject({
      max_tokens: 13_192,
      thinking: { type: 'enabled', budget_tokens: 5000 },
    });
  });

  it('counts tokens with what has a part in the count', () => {
    const counted = write({ kind: 'count_tokens', chat: { ...CHAT, stream: true, tools: [TOOL], user: 'u', sampling: { temperature: 1 } } });
    expect(counted.body).toEqual({ model: 'claude-sonnet-4-6', messages: [{ role: 'user', content: 'hi' }], tools: [WRITTEN_TOOL] });
    expect(writeRequest({ kind: 'count_tokens', chat: CHAT })?.endpoint.path).toBe('/messages/count_tokens');
  });

  it('has no embeddings', () => {
    expect(
      writeRequest({
        kind: 'embedding',
        model: 'm',
        inputs: [],
        dimensions: undefined,
        encoding: 'float',
        task: undefined,
        title: undefined,
        user: undefined,
        single: false,
      }),
    ).toBeUndefined();
  });

  it.each<[string, readonly NeutralMessage[], object, readonly string[]]>([
    ['a system prompt', [{ role: 'system', parts: [text('S')] }, HI], { system: 'S', messages: [{ role: 'user', content: 'hi' }] }, []],
    [
      'several system prompts',
      [{ role: 'system', parts: [text('S')] }, { role: 'system', parts: [text('T')] }, HI],
      {
        system: [
          { type: 'text', text: 'S' },
          { type: 'text', text: 'T' },
        ],
      },
      [],
    ],
    [
      'a system prompt in the middle',
      [HI, { role: 'system', parts: [text('S')] }, user(text('more'))],
      {
        system: 'S',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'hi' },
              { type: 'text', text: 'more' },
            ],
          },
        ],
      },
      ['messages[1]'],
    ],
    ['a system prompt alone', [{ role: 'system', parts: [text('S')] }], { messages: [{ role: 'user', content: [{ type: 'text', text: 'S' }] }] }, ['messages']],
    [
      'an assistant that begins',
      [assistant(text('Hello')), HI],
      {
        messages: [
          { role: 'assistant', content: 'Hello' },
          { role: 'user', content: 'hi' },
        ],
      },
      [],
    ],
    [
      'a prefill',
      [HI, assistant(text('The answer is \n'))],
      {
        messages: [
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: 'The answer is' },
        ],
      },
      [],
    ],
    ['a prefill of nothing', [HI, assistant(text(' \n'))], { messages: [{ role: 'user', content: 'hi' }] }, []],
    [
      'empty texts',
      [HI, assistant(text(''), call('a')), user(result('a', ''), text(''))],
      {
        messages: [
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a' }] },
        ],
      },
      [],
    ],
    [
      'messages of one role',
      [HI, HI, assistant(text('a')), assistant(call('b'))],
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'hi' },
              { type: 'text', text: 'hi' },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'a' },
              { type: 'tool_use', id: 'b', name: 'f', input: {} },
            ],
          },
        ],
      },
      [],
    ],
    [
      'results behind other words',
      [HI, assistant(call('a'), call('b')), user(result('a'), text('and')), user(result('b'))],
      {
        messages: [
          {},
          {},
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'a', content: 'ok' },
              { type: 'tool_result', tool_use_id: 'b', content: 'ok' },
              { type: 'text', text: 'and' },
            ],
          },
        ],
      },
      [],
    ],
    ['names', [{ ...HI, name: 'Ann' }], { messages: [{ role: 'user', content: 'hi' }] }, ['messages[0].name']],
    [
      'thinking of others',
      [HI, assistant({ kind: 'thinking', text: 'T' }, { kind: 'thinking', text: '', redacted: { origin: 'openai', data: 'e' } }, text('a'))],
      { messages: [{}, { role: 'assistant', content: 'a' }] },
      ['thinking'],
    ],
    ['a refusal', [HI, assistant({ kind: 'refusal', text: 'No.' })], { messages: [{}, { role: 'assistant', content: 'No.' }] }, []],
  ])('writes %s', (_, messages, expected, lost) => {
    const { body, losses } = chat({ messages });
    expect(body).toMatchObject(expected);
    expect(losses).toEqual(lost.map((param) => ['dropped', param]));
  });

  it.each<[NeutralPart, object]>([
    [
      { kind: 'image', source: { kind: 'base64', mediaType: 'image/webp', data: 'QQ==' }, cache: { ttl: '1h' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'QQ==' }, cache_control: { type: 'ephemeral', ttl: '1h' } },
    ],
    [
      { kind: 'image', source: { kind: 'url', url: 'https://i' }, detail: 'auto' },
      { type: 'image', source: { type: 'url', url: 'https://i' } },
    ],
    [
      { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'QQ==' }, name: 'N' },
      { type: 'document', title: 'N', source: { type: 'base64', media_type: 'application/pdf', data: 'QQ==' } },
    ],
    [
      { kind: 'document', source: { kind: 'text', text: 'D' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'D' } },
    ],
    [
      { kind: 'document', source: { kind: 'url', url: 'http://d' } },
      { type: 'document', source: { type: 'url', url: 'http://d' } },
    ],
    [
      {
        kind: 'tool_result',
        callId: 'a',
        name: undefined,
        isError: true,
        content: [
          { kind: 'text', text: 'x' },
          { kind: 'image', source: { kind: 'url', url: 'https://i' } },
        ],
        cache: { ttl: undefined },
      },
      {
        type: 'tool_result',
        tool_use_id: 'a',
        is_error: true,
        content: [
          { type: 'text', text: 'x' },
          { type: 'image', source: { type: 'url', url: 'https://i' } },
        ],
        cache_control: { type: 'ephemeral' },
      },
    ],
  ])('writes the part %j', (part, block) => {
    expect(chat({ messages: [user(part)] })).toMatchObject({ body: { messages: [{ content: [block] }] }, losses: [] });
  });

  it.each<[NeutralPart, string]>([
    [{ kind: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'QQ==' } }, 'audio'],
    [{ kind: 'image', source: { kind: 'base64', mediaType: 'image/tiff', data: 'QQ==' } }, 'image'],
    [{ kind: 'image', source: { kind: 'url', url: 'gs://bucket/i' } }, 'url'],
    [{ kind: 'document', source: { kind: 'base64', mediaType: 'text/csv', data: 'QQ==' } }, 'document'],
  ])('refuses the part %j', (part, param) => {
    expect(chat({ messages: [user(part)] }).losses).toEqual([['refused', param]]);
    expect(chat({ messages: [HI, assistant(part), HI] }).losses[0]?.[0]).toBe('refused');
  });

  it.each<[string, readonly NeutralPart[], boolean]>([
    ['with them', [{ kind: 'thinking', text: 'T', signature: { origin: 'anthropic', data: 's' } }], true],
    ['with them hidden', [{ kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: 'd' } }], true],
    ['with those of another model', [{ kind: 'thinking', text: 'T', signature: { origin: 'gemini', data: 'g' } }], false],
    ['without them', [], false],
  ])('thinks on after a tool only with the thoughts before it (%s)', (_what, thoughts, thinks) => {
    const messages = [
      HI,
      assistant(...thoughts, { kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '{}' }),
      {
        role: 'user' as const,
        parts: [{ kind: 'tool_result' as const, callId: 'c', name: 'f', content: [{ kind: 'text' as const, text: 'x' }], isError: false }],
      },
    ];
    const { body, losses } = chat({ model: 'claude-sonnet-4-5', messages, maxOutputTokens: undefined, reasoning: { budgetTokens: 5000 } });
    expect([body['thinking'] !== undefined, losses.some(([, param]) => param === 'reasoning')]).toEqual([thinks, !thinks]);
  });

  it('writes the seals that are its own', () => {
    const messages = [
      HI,
      assistant(
        { kind: 'thinking', text: 'T', signature: { origin: 'anthropic', data: 's' } },
        { kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: 'd' } },
        text('a'),
      ),
    ];
    expect(chat({ messages }).body['messages']).toEqual([
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'T', signature: 's' },
          { type: 'redacted_thinking', data: 'd' },
          { type: 'text', text: 'a' },
        ],
      },
    ]);
  });

  it('writes ids that Anthropic takes, and the same for a call and its result', () => {
    const { body } = chat({
      messages: [HI, assistant(call('call:1'), call('call_1'), call('id_call_3a1')), user(result('call:1'), result('call_1'), result('id_call_3a1'))],
    });
    const ids = JSON.stringify(body['messages']).match(/(?<="(?:id|tool_use_id)":")[^"]*/g);
    expect(ids).toEqual(['id_call_3a1_', 'call_1', 'id_call_3a1', 'id_call_3a1_', 'call_1', 'id_call_3a1']);
  });

  it('writes arguments with every digit, and what are none as a text', () => {
    const written = writeRequest({
      ...CHAT,
      messages: [HI, assistant(call('a', '{"id": 12345678901234567890}'), call('b', ''), call('c', '{"cut'), call('d', '[1]'))],
    });
    const body = new TextDecoder().decode(written?.body);
    expect(body.match(/"input":\{[^}]*\}/g)).toEqual([
      '"input":{"id": 12345678901234567890}',
      '"input":{}',
      '"input":{"arguments":"{\\"cut"}',
      '"input":{"arguments":"[1]"}',
    ]);
    expect(written?.losses.map(({ param }) => param)).toEqual(['arguments']);
  });

  it('writes four cache breakpoints at most, the first ones', () => {
    const cache = { ttl: undefined };
    const { body, losses } = chat({
      tools: [{ ...TOOL, cache }],
      messages: [
        { role: 'system', parts: [{ kind: 'text', text: 'S', cache }] },
        user(...['a', 'b', 'c'].map((words): NeutralPart => ({ kind: 'text', text: words, cache }))),
      ],
    });
    expect(JSON.stringify(body).match(/cache_control/g)).toHaveLength(4);
    expect(losses).toEqual([['dropped', 'cache_control']]);
  });
});

describe('options', () => {
  it.each<[Partial<NeutralChat>, object]>([
    [{ stream: true }, { stream: true }],
    [{ tools: [TOOL] }, { tools: [WRITTEN_TOOL] }],
    [
      {
        tools: [
          { name: 'f', description: 'F', parameters: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false }, strict: true },
        ],
      },
      {
        tools: [
          { name: 'f', description: 'F', input_schema: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false }, strict: true },
        ],
      },
    ],
    [
      { tools: [{ ...TOOL, parameters: { properties: {} }, strict: false }] },
      { tools: [{ name: 'f', input_schema: { type: 'object', properties: {} }, strict: false }] },
    ],
    [{ tools: [TOOL], toolChoice: { kind: 'auto' } }, { tool_choice: { type: 'auto' } }],
    [{ tools: [TOOL], toolChoice: { kind: 'none' }, parallelToolCalls: false }, { tool_choice: { type: 'none' } }],
    [{ tools: [TOOL], toolChoice: { kind: 'required' }, parallelToolCalls: true }, { tool_choice: { type: 'any', disable_parallel_tool_use: false } }],
    [
      { tools: [TOOL, { ...TOOL, name: 'g' }, { ...TOOL, name: 'h' }], toolChoice: { kind: 'required', names: ['g', 'h'] } },
      { tools: [{ name: 'g' }, { name: 'h' }], tool_choice: { type: 'any' } },
    ],
    [{ tools: [TOOL], toolChoice: { kind: 'required', names: ['f'] } }, { tool_choice: { type: 'tool', name: 'f' } }],
    [
      { tools: [TOOL], toolChoice: { kind: 'tool', name: 'f' }, parallelToolCalls: false },
      { tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true } },
    ],
    [{ tools: [TOOL], parallelToolCalls: false }, { tool_choice: { type: 'auto', disable_parallel_tool_use: true } }],
    [{ sampling: { temperature: 0.5, topK: 4, stop: ['a'] } }, { temperature: 0.5, top_k: 4, stop_sequences: ['a'] }],
    [{ sampling: { topP: 0.9, frequencyPenalty: 0, logprobs: false, stop: [] } }, { top_p: 0.9 }],
    [
      { model: 'glm-4.6', sampling: { temperature: 0.5, topP: 0.9 } },
      { temperature: 0.5, top_p: 0.9 },
    ],
    [
      { user: 'u', tier: 'auto' },
      { metadata: { user_id: 'u' }, service_tier: 'auto' },
    ],
    [{ tier: 'standard' }, { service_tier: 'standard_only' }],
    [
      { format: { kind: 'json_schema', name: 'n', description: 'D', schema: { type: 'object', properties: {}, additionalProperties: false }, strict: true } },
      { output_config: { format: { type: 'json_schema', schema: { type: 'object', properties: {}, additionalProperties: false, description: 'D' } } } },
    ],
    [{ format: { kind: 'text' } }, {}],
  ])('writes %j', (more, expected) => {
    const { body, losses } = chat(more);
    expect(body).toMatchObject(expected);
    expect(losses).toEqual([]);
  });

  it.each<[Partial<NeutralChat>, object, readonly string[]]>([
    [
      { tools: [{ ...TOOL, parameters: { type: 'object', properties: { a: { type: 'string', maxLength: 3 } } }, strict: true }] },
      { tools: [{ name: 'f', input_schema: { type: 'object', properties: { a: { type: 'string', maxLength: 3 } } } }] },
      ['strict'],
    ],
    [{ toolChoice: { kind: 'auto' }, parallelToolCalls: false }, {}, []],
    [{ sampling: { temperature: 1.5 } }, { temperature: 1 }, ['temperature']],
    [{ sampling: { temperature: 0.5, topP: 0.9 } }, { temperature: 0.5 }, ['top_p']],
    [{ model: 'claude-opus-4-8', sampling: { temperature: 0.5 } }, {}, ['temperature']],
    [
      { sampling: { frequencyPenalty: 1, presencePenalty: 1, seed: 1, logprobs: true, logitBias: { 1: 2 }, stop: [' '] } },
      {},
      ['frequency_penalty', 'presence_penalty', 'seed', 'logprobs', 'logit_bias', 'stop'],
    ],
    [{ metadata: { a: 'b' }, tier: 'flex' }, {}, ['metadata', 'service_tier']],
    [{ format: { kind: 'json_object' } }, { system: 'Answer with one JSON object and nothing else.' }, ['response_format']],
    [
      { model: 'claude-3-5-haiku-20241022', format: { kind: 'json_schema', name: undefined, description: undefined, schema: { a: 1 }, strict: true } },
      { system: expect.stringContaining('{"a":1}') },
      ['response_format'],
    ],
    [
      { format: { kind: 'json_schema', name: undefined, description: undefined, schema: { type: 'integer', minimum: 3 }, strict: true } },
      { output_config: { format: { type: 'json_schema', schema: { type: 'integer', description: 'minimum: 3' } } } },
      ['response_format'],
    ],
    [{ messages: [user({ kind: 'image', source: { kind: 'url', url: 'https://i' }, detail: 'high' })] }, {}, ['detail']],
    [{ messages: [{ role: 'system', parts: [{ kind: 'image', source: { kind: 'url', url: 'https://i' } }] }, HI] }, {}, ['system']],
  ])('writes what it can of %j, and tells of the rest', (more, expected, lost) => {
    const { body, losses } = chat(more);
    expect(body).toMatchObject(expected);
    expect(losses).toEqual(lost.map((param) => ['dropped', param]));
    for (const param of lost) if (!(param in expected)) expect(body).not.toHaveProperty(param);
  });

  it.each<[Partial<NeutralChat>, string]>([
    [{ choices: 2 }, 'n'],
    [{ toolChoice: { kind: 'required' } }, 'tool_choice'],
    [{ tools: [{ ...TOOL, name: 'a.b' }] }, 'tools'],
    [{ messages: [] }, 'messages'],
    [{ messages: [user(text(''))] }, 'messages'],
  ])('refuses %j', (more, param) => {
    expect(chat(more).losses).toEqual([['refused', param]]);
  });
});

describe('reasoning', () => {
  const OLD = 'claude-sonnet-4-5-20250929';
  const MIDDLE = 'claude-opus-4-6';
  const NEW = 'claude-opus-4-8';
  const ALWAYS = 'claude-fable-5';

  it.each<[string, Partial<NeutralChat>, object | undefined, object | undefined, readonly string[]]>([
    [OLD, { reasoning: { budgetTokens: 2000 } }, { type: 'enabled', budget_tokens: 2000 }, undefined, []],
    [OLD, { reasoning: { budgetTokens: 9000 } }, { type: 'enabled', budget_tokens: 9000 }, undefined, []],
    [OLD, { reasoning: { budgetTokens: 10_000 } }, { type: 'enabled', budget_tokens: 5000 }, undefined, ['reasoning']],
    [OLD, { reasoning: { budgetTokens: 5 } }, { type: 'enabled', budget_tokens: 1024 }, undefined, ['reasoning']],
    [OLD, { reasoning: { effort: 'low' } }, { type: 'enabled', budget_tokens: 2048 }, undefined, []],
    [OLD, { reasoning: { effort: 'max' } }, { type: 'enabled', budget_tokens: 5000 }, undefined, []],
    [OLD, { reasoning: { effort: 'low' }, maxOutputTokens: 1024 }, undefined, undefined, ['reasoning']],
    [OLD, { reasoning: { effort: 'none' } }, undefined, undefined, []],
    [OLD, { reasoning: { budgetTokens: 0 } }, undefined, undefined, []],
    [OLD, { reasoning: { visible: false } }, undefined, undefined, []],
    [OLD, { reasoning: { effort: 'low', visible: false } }, { type: 'enabled', budget_tokens: 2048 }, undefined, ['reasoning']],
    ['claude-opus-4-5', { reasoning: { effort: 'max' } }, { type: 'enabled', budget_tokens: 5000 }, { effort: 'high' }, ['reasoning']],
    ['claude-opus-4-5', { reasoning: { effort: 'high' } }, { type: 'enabled', budget_tokens: 5000 }, { effort: 'high' }, []],
    [MIDDLE, { reasoning: { effort: 'high' } }, { type: 'adaptive' }, { effort: 'high' }, []],
    [MIDDLE, { reasoning: { effort: 'xhigh' } }, { type: 'adaptive' }, { effort: 'high' }, ['reasoning']],
    [MIDDLE, { reasoning: { effort: 'none' } }, { type: 'disabled' }, undefined, []],
    [NEW, { reasoning: { effort: 'xhigh', visible: true } }, { type: 'adaptive', display: 'summarized' }, { effort: 'xhigh' }, []],
    [NEW, { reasoning: { adaptive: true, visible: false } }, { type: 'adaptive', display: 'omitted' }, undefined, []],
    [NEW, { reasoning: { effort: 'minimal' } }, { type: 'adaptive' }, { effort: 'low' }, ['reasoning']],
    [NEW, { reasoning: { budgetTokens: 4000 } }, { type: 'adaptive' }, { effort: 'medium' }, ['reasoning']],
    [NEW, { reasoning: { budgetTokens: 0 } }, { type: 'disabled' }, undefined, []],
    [ALWAYS, { reasoning: { effort: 'none' } }, undefined, { effort: 'low' }, ['reasoning']],
    ['deepseek-chat', { reasoning: { effort: 'low' } }, { type: 'enabled', budget_tokens: 2048 }, undefined, []],
    [NEW, { reasoning: { effort: 'high' }, tools: [TOOL], toolChoice: { kind: 'required' } }, undefined, undefined, ['reasoning']],
    [MIDDLE, { reasoning: { effort: 'high' }, sampling: { temperature: 0.5 } }, { type: 'adaptive' }, { effort: 'high' }, ['temperature']],
  ])('of %s with %j', (model, more, thinking, config, lost) => {
    const { body, losses } = chat({ model, maxOutputTokens: 10_000, ...more });
    expect([body['thinking'], body['output_config'], losses]).toEqual([thinking, config, lost.map((param) => ['dropped', param])]);
    if (lost.includes('temperature')) expect(body).not.toHaveProperty('temperature');
  });
});
