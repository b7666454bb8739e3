/** What is written for callers of OpenAI's APIs, read by OpenAI's own client. */
import { APIError } from 'openai';
import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralError, NeutralEvent, NeutralRequest } from '../../src/core/dialects/neutral.ts';
import { openaiTranslation as translation } from '../../src/core/dialects/openai/translate/index.ts';
import type { AnswerContext } from '../../src/core/dialects/translation.ts';
import type { Endpoint } from '../../src/core/dialects/types.ts';
import { chatOf, collect } from '../support/neutral-chat.ts';
import { clientAnswering } from '../support/openai-client.ts';

const CHAT: Endpoint = { operation: 'chat', path: '/chat/completions', body: 'json' };
const RESPONSES: Endpoint = { operation: 'responses', path: '/responses', body: 'json' };
const COMPLETIONS: Endpoint = { operation: 'text_completion', path: '/completions', body: 'json' };
const EMBEDDINGS: Endpoint = { operation: 'embeddings', path: '/embeddings', body: 'json' };

const TOOLS = [{ name: 'weather', description: 'Tells the weather.', parameters: { type: 'object', properties: { city: { type: 'string' } } }, strict: true }];
const REQUEST = chatOf({
  wantsStreamUsage: true,
  tools: TOOLS,
  maxOutputTokens: 100,
  user: 'u',
  metadata: { a: 'b' },
  reasoning: { effort: 'low', visible: true },
});

const contextOf = (endpoint: Endpoint, request: NeutralRequest = REQUEST): AnswerContext => ({ endpoint, request, requestId: 'r1', created: 1_700_000_000 });

const START: NeutralEvent = { kind: 'start', id: 'answer-1', model: 'some-model-2', created: 1_700_000_001 };
const USAGE: NeutralEvent = { kind: 'usage', usage: { inputTokens: 30, outputTokens: 20, cachedInputTokens: 10, cacheWriteTokens: 5, reasoningTokens: 7 } };
const END: NeutralEvent = { kind: 'end' };
const finish = (reason: Extract<NeutralEvent, { kind: 'finish' }>['reason'], choice = 0): NeutralEvent => ({ kind: 'finish', choice, reason });
const text = (delta: string, choice = 0): NeutralEvent => ({ kind: 'text', choice, delta });

/** Steps as other dialects' readers give them. */
const STREAMS: readonly (readonly [name: string, events: readonly NeutralEvent[]])[] = [
  ['a text', [START, text('Hel'), { kind: 'ping' }, text('lo 😀 \n„x“'), finish('stop'), USAGE, END]],
  ['nothing', [START, finish('stop'), USAGE, END]],
  [
    'thinking, text and calls whose arguments interleave',
    [
      START,
      { kind: 'thinking', choice: 0, delta: 'Hm' },
      { kind: 'thinking', choice: 0, delta: '. Yes.' },
      { kind: 'thinking_signature', choice: 0, signature: { origin: 'anthropic', data: 'c2VhbA==' } },
      { kind: 'thinking', choice: 0, delta: 'And more.' },
      text('Let me see.'),
      { kind: 'tool_call', choice: 0, call: 0, id: 'call_a', name: 'weather' },
      { kind: 'tool_arguments', choice: 0, call: 0, delta: '{"city":' },
      { kind: 'tool_call', choice: 0, call: 1, id: 'call_b', name: 'weather', signature: { origin: 'gemini', data: 'Z2Vt' } },
      { kind: 'tool_arguments', choice: 0, call: 1, delta: '{"city":"Ulm"}' },
      { kind: 'tool_arguments', choice: 0, call: 0, delta: '"Köln"}' },
      { kind: 'tool_call', choice: 0, call: 2, id: 'call_c', name: 'weather' },
      finish('tool_calls'),
      USAGE,
      END,
    ],
  ],
  [
    'hidden thinking',
    [START, { kind: 'redacted_thinking', choice: 0, redacted: { origin: 'openai', data: 'gAAA' } }, text('Yes.'), finish('stop'), USAGE, END],
  ],
  [
    'a refusal in words',
    [START, text('Well, '), { kind: 'refusal', choice: 0, delta: 'I will ' }, { kind: 'refusal', choice: 0, delta: 'not.' }, finish('refusal'), END],
  ],
  ['a silent refusal', [START, text('Wel'), finish('refusal'), USAGE, END]],
  ['an answer cut at its cap', [START, text('Once upon'), finish('length'), USAGE, END]],
  ['an answer that was filtered', [START, text('Once'), finish('content_filter'), USAGE, END]],
  [
    'log probabilities',
    [
      START,
      { kind: 'text', choice: 0, delta: 'é', logprobs: [{ token: 'é', logprob: -0.5, top: [{ token: 'e', logprob: -1 }] }] },
      { kind: 'text', choice: 0, delta: '!', logprobs: [{ token: '!', logprob: -0.25, top: [] }] },
      finish('stop'),
      USAGE,
      END,
    ],
  ],
];

