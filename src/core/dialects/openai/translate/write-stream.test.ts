import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralEvent } from '../../neutral.ts';
import type { Endpoint } from '../../types.ts';
import { openaiTranslation } from './index.ts';

/* Written by hand after the API reference and the types of the `openai` package. */

const REQUEST: NeutralChat = {
  kind: 'chat',
  model: 'asked',
  stream: true,
  wantsStreamUsage: true,
  messages: [
    { role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] },
    { role: 'user', parts: [{ kind: 'text', text: 'Hello' }] },
  ],
  tools: [{ name: 'f', description: undefined, parameters: undefined, strict: undefined }],
  toolChoice: { kind: 'required', names: ['f'] },
  parallelToolCalls: false,
  format: { kind: 'json_schema', name: undefined, description: undefined, schema: {}, strict: true },
  sampling: { temperature: 0.5, topP: 0.9, topLogprobs: 2 },
  reasoning: { effort: 'low', visible: true },
  maxOutputTokens: 100,
  choices: 1,
  user: 'u',
  metadata: { a: 'b' },
  tier: 'standard',
};

const write = (path: string, events: readonly NeutralEvent[], request: NeutralChat = REQUEST): string => {
  const endpoint: Endpoint = { operation: 'chat', path, body: 'json' };
  const writer = openaiTranslation.writeStream({ endpoint, request, requestId: 'r1', created: 9 });
  return new TextDecoder().decode(writer.write(events)) + new TextDecoder().decode(writer.finish());
};

const START: NeutralEvent = { kind: 'start', id: 'a-1', model: 'served', created: 7 };
const USAGE: NeutralEvent = { kind: 'usage', usage: { inputTokens: 3, outputTokens: 2 } };
const END: NeutralEvent = { kind: 'end' };
const text = (delta: string, choice = 0): NeutralEvent => ({ kind: 'text', choice, delta });
const stop: NeutralEvent = { kind: 'finish', choice: 0, reason: 'stop' };

