import { describe, expect, it } from 'vitest';
import type { Loss, NeutralChat } from '../../../neutral.ts';
import type { RequestFault } from '../../../types.ts';
import { openaiTranslation } from '../index.ts';

const CHAT = { operation: 'chat', path: '/chat/completions', body: 'json' } as const;
const HELLO = { role: 'user', content: 'Hello' };

interface Read {
  readonly chat: NeutralChat;
  readonly losses: readonly Loss[];
}

const parse = (body: object): ReturnType<typeof openaiTranslation.parseRequest> =>
  openaiTranslation.parseRequest(CHAT, new TextEncoder().encode(JSON.stringify({ model: 'm', messages: [HELLO], ...body })));

const read = (body: object): Read => {
  const parsed = parse(body);
  if (!parsed.ok || parsed.value.request.kind !== 'chat') throw new Error(JSON.stringify(parsed));
  return { chat: parsed.value.request, losses: parsed.value.losses };
};

const faultOf = (body: object): RequestFault | undefined => {
  const parsed = parse(body);
  return parsed.ok ? undefined : parsed.error;
};

/** Losses as `treatment param`. */
const lost = (body: object): readonly string[] => read(body).losses.map(({ treatment, param }) => `${treatment} ${param}`);

const call = (id: string, more: object = {}): object => ({ id, type: 'function', function: { name: 'look', arguments: '{"x":1}' }, ...more });
const calling = (...calls: readonly object[]): object => ({ role: 'assistant', content: null, tool_calls: calls });
const result = (id: string, content: unknown = 'ok'): object => ({ role: 'tool', tool_call_id: id, content });

