import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralMessage, NeutralPart, NeutralReasoning } from '../../../neutral.ts';
import { openaiTranslation } from '../index.ts';

const HELLO: NeutralMessage = { role: 'user', parts: [{ kind: 'text', text: 'Hello' }] };
const CHAT: NeutralChat = {
  kind: 'chat',
  model: 'm',
  stream: false,
  wantsStreamUsage: false,
  messages: [HELLO],
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
};

interface Written {
  readonly body: Readonly<Record<string, unknown>>;
  readonly losses: readonly string[];
}

const write = (parts: Partial<NeutralChat>): Written => {
  const written = openaiTranslation.writeRequest({ ...CHAT, ...parts });
  expect(written?.endpoint).toEqual({ operation: 'chat', path: '/chat/completions', body: 'json' });
  return {
    body: JSON.parse(new TextDecoder().decode(written?.body)) as Written['body'],
    losses: (written?.losses ?? []).map(({ treatment, param }) => `${treatment} ${param}`),
  };
};

const user = (...parts: readonly NeutralPart[]): NeutralMessage => ({ role: 'user', parts });
const assistant = (...parts: readonly NeutralPart[]): NeutralMessage => ({ role: 'assistant', parts });
const text = (words: string): NeutralPart => ({ kind: 'text', text: words });
const call: NeutralPart = { kind: 'tool_call', id: 'c', name: 'look', argumentsJson: '{"x": 1}', signature: { origin: 'anthropic', data: 's' } };
const png = { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } } as const;

describe('messages', () => {
  it.each<[string, readonly NeutralMessage[], readonly object[], readonly string[]]>([
    [
      'text alone as a string',
      [{ role: 'system', parts: [text('a')], name: 'n' }, HELLO],
      [
        { role: 'system', content: 'a', name: 'n' },
        { role: 'user', content: 'Hello' },
      ],
      [],
    ],
    [
      'several texts as parts, without marks for a cache',
      [user({ kind: 'text', text: 'a', cache: { ttl: '5m' } }, text('b'))],
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
      [],
    ],
    [
      'images',
      [user({ ...png, detail: 'low' }, { kind: 'image', source: { kind: 'url', url: 'https://example.com/a' } })],
      [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a' } },
          ],
        },
      ],
      [],
    ],
    [
      'documents and sound',
      [
        user(
          { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' } },
          { kind: 'document', source: { kind: 'text', text: 'Notes.' }, name: 'notes' },
          { kind: 'audio', source: { kind: 'base64', mediaType: 'audio/mp3', data: 'BBBB' } },
        ),
      ],
      [
        {
          role: 'user',
          content: [
            { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
            { type: 'text', text: 'Notes.' },
            { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
          ],
        },
      ],
      ['dropped document.name'],
    ],
    [
      'calls without words',
      [assistant(call)],
      [{ role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'look', arguments: '{"x": 1}' } }] }],
      [],
    ],
    [
      'words, a refusal and thinking',
      [assistant({ kind: 'thinking', text: 'Hm.' }, text('a'), { kind: 'refusal', text: 'b' })],
      [
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'a' },
            { type: 'refusal', refusal: 'b' },
          ],
        },
      ],
      ['dropped thinking'],
    ],
    ['nothing of thinking alone', [HELLO, assistant({ kind: 'thinking', text: 'Hm.' })], [{ role: 'user', content: 'Hello' }], ['dropped thinking']],
    ['an empty answer', [assistant()], [{ role: 'assistant', content: '' }], []],
    [
      'results before whatever else the caller says, a failed one with its text',
      [
        user(
          text('See?'),
          { kind: 'tool_result', callId: 'c', name: 'look', content: [{ kind: 'text', text: 'no' }], isError: true },
          { kind: 'tool_result', callId: 'd', name: undefined, content: [], isError: false },
        ),
      ],
      [
        { role: 'tool', tool_call_id: 'c', content: 'no' },
        { role: 'tool', tool_call_id: 'd', content: '' },
        { role: 'user', content: 'See?' },
      ],
      ['dropped tool_result.is_error'],
    ],
    [
      'images of a result behind it',
      [user({ kind: 'tool_result', callId: 'c', name: 'look', content: [{ kind: 'text', text: 'a cat' }, png], isError: false })],
      [
        { role: 'tool', tool_call_id: 'c', content: 'a cat' },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] },
      ],
      ['dropped tool_result.content'],
    ],
  ])('are written: %s', (_name, messages, expected, losses) => {
    expect(write({ messages })).toMatchObject({ body: { messages: expected }, losses });
    expect(write({ messages }).body['messages']).toEqual(expected);
  });

  it.each<[string, NeutralMessage, string]>([
    ['a document by its URL', user({ kind: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } }), 'document.url'],
    ['sound by its URL', user({ kind: 'audio', source: { kind: 'url', url: 'https://example.com/a.wav' } }), 'audio'],
    ['sound in another format', user({ kind: 'audio', source: { kind: 'base64', mediaType: 'audio/ogg', data: 'A' } }), 'audio'],
    ['an image given as text', user({ kind: 'image', source: { kind: 'text', text: 'x' } }), 'image'],
    ['an image of the system', { role: 'system', parts: [png] }, 'system.image'],
    ['an image of the assistant', assistant(png), 'assistant.image'],
  ])('are refused for %s', (_name, message, param) => {
    expect(write({ messages: [message] }).losses).toContain(`refused ${param}`);
  });
});

