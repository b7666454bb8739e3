import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NeutralAnswer, NeutralChat, NeutralChoice } from '../../neutral.ts';
import type { Endpoint } from '../../types.ts';
import { parseAnswer } from './parse-answer.ts';
import { writeAnswer } from './write-answer.ts';

const MESSAGES: Endpoint = { operation: 'chat', path: '/messages', body: 'json' };
const COUNT: Endpoint = { operation: 'count_tokens', path: '/messages/count_tokens', body: 'json' };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const read = (body: unknown, endpoint = MESSAGES): ReturnType<typeof parseAnswer> =>
  parseAnswer(endpoint, bytesOf(typeof body === 'string' ? body : JSON.stringify(body)));
const message = (more: object): object => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
  ...more,
});

function choiceIn(more: object): NeutralChoice | undefined {
  const answer = read(message(more));
  if (!answer.ok || answer.value.kind !== 'chat') throw new Error('not read');
  return answer.value.choices[0];
}

describe('parseAnswer', () => {
  it('reads a message', () => {
    expect(read(message({ content: [{ type: 'text', text: 'Hi', citations: null }] }))).toEqual({
      ok: true,
      value: {
        kind: 'chat',
        id: 'msg_1',
        model: 'claude-x',
        created: undefined,
        choices: [{ index: 0, parts: [{ kind: 'text', text: 'Hi' }], finish: 'stop' }],
        usage: { inputTokens: 3, outputTokens: 2 },
      },
    });
  });

  it.each<[object, object[]]>([
    [{ type: 'thinking', thinking: 'T', signature: 's' }, [{ kind: 'thinking', text: 'T', signature: { origin: 'anthropic', data: 's' } }]],
    [{ type: 'thinking', thinking: '', signature: '' }, [{ kind: 'thinking', text: '' }]],
    [{ type: 'redacted_thinking', data: 'd' }, [{ kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: 'd' } }]],
    [{ type: 'tool_use', id: 't', name: 'f', input: { a: [1] } }, [{ kind: 'tool_call', id: 't', name: 'f', argumentsJson: '{"a":[1]}' }]],
    [{ type: 'server_tool_use', id: 's', name: 'web_search', input: {} }, []],
    [{ type: 'web_search_tool_result', tool_use_id: 's', content: [] }, []],
    [{ type: 'of_the_future' }, []],
  ])('reads the block %j', (block, parts) => {
    expect(choiceIn({ content: [block] })?.parts).toEqual(parts);
  });

  it.each([
    ['max_tokens', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'refusal'],
    ['pause_turn', 'pause'],
    ['model_context_window_exceeded', 'length'],
    ['of_the_future', 'stop'],
    [null, undefined],
  ])('reads the reason %s as %s', (reason, finish) => {
    expect(choiceIn({ stop_reason: reason })?.finish).toBe(finish);
  });

  it('reads a stop sequence, and why a model refused', () => {
    expect(choiceIn({ stop_reason: 'stop_sequence', stop_sequence: '§' })).toMatchObject({ finish: 'stop_sequence', stopSequence: '§' });
    expect(choiceIn({ stop_reason: 'refusal', stop_details: { type: 'refusal', category: null, explanation: 'No.' } })?.parts).toEqual([
      { kind: 'refusal', text: 'No.' },
    ]);
  });

  it('takes no usage that does not add up', () => {
    expect(read(message({ usage: { input_tokens: -3, output_tokens: 2 } }))).toMatchObject({ ok: true, value: { usage: undefined } });
  });

  it('reads a count', () => {
    expect(read({ input_tokens: 12 }, COUNT)).toEqual({ ok: true, value: { kind: 'count_tokens', inputTokens: 12 } });
    expect(read({}, COUNT)).toEqual({ ok: false, error: expect.stringMatching(/input_tokens\.$/) });
  });

  it('says of junk that it is none, and never throws', () => {
    for (const junk of ['', '<html>', '[]', '{}', '{"content":"x"}', '{"content":[1]}'])
      expect(read(junk)).toEqual({ ok: false, error: expect.stringMatching(/\.$/) });
    fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (content, usage) => [true, false].includes(read(message({ content, usage })).ok)));
  });
});