describe('messages', () => {
  it.each<[string, readonly object[], NeutralChat['messages']]>([
    [
      'a system message',
      [{ role: 'system', content: 'Be brief.', name: 'boss' }],
      [{ role: 'system', name: 'boss', parts: [{ kind: 'text', text: 'Be brief.' }] }],
    ],
    [
      'a developer message in parts',
      [
        {
          role: 'developer',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
      [
        {
          role: 'system',
          parts: [
            { kind: 'text', text: 'a' },
            { kind: 'text', text: 'b' },
          ],
        },
      ],
    ],
    [
      'images, by data and by address',
      [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:IMAGE/PNG;base64,AAAA', detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            { type: 'image_url', image_url: 'http://example.com/b' },
          ],
        },
      ],
      [
        {
          role: 'user',
          parts: [
            { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'low' },
            { kind: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } },
            { kind: 'image', source: { kind: 'url', url: 'http://example.com/b' } },
          ],
        },
      ],
    ],
    [
      'sound and files',
      [
        {
          role: 'user',
          content: [
            { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' } },
            { type: 'file', file: { filename: 'notes.TXT', file_data: 'CCCC' } },
            { type: 'file', file: { file_data: 'DDDD' } },
          ],
        },
      ],
      [
        {
          role: 'user',
          parts: [
            { kind: 'audio', source: { kind: 'base64', mediaType: 'audio/mpeg', data: 'AAAA' } },
            { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'BBBB' }, name: 'a.pdf' },
            { kind: 'document', source: { kind: 'base64', mediaType: 'text/plain', data: 'CCCC' }, name: 'notes.TXT' },
            { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'DDDD' } },
          ],
        },
      ],
    ],
    [
      'marks for a cache',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit' } },
            { type: 'text', text: 'b', prompt_cache_breakpoint: { mode: 'explicit', ttl: '12h' } },
          ],
        },
      ],
      [
        {
          role: 'user',
          parts: [
            { kind: 'text', text: 'a', cache: { ttl: undefined } },
            { kind: 'text', text: 'b', cache: { ttl: '1h' } },
          ],
        },
      ],
    ],
    [
      'an answer with thinking and a refusal',
      [{ role: 'assistant', content: 'No', reasoning_content: 'Hm.', refusal: 'I will not.', annotations: [] }],
      [
        {
          role: 'assistant',
          parts: [
            { kind: 'thinking', text: 'Hm.' },
            { kind: 'text', text: 'No' },
            { kind: 'refusal', text: 'I will not.' },
          ],
        },
      ],
    ],
    [
      'an answer in parts',
      [
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'a' },
            { type: 'refusal', refusal: 'b' },
          ],
          reasoning: 'Hm.',
        },
      ],
      [
        {
          role: 'assistant',
          parts: [
            { kind: 'thinking', text: 'Hm.' },
            { kind: 'text', text: 'a' },
            { kind: 'refusal', text: 'b' },
          ],
        },
      ],
    ],
    [
      'calls and their results, which become one message',
      [
        HELLO,
        { role: 'assistant', content: '', tool_calls: [call('a', { index: 0 }), call('b', { extra_content: { google: { thought_signature: 'c2ln' } } })] },
        result('b'),
        result('a', [{ type: 'text', text: 'x' }]),
        HELLO,
      ],
      [
        { role: 'user', parts: [{ kind: 'text', text: 'Hello' }] },
        {
          role: 'assistant',
          parts: [
            { kind: 'tool_call', id: 'a', name: 'look', argumentsJson: '{"x":1}' },
            { kind: 'tool_call', id: 'b', name: 'look', argumentsJson: '{"x":1}', signature: { origin: 'gemini', data: 'c2ln' } },
          ],
        },
        {
          role: 'user',
          parts: [
            { kind: 'tool_result', callId: 'b', name: 'look', content: [{ kind: 'text', text: 'ok' }], isError: false },
            { kind: 'tool_result', callId: 'a', name: 'look', content: [{ kind: 'text', text: 'x' }], isError: false },
          ],
        },
        { role: 'user', parts: [{ kind: 'text', text: 'Hello' }] },
      ],
    ],
    [
      'the older form of a call',
      [HELLO, { role: 'assistant', content: null, function_call: { name: 'look', arguments: '' } }, { role: 'function', name: 'look', content: 'ok' }],
      [
        { role: 'user', parts: [{ kind: 'text', text: 'Hello' }] },
        { role: 'assistant', parts: [{ kind: 'tool_call', id: 'function_call_1', name: 'look', argumentsJson: '{}' }] },
        { role: 'user', parts: [{ kind: 'tool_result', callId: 'function_call_1', name: 'look', content: [{ kind: 'text', text: 'ok' }], isError: false }] },
      ],
    ],
  ])('reads %s', (_name, messages, expected) => {
    expect(read({ messages })).toMatchObject({ chat: { messages: expected }, losses: [] });
    expect(read({ messages }).chat.messages).toEqual(expected);
  });

  it.each<[string, readonly object[], string]>([
    ['a result without its call', [HELLO, result('a')], 'messages[1].tool_call_id'],
    ['a second result of a call', [calling(call('a')), result('a'), result('a')], 'messages[2].tool_call_id'],
    ['the result of a call that was answered in an earlier turn', [calling(call('a')), result('a'), HELLO, result('a')], 'messages[3].tool_call_id'],
    ['a call without its result', [calling(call('a'), call('b')), result('a'), HELLO], 'messages[2]'],
    ['a call at the end', [HELLO, calling(call('a'))], 'messages'],
    [
      'a result of a function that was not called',
      [
        { role: 'assistant', function_call: { name: 'look', arguments: '{}' } },
        { role: 'function', name: 'other', content: '' },
      ],
      'messages[1].name',
    ],
    ['a role that does not exist', [{ role: 'king', content: 'x' }], 'messages[0].role'],
    ['no messages', [], 'messages'],
    ['a part of an unknown type', [{ role: 'user', content: [{ type: 'smell' }] }], 'messages[0].content[0].type'],
    ['a part that is no object', [{ role: 'user', content: ['x'] }], 'messages[0].content[0]'],
    ['a number for content', [{ role: 'user', content: 7 }], 'messages[0].content'],
    [
      'an image that is neither data nor address',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] }],
      'messages[0].content[0].image_url.url',
    ],
    [
      'sound in another format',
      [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'A', format: 'ogg' } }] }],
      'messages[0].content[0].input_audio.format',
    ],
    ['a part without what it holds', [{ role: 'user', content: [{ type: 'file' }] }], 'messages[0].content[0].file'],
  ])('faults %s', (_name, messages, param) => {
    expect(faultOf({ messages })).toMatchObject({ code: 'invalid_value', param });
  });

  it.each<[string, readonly object[], readonly string[]]>([
    [
      'arguments that are no JSON',
      [calling({ id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":' } }), result('a')],
      ['refused messages[0].tool_calls[0].function.arguments'],
    ],
    [
      'arguments that are no object',
      [calling({ id: 'a', type: 'function', function: { name: 'f', arguments: '[1]' } }), result('a')],
      ['refused messages[0].tool_calls[0].function.arguments'],
    ],
    ['calls of custom tools', [calling({ id: 'a', type: 'custom', custom: { name: 'f', input: 'x' } })], ['refused messages[0].tool_calls[0]']],
    ['files by their id', [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }], ['refused messages[0].content[0].file.file_id']],
    [
      'members that nobody knows, by name where that is plain',
      [{ role: 'user', content: 'x', weight: 1, 'a secret thought': 2 }],
      ['dropped messages[0].weight', 'dropped messages[0].*'],
    ],
  ])('tells of the loss of %s', (_name, messages, expected) => {
    expect(lost({ messages })).toEqual(expected);
  });
});