describe('parameters', () => {
  it('that are absent are not written', () => {
    expect(write({}).body).toEqual({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] });
  });

  it('always ask a stream for its usage', () => {
    expect(write({ stream: true }).body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it.each<[Partial<NeutralChat>, object, readonly string[]]>([
    [{ maxOutputTokens: 5, choices: 2, user: 'u' }, { max_completion_tokens: 5, n: 2, user: 'u' }, []],
    [{ tier: 'standard' }, { service_tier: 'default' }, []],
    [{ tier: 'flex' }, { service_tier: 'flex' }, []],
    [{ tier: 'auto' }, {}, []],
    [
      { sampling: { topK: 3, topLogprobs: 2, stop: ['a', 'b', 'c', 'd', 'e'] } },
      { logprobs: true, top_logprobs: 2, stop: ['a', 'b', 'c', 'd'] },
      ['dropped top_k', 'dropped stop'],
    ],
    [{ sampling: { stop: [] } }, {}, []],
    [{ metadata: { a: 'b' } }, {}, ['dropped metadata']],
    [
      { format: { kind: 'json_schema', name: undefined, description: undefined, schema: { type: 'object' }, strict: undefined } },
      { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } } },
      [],
    ],
    [{ toolChoice: { kind: 'auto' }, parallelToolCalls: false }, {}, []],
  ])('%j become %j', (parts, expected, losses) => {
    const { body, losses: told } = write(parts);
    expect(body).toEqual({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...expected });
    expect(told).toEqual(losses);
  });

  it.each<[NeutralReasoning, string | undefined]>([
    [{ effort: 'xhigh', budgetTokens: 1 }, 'xhigh'],
    [{ budgetTokens: 0 }, 'none'],
    [{ budgetTokens: 1 }, 'low'],
    [{ budgetTokens: 1024 }, 'low'],
    [{ budgetTokens: 1025 }, 'medium'],
    [{ budgetTokens: 8192 }, 'medium'],
    [{ budgetTokens: 8193 }, 'high'],
    [{ adaptive: true, visible: true }, undefined],
  ])('for thinking %j become the effort %s', (reasoning, effort) => {
    expect(write({ reasoning }).body['reasoning_effort']).toBe(effort);
  });

  it('leave tools out that may not be called', () => {
    const tools = ['a', 'b', 'c'].map((name) => ({ name, description: undefined, parameters: undefined, strict: undefined }));
    const { body } = write({ tools, toolChoice: { kind: 'required', names: ['a', 'c'] } });
    expect(body).toMatchObject({
      tools: [
        { type: 'function', function: { name: 'a' } },
        { type: 'function', function: { name: 'c' } },
      ],
      tool_choice: 'required',
    });
  });
});