interface Completion {
  readonly choices: readonly { readonly message: { readonly content: string | null } }[];
  usage?: unknown;
}

/** What the client adds to what it reads. */
const withoutParsed = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (name: string, member: unknown) =>
    ['parsed', 'parsed_arguments', 'output_parsed', 'output_text', '_request_id'].includes(name) ? undefined : member,
  );

const writeStream = (endpoint: Endpoint, events: readonly NeutralEvent[], request?: NeutralRequest): Uint8Array => {
  const writer = translation.writeStream(contextOf(endpoint, request));
  const bytes = [...events.map((event) => writer.write([event])), writer.finish()];
  return Buffer.concat(bytes);
};

const writeWhole = (endpoint: Endpoint, events: readonly NeutralEvent[], request?: NeutralRequest): Uint8Array =>
  translation.writeAnswer(collect(events), contextOf(endpoint, request));
const jsonOf = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

describe.each(STREAMS)('chat completions: %s', (_name, events) => {
  it('streams to what the client would have got as a whole', async () => {
    const client = clientAnswering(writeStream(CHAT, events), 'text/event-stream', [7, 100, 101, 333]);
    const streamed = client.chat.completions.stream({ model: 'm', messages: [], stream_options: { include_usage: true } });
    const whole = jsonOf(writeWhole(CHAT, events)) as Completion;
    const completion = withoutParsed(await streamed.finalChatCompletion()) as Completion;
    expect(completion.choices.map(({ message }) => message.content ?? '')).toEqual(whole.choices.map(({ message }) => message.content ?? ''));
    // A stream cannot tell no text from an empty one, the client keeps only the last piece of a field that it does not know, and usage that is unknown is null.
    for (const answer of [whole, completion]) {
      answer.usage ??= null;
      for (const { message } of answer.choices) Object.assign(message, { content: undefined, reasoning_content: undefined });
    }
    expect(completion).toEqual(whole);
  });

  it('streams what the model thought', async () => {
    const client = clientAnswering(writeStream(CHAT, events), 'text/event-stream');
    let thought = '';
    for await (const { choices } of await client.chat.completions.create({ model: 'm', messages: [], stream: true })) {
      for (const { delta } of choices) if ('reasoning_content' in delta) thought += String(delta.reasoning_content);
    }
    expect(thought).toBe(
      collect(events)
        .choices[0]?.parts.map((part) => (part.kind === 'thinking' ? part.text : ''))
        .join(''),
    );
  });

  it('is read as a whole', async () => {
    const body = writeWhole(CHAT, events);
    const client = clientAnswering(body, 'application/json');
    expect(withoutParsed(await client.chat.completions.create({ model: 'm', messages: [] }))).toEqual(jsonOf(body));
  });

  it('holds no usage that was not asked for', async () => {
    const client = clientAnswering(writeStream(CHAT, events, chatOf()), 'text/event-stream');
    for await (const chunk of await client.chat.completions.create({ model: 'm', messages: [], stream: true })) {
      expect(chunk).not.toHaveProperty('usage');
      expect(chunk.choices).toHaveLength(1);
    }
  });
});

describe.each(STREAMS)('responses: %s', (_name, events) => {
  it('streams to what the client would have got as a whole', async () => {
    const client = clientAnswering(writeStream(RESPONSES, events), 'text/event-stream', [7, 100, 101, 333]);
    const final = await client.responses.stream({ model: 'm', input: 'x' }).finalResponse();
    expect(withoutParsed(final)).toEqual(jsonOf(writeWhole(RESPONSES, events)));
  });

  it('adds up event by event to its last event', async () => {
    const client = clientAnswering(writeStream(RESPONSES, events), 'text/event-stream');
    const numbers: number[] = [];
    const items = new Map<number, unknown>();
    let response: unknown;
    for await (const event of await client.responses.create({ model: 'm', input: 'x', stream: true })) {
      numbers.push(event.sequence_number);
      if (event.type === 'response.output_item.done') items.set(event.output_index, event.item);
      if (event.type === 'response.completed' || event.type === 'response.incomplete') response = event.response.output;
    }
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect([...items].toSorted(([one], [other]) => one - other).map(([, item]) => item)).toEqual(response);
  });

  it('is read as a whole, with its text', async () => {
    const client = clientAnswering(writeWhole(RESPONSES, events), 'application/json');
    const response = await client.responses.create({ model: 'm', input: 'x' });
    expect(response.output_text).toBe(
      collect(events)
        .choices[0]?.parts.map((part) => (part.kind === 'text' ? part.text : ''))
        .join(''),
    );
  });
});