describe('parameters', () => {
  it('are all read', () => {
    const { chat, losses } = read({
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      frequency_penalty: 1,
      presence_penalty: -1,
      seed: 7,
      stop: 'END',
      logit_bias: { '50256': -100 },
      logprobs: true,
      top_logprobs: 3,
      n: 2,
      max_completion_tokens: 100,
      reasoning_effort: 'low',
      user: 'old',
      safety_identifier: 'new',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      metadata: { a: 'b' },
      service_tier: 'fast',
      parallel_tool_calls: false,
      modalities: ['text'],
      audio: { voice: 'alloy', format: 'mp3' },
      store: false,
      response_format: null,
    });
    // What speaks to OpenAI's own cache is no part of what is asked.
    expect(losses.map(({ param }) => param)).toEqual(['prompt_cache_key', 'prompt_cache_retention']);
    expect(chat).toMatchObject({
      stream: true,
      wantsStreamUsage: true,
      sampling: {
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        frequencyPenalty: 1,
        presencePenalty: -1,
        seed: 7,
        stop: ['END'],
        logitBias: { '50256': -100 },
        logprobs: true,
        topLogprobs: 3,
      },
      choices: 2,
      maxOutputTokens: 100,
      reasoning: { effort: 'low' },
      user: 'new',
      metadata: { a: 'b' },
      tier: 'priority',
      parallelToolCalls: false,
      format: undefined,
    });
  });

  it('that are absent stay absent', () => {
    expect(read({}).chat).toEqual({
      kind: 'chat',
      model: 'm',
      stream: false,
      wantsStreamUsage: false,
      messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hello' }] }],
      tools: [],
      toolChoice: undefined,
      parallelToolCalls: undefined,
      format: undefined,
      sampling: {},
      reasoning: undefined,
      maxOutputTokens: undefined,
      choices: 1,
      user: undefined,
      metadata: undefined,
      tier: undefined,
    });
  });

  it.each<[object, readonly string[]]>([
    [{ modalities: ['text', 'audio'], audio: {} }, ['refused modalities', 'dropped audio']],
    [{ web_search_options: {} }, ['refused web_search_options']],
    [{ moderation: { model: 'm' } }, ['refused moderation']],
    [{ store: true }, ['refused store']],
    [{ prediction: { type: 'content', content: 'x' } }, ['dropped prediction']],
    [{ verbosity: 'low' }, ['dropped verbosity']],
    [{ service_tier: 'ultrafast' }, ['dropped service_tier']],
    [{ min_p: 0.1, best_of: null }, ['dropped min_p']],
    [{ stream_options: { chunk: 1 } }, ['dropped stream_options.chunk']],
  ])('%j are lost', (body, expected) => {
    expect(lost(body)).toEqual(expected);
  });

  it.each<[object, string]>([
    [{ temperature: 'hot' }, 'temperature'],
    [{ n: 0 }, 'n'],
    [{ n: 1.5 }, 'n'],
    [{ stop: [1] }, 'stop'],
    [{ logit_bias: { a: 'x' } }, 'logit_bias'],
    [{ metadata: { a: 1 } }, 'metadata'],
    [{ reasoning_effort: 'some' }, 'reasoning_effort'],
    [{ top_logprobs: 21 }, 'top_logprobs'],
    [{ response_format: { type: 'grammar' } }, 'response_format.type'],
    [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
    [{ tools: {} }, 'tools'],
    [{ tool_choice: 'sometimes' }, 'tool_choice'],
    [{ tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
  ])('%j are faults', (body, param) => {
    expect(faultOf(body)).toMatchObject({ code: 'invalid_value', param });
  });

  it('tell of many losses in a few', () => {
    const junk = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`junk_${index}`, 1]));
    const { losses } = read({ ...junk, web_search_options: {} });
    expect(losses.length).toBeLessThan(50);
    expect(losses[0]).toMatchObject({ treatment: 'refused', param: 'web_search_options' });
  });
});