describe('chunks of a chat completion', () => {
  const head = '"id":"a-1","object":"chat.completion.chunk","created":7,"model":"served"';

  it('have the role first, then words, the reason, the usage, and the end', () => {
    expect(write('/chat/completions', [START, text('Hi'), { kind: 'ping' }, stop, USAGE, END])).toBe(
      [
        `data: {${head},"choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}],"usage":null}`,
        `data: {${head},"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}`,
        ': ping',
        `data: {${head},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}`,
        `data: {${head},"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`,
        'data: [DONE]',
        '',
      ].join('\n\n'),
    );
  });

  it('say why a choice ended, though the provider did not', () => {
    expect(write('/chat/completions', [START, text('Hi'), END], { ...REQUEST, wantsStreamUsage: false })).toBe(
      [
        `data: {${head},"choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}`,
        `data: {${head},"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}`,
        `data: {${head},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
        'data: [DONE]',
        '',
      ].join('\n\n'),
    );
  });

  it.each([
    ['tool_calls', true],
    ['stop', true],
    ['length', false],
    ['content_filter', false],
  ] as const)('give a call the arguments of none only where it is whole: %s', (reason, isWhole) => {
    const written = write('/chat/completions', [
      START,
      { kind: 'tool_call', choice: 0, call: 0, id: 'a', name: 'f' },
      { kind: 'finish', choice: 0, reason },
      END,
    ]);
    expect(written.includes('"arguments":"{}"')).toBe(isWhole);
    const told = write('/responses', [START, { kind: 'tool_call', choice: 0, call: 0, id: 'a', name: 'f' }, { kind: 'finish', choice: 0, reason }, END]);
    expect(told.includes('"arguments":"{}"')).toBe(isWhole);
  });

  it('have an id and a date of ours where the provider gave none', () => {
    expect(write('/chat/completions', [{ kind: 'start', id: '', model: 'served', created: undefined }])).toContain(
      '"id":"chatcmpl-r1","object":"chat.completion.chunk","created":9',
    );
    expect(write('/chat/completions', [stop])).toContain('"model":"asked"');
  });

  it('end in an error where the stream does, and in nothing else', () => {
    const error: NeutralEvent = { kind: 'error', error: { kind: 'rate_limit', status: 429, message: 'Slow down.' } };
    const [last, after] = write('/chat/completions', [START, error, text('late'), END])
      .split('\n\n')
      .slice(-2);
    expect([last, after]).toEqual(['data: {"error":{"message":"Slow down.","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}', '']);
  });
});

describe('chunks of a text completion', () => {
  it('have words, the reason, the usage, and the end', () => {
    const head = '"id":"a-1","object":"text_completion","created":7,"model":"served"';
    const events: readonly NeutralEvent[] = [
      START,
      { kind: 'thinking', choice: 0, delta: 'Hm.' },
      text('Hi'),
      { kind: 'refusal', choice: 0, delta: ' no' },
      stop,
      stop,
      USAGE,
      END,
    ];
    expect(write('/completions', events)).toBe(
      [
        `data: {${head},"choices":[{"text":"Hi","index":0,"logprobs":null,"finish_reason":null}],"usage":null}`,
        `data: {${head},"choices":[{"text":" no","index":0,"logprobs":null,"finish_reason":null}],"usage":null}`,
        `data: {${head},"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":null}`,
        `data: {${head},"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`,
        'data: [DONE]',
        '',
      ].join('\n\n'),
    );
  });
});

describe('events of a response', () => {
  interface Told {
    readonly type: string;
    readonly output_index?: number;
    readonly response?: Readonly<Record<string, unknown>>;
  }

  const tell = (events: readonly NeutralEvent[]): readonly Told[] =>
    write('/responses', events)
      .split('\n\n')
      .filter((event) => event !== '' && !event.startsWith(':'))
      .map((event) => {
        const [name, data] = event.split('\n');
        const told = JSON.parse(data?.slice('data: '.length) ?? '') as Told;
        expect(name).toBe(`event: ${told.type}`);
        return told;
      });

  it('tell of each part of each item, from its beginning to its end', () => {
    const told = tell([
      START,
      { kind: 'thinking', choice: 0, delta: 'Hm.' },
      text(''),
      text('Hi'),
      { kind: 'refusal', choice: 0, delta: 'No.' },
      { kind: 'text', choice: 1, delta: 'of another choice' },
      { kind: 'tool_call', choice: 0, call: 0, id: 'a', name: 'f' },
      { kind: 'tool_call', choice: 0, call: 1, id: 'b', name: 'f' },
      { kind: 'tool_arguments', choice: 0, call: 0, delta: '{}' },
      { kind: 'finish', choice: 0, reason: 'tool_calls' },
      USAGE,
      END,
    ]);
    expect(told.map(({ type, output_index }) => `${type} ${output_index ?? ''}`.replace('response.', '').trim())).toEqual([
      'created',
      'in_progress',
      'output_item.added 0',
      'reasoning_summary_part.added 0',
      'reasoning_summary_text.delta 0',
      'reasoning_summary_text.done 0',
      'reasoning_summary_part.done 0',
      'output_item.done 0',
      'output_item.added 1',
      'content_part.added 1',
      'output_text.delta 1',
      'output_text.done 1',
      'content_part.done 1',
      'content_part.added 1',
      'refusal.delta 1',
      'refusal.done 1',
      'content_part.done 1',
      'output_item.done 1',
      'output_item.added 2',
      'output_item.added 3',
      'function_call_arguments.delta 2',
      'function_call_arguments.done 2',
      'output_item.done 2',
      'function_call_arguments.delta 3',
      'function_call_arguments.done 3',
      'output_item.done 3',
      'completed',
    ]);
  });

  it('end in the whole response, which repeats the request', () => {
    expect(tell([START, text('Hi'), stop, USAGE, END]).at(-1)).toEqual({
      type: 'response.completed',
      sequence_number: 8,
      response: {
        id: 'a-1',
        object: 'response',
        created_at: 7,
        status: 'completed',
        background: false,
        error: null,
        incomplete_details: null,
        instructions: 'Be brief.',
        max_output_tokens: 100,
        model: 'served',
        output: [
          {
            id: 'msg_a-1_0',
            type: 'message',
            status: 'completed',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'Hi', annotations: [], logprobs: [] }],
          },
        ],
        parallel_tool_calls: false,
        previous_response_id: null,
        reasoning: { effort: 'low', summary: 'auto' },
        safety_identifier: 'u',
        service_tier: 'default',
        store: false,
        temperature: 0.5,
        text: { format: { type: 'json_schema', name: 'answer', strict: true, schema: {} } },
        tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] },
        tools: [{ type: 'function', name: 'f', parameters: null, strict: null }],
        top_logprobs: 2,
        top_p: 0.9,
        truncation: 'disabled',
        usage: {
          input_tokens: 3,
          input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
          output_tokens: 2,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: 5,
        },
        access_programs: null,
        metadata: { a: 'b' },
      },
    });
  });

  it('tell of a failure in both ways that clients look for', () => {
    const told = tell([START, text('H'), { kind: 'error', error: { kind: 'timeout', status: 504, message: 'Too slow.', param: 'p' } }]);
    expect(told.slice(-2)).toMatchObject([
      { type: 'response.failed', response: { status: 'failed', error: { code: 'timeout', message: 'Too slow.' }, output: [] } },
      { type: 'error', code: 'timeout', message: 'Too slow.', param: 'p', error: { type: 'server_error', code: 'timeout', message: 'Too slow.', param: 'p' } },
    ]);
  });

  it('never tell that a call is done which the failure cut', () => {
    const told = tell([
      START,
      text('H'),
      { kind: 'tool_call', choice: 0, call: 0, id: 'a', name: 'f' },
      { kind: 'error', error: { kind: 'timeout', status: 504, message: 'Too slow.' } },
    ]);
    expect(told.filter(({ type }) => type === 'response.output_item.done').map(({ output_index }) => output_index)).toEqual([0]);
    expect(told.at(-2)).toMatchObject({ type: 'response.failed', response: { output: [{ type: 'message' }] } });
  });

  it.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
    ['refusal', 'content_filter'],
  ] as const)('tell of an answer that is incomplete: %s', (reason, told) => {
    expect(tell([START, text('H'), { kind: 'finish', choice: 0, reason }, END]).at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason: told }, output: [{ status: 'incomplete' }], usage: null },
    });
  });
});