describe('completions', () => {
  const events = [START, text('Once'), text('Einst', 1), text(' upon'), finish('length'), finish('stop', 1), USAGE, END];

  it('streams text, reasons and usage', async () => {
    const client = clientAnswering(writeStream(COMPLETIONS, events), 'text/event-stream');
    const texts = ['', ''];
    const ends: unknown[] = [];
    let usage: unknown;
    for await (const chunk of await client.completions.create({ model: 'm', prompt: 'x', stream: true })) {
      for (const choice of chunk.choices) {
        texts[choice.index] += choice.text;
        if (choice.finish_reason !== null) ends[choice.index] = choice.finish_reason;
      }
      usage = chunk.usage;
    }
    expect([texts, ends, usage]).toEqual([['Once upon', 'Einst'], ['length', 'stop'], expect.objectContaining({ prompt_tokens: 30, completion_tokens: 20 })]);
  });

  it('is read as a whole', async () => {
    const client = clientAnswering(writeWhole(COMPLETIONS, events), 'application/json');
    expect((await client.completions.create({ model: 'm', prompt: 'x' })).choices).toEqual([
      { index: 0, text: 'Once upon', logprobs: null, finish_reason: 'length' },
      { index: 1, text: 'Einst', logprobs: null, finish_reason: 'stop' },
    ]);
  });
});

describe('several answers', () => {
  it('are put together by the client', async () => {
    const events = [START, text('a'), text('b', 1), text('c', 2), text('a'), finish('stop'), finish('length', 1), finish('stop', 2), END];
    const request: NeutralChat = chatOf({ choices: 3 });
    const client = clientAnswering(writeStream(CHAT, events, request), 'text/event-stream');
    const { choices } = await client.chat.completions.stream({ model: 'm', messages: [], n: 3 }).finalChatCompletion();
    expect(choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual([
      ['aa', 'stop'],
      ['b', 'length'],
      ['c', 'stop'],
    ]);
  });
});

describe('embeddings', () => {
  const vectors = [
    [0.5, -0.25, 3],
    [1, 2, -1024],
  ];

  it.each(['float', 'base64'] as const)('come as %s', async (encoding) => {
    const request: NeutralRequest = {
      kind: 'embedding',
      model: 'e',
      inputs: ['a', 'b'],
      dimensions: undefined,
      encoding,
      task: undefined,
      title: undefined,
      user: undefined,
      single: false,
    };
    const body = translation.writeAnswer(
      { kind: 'embedding', model: 'e', vectors, usage: { inputTokens: 4, outputTokens: 0 } },
      contextOf(EMBEDDINGS, request),
    );
    // The client asks for base64 by itself and hands out numbers.
    const answer = await clientAnswering(body, 'application/json').embeddings.create({
      model: 'e',
      input: ['a', 'b'],
      ...(encoding === 'float' ? { encoding_format: encoding } : {}),
    });
    expect(answer.data.map(({ embedding, index }) => [index, [...embedding]])).toEqual(vectors.map((vector, index) => [index, vector]));
    expect(answer.usage).toEqual({ prompt_tokens: 4, total_tokens: 4 });
  });
});

describe('errors', () => {
  const error: NeutralError = { kind: 'overloaded', status: 529, message: 'Too much to do.', code: 'overloaded_error' };

  it('have the status and the class that the client knows', async () => {
    const reply = translation.writeError(error, 'r1');
    const client = clientAnswering(reply.body, 'application/json', [], reply.status);
    await expect(client.chat.completions.create({ model: 'm', messages: [] })).rejects.toMatchObject({
      status: 503,
      code: 'overloaded_error',
      type: 'server_error',
      message: '503 Too much to do.',
    });
  });

  it.each([
    ['an error', [{ kind: 'error', error } as const], 'Too much to do.', 'overloaded_error'],
    ['a stream that breaks off', [], 'broke off', 'provider_unreachable'],
  ] as const)('in the midst of streams reach the caller: %s', async (_name, last, message, code) => {
    const events: readonly NeutralEvent[] = [START, text('Onc'), { kind: 'tool_call', choice: 0, call: 0, id: 'a', name: 'weather' }, ...last];
    const failing = async (run: () => Promise<unknown>): Promise<void> => {
      const failure: unknown = await run().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(failure).toBeInstanceOf(APIError);
      expect(failure).toMatchObject({ code, message: expect.stringContaining(message) });
    };
    const client = (endpoint: Endpoint): ReturnType<typeof clientAnswering> => clientAnswering(writeStream(endpoint, events), 'text/event-stream');
    await failing(() => client(CHAT).chat.completions.stream({ model: 'm', messages: [] }).finalChatCompletion());
    await failing(() => client(RESPONSES).responses.stream({ model: 'm', input: 'x' }).finalResponse());
    await failing(async () => {
      for await (const chunk of await client(COMPLETIONS).completions.create({ model: 'm', prompt: 'x', stream: true })) expect(chunk.choices).toHaveLength(1);
    });
    const seen: string[] = [];
    await failing(async () => {
      for await (const event of await client(RESPONSES).responses.create({ model: 'm', input: 'x', stream: true })) seen.push(event.type);
    });
    expect(seen.at(-1)).toBe('response.failed');
  });
});