describe('tools', () => {
  const schema = { type: 'object', properties: { __proto__x: { type: 'string' } } };
  const tool = (name: string): object => ({ type: 'function', function: { name, description: 'd', parameters: schema, strict: true } });
  const TOOLS = { tools: [tool('one'), tool('two'), { type: 'function', function: { name: 'three' } }] };

  it('are read with their schemas', () => {
    expect(read(TOOLS).chat.tools).toEqual([
      { name: 'one', description: 'd', parameters: schema, strict: true },
      { name: 'two', description: 'd', parameters: schema, strict: true },
      { name: 'three', description: undefined, parameters: undefined, strict: undefined },
    ]);
  });

  it.each<[unknown, NeutralChat['toolChoice'], readonly string[]]>([
    ['none', { kind: 'none' }, ['one', 'two', 'three']],
    ['auto', { kind: 'auto' }, ['one', 'two', 'three']],
    ['required', { kind: 'required' }, ['one', 'two', 'three']],
    [{ type: 'function', function: { name: 'two' } }, { kind: 'tool', name: 'two' }, ['one', 'two', 'three']],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool('one'), tool('two')] } },
      { kind: 'required', names: ['one', 'two'] },
      ['one', 'two', 'three'],
    ],
    [{ type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [tool('three')] } }, { kind: 'auto' }, ['three']],
  ])('are chosen by %j', (choice, toolChoice, names) => {
    const { chat } = read({ ...TOOLS, tool_choice: choice });
    expect([chat.toolChoice, chat.tools.map(({ name }) => name)]).toEqual([toolChoice, names]);
  });

  it('in the older form are read, and the caller is told that answers have the newer one', () => {
    const body = { functions: [{ name: 'one', parameters: schema }], function_call: { name: 'one' } };
    expect(read(body)).toMatchObject({ chat: { tools: [{ name: 'one', parameters: schema }], toolChoice: { kind: 'tool', name: 'one' } } });
    expect(lost(body)).toEqual(['dropped functions']);
    expect(read({ ...body, function_call: 'none' }).chat.toolChoice).toEqual({ kind: 'none' });
  });

  it.each<[object, readonly string[]]>([
    [{ tools: [{ type: 'custom', custom: { name: 'x' } }] }, ['refused tools[0]']],
    [{ ...TOOLS, tool_choice: { type: 'custom', custom: { name: 'x' } } }, ['refused tool_choice']],
  ])('that are no functions are refused: %j', (body, expected) => {
    expect(lost(body)).toEqual(expected);
  });

  it.each<[object, NeutralChat['format']]>([
    [{ type: 'text' }, { kind: 'text' }],
    [{ type: 'json_object' }, { kind: 'json_object' }],
    [
      { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } },
      { kind: 'json_schema', name: 'n', description: undefined, schema, strict: true },
    ],
    [
      { type: 'json_schema', json_schema: { name: 'n', description: 'd' } },
      { kind: 'json_schema', name: 'n', description: 'd', schema: {}, strict: undefined },
    ],
  ])('stand beside a format: %j', (format, expected) => {
    expect(read({ response_format: format }).chat.format).toEqual(expected);
  });
});

describe('bodies', () => {
  it.each(['', '[]', '"x"', '{"model":"m",', '\u0000'])('that are no JSON object are faults: %j', (body) => {
    expect(openaiTranslation.parseRequest(CHAT, new TextEncoder().encode(body))).toMatchObject({ ok: false, error: { code: 'invalid_json' } });
  });

  it('of endpoints without a translation are faults', () => {
    expect(openaiTranslation.parseRequest({ operation: 'images', path: '/images/generations', body: 'json' }, new TextEncoder().encode('{}'))).toMatchObject({
      ok: false,
      error: { code: 'invalid_body' },
    });
  });
});