describe('writeAnswer', () => {
  const context = { endpoint: MESSAGES, request: { kind: 'chat', model: 'asked' } as NeutralChat, requestId: 'r1', created: 0 };
  const write = (answer: NeutralAnswer): Record<string, unknown> =>
    JSON.parse(new TextDecoder().decode(writeAnswer(answer, context))) as Record<string, unknown>;
  const chat = (choice: Partial<NeutralChoice>): NeutralAnswer => ({
    kind: 'chat',
    id: '',
    model: '',
    created: 5,
    choices: [{ index: 0, parts: [], finish: undefined, ...choice }],
    usage: undefined,
  });

  it('has every field that Anthropic has', () => {
    expect(write(chat({}))).toEqual({
      id: 'msg_r1',
      type: 'message',
      role: 'assistant',
      model: 'asked',
      content: [],
      container: null,
      diagnostics: null,
      stop_details: null,
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 0,
        output_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation_input_tokens: 0,
        cache_creation: null,
        output_tokens_details: null,
        server_tool_use: null,
        service_tier: null,
        inference_geo: null,
        speed: null,
      },
    });
  });

  it.each<[Partial<NeutralChoice>, object]>([
    [
      {
        parts: [
          { kind: 'text', text: '' },
          { kind: 'text', text: 'a' },
        ],
      },
      { content: [{ type: 'text', text: 'a', citations: null }] },
    ],
    [
      { parts: [{ kind: 'refusal', text: 'No.' }], finish: 'stop' },
      { content: [{ type: 'text', text: 'No.' }], stop_reason: 'refusal' },
    ],
    [{ parts: [{ kind: 'thinking', text: 'T' }] }, { content: [{ type: 'thinking', thinking: 'T', signature: '' }] }],
    [{ parts: [{ kind: 'thinking', text: '' }] }, { content: [] }],
    [
      { parts: [{ kind: 'thinking', text: '', redacted: { origin: 'openai', data: 'e' } }] },
      { content: [{ type: 'redacted_thinking', data: 'airmesh:openai:e' }] },
    ],
    [
      { parts: [{ kind: 'tool_call', id: '', name: 'f', argumentsJson: '', signature: { origin: 'gemini', data: 'g' } }], finish: 'stop' },
      {
        content: [
          { type: 'redacted_thinking', data: 'airmesh-call:airmesh:gemini:g' },
          { type: 'tool_use', id: 'toolu_r1_0', name: 'f', input: {} },
        ],
        stop_reason: 'tool_use',
      },
    ],
    [
      { parts: [{ kind: 'tool_call', id: 'c', name: 'f', argumentsJson: 'not JSON' }], finish: 'length' },
      { content: [{ type: 'tool_use', id: 'c', input: { arguments: 'not JSON' } }], stop_reason: 'max_tokens' },
    ],
    [{ finish: 'content_filter' }, { stop_reason: 'refusal' }],
    [
      { finish: 'stop_sequence', stopSequence: '§' },
      { stop_reason: 'stop_sequence', stop_sequence: '§' },
    ],
  ])('writes %j', (choice, expected) => {
    expect(write(chat(choice))).toMatchObject(expected);
  });

  it('counts what was cached apart', () => {
    const usage = {
      inputTokens: 30,
      outputTokens: 4,
      cachedInputTokens: 5,
      cacheWriteTokens: 7,
      cacheWriteLongTokens: 2,
      reasoningTokens: 3,
      hostedToolCalls: 1,
    };
    expect(write({ ...chat({}), usage } as NeutralAnswer)['usage']).toMatchObject({
      input_tokens: 18,
      output_tokens: 4,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 7,
      cache_creation: { ephemeral_1h_input_tokens: 2, ephemeral_5m_input_tokens: 5 },
      output_tokens_details: { thinking_tokens: 3 },
      server_tool_use: { web_search_requests: 1 },
    });
  });
});
