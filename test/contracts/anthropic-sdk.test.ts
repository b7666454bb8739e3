/** What this room writes, as Anthropic's own SDK and Vercel's read it, without a network. */
import Anthropic from '@anthropic-ai/sdk';
import { createAnthropic } from '@ai-sdk/anthropic';
import { generateText, streamText } from 'ai';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { anthropic } from '../../src/core/dialects/anthropic/index.ts';
import { anthropicTranslation } from '../../src/core/dialects/anthropic/translate/index.ts';
import type { Endpoint, LocalReply } from '../../src/core/dialects/index.ts';
import type { NeutralAnswer, NeutralEvent, NeutralRequest } from '../../src/core/dialects/neutral.ts';
import type { AnswerContext } from '../../src/core/dialects/translation.ts';

const RECORDED = readFileSync(new URL('../fixtures/anthropic/thinking-and-tools.sse', import.meta.url));
const MESSAGES: Endpoint = { operation: 'chat', path: '/messages', body: 'json' };
const HEADERS = { contentType: 'application/json', contentEncoding: undefined };

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const replied = ({ status, headers, body }: LocalReply): Answer => ({ status, headers: Object.fromEntries(headers), body });
const json = (body: Uint8Array): Answer => ({ status: 200, headers: { 'content-type': 'application/json' }, body });
const sse = (body: Uint8Array): Answer => ({ status: 200, headers: { 'content-type': anthropicTranslation.streamContentType(MESSAGES) }, body });

/** A `fetch` that reads each request as this room does, and answers it. */
function answering(answer: (request: NeutralRequest) => Answer): typeof fetch {
  return async (_input, init) => {
    const bytes = new TextEncoder().encode(typeof init?.body === 'string' ? init.body : '');
    const facts = bytes.length === 0 ? undefined : anthropic.readRequest(MESSAGES, bytes, HEADERS);
    const parsed = anthropicTranslation.parseRequest(MESSAGES, bytes.length === 0 ? new TextEncoder().encode('{"model":"m","messages":[]}') : bytes);
    if (!parsed.ok || facts?.ok === false) throw new Error('the SDK sent what cannot be read');
    const { status, headers, body } = answer(parsed.value.request);
    // In small pieces, as a network would bring them.
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < body.length; at += 7) controller.enqueue(body.slice(at, at + 7));
        controller.close();
      },
    });
    return new Response(pieces, { status, headers });
  };
}

const client = (answer: (request: NeutralRequest) => Answer): Anthropic => new Anthropic({ apiKey: 'test', maxRetries: 0, fetch: answering(answer) });
const contextOf = (request: NeutralRequest): AnswerContext => ({ endpoint: MESSAGES, request, requestId: 'r1', created: 0 });

const EVENTS: readonly NeutralEvent[] = [
  { kind: 'start', id: 'chatcmpl-1', model: 'gpt-x', created: 1 },
  { kind: 'thinking', choice: 0, delta: 'Hm.' },
  { kind: 'thinking_signature', choice: 0, signature: { origin: 'openai', data: 'enc' } },
  { kind: 'text', choice: 0, delta: 'I „look“ ' },
  { kind: 'text', choice: 0, delta: '😀' },
  { kind: 'tool_call', choice: 0, call: 0, id: 'call_a', name: 'look' },
  { kind: 'tool_arguments', choice: 0, call: 0, delta: '{"at":' },
  { kind: 'tool_call', choice: 0, call: 1, id: 'call_b', name: 'look' },
  { kind: 'tool_arguments', choice: 0, call: 1, delta: '{"at":"b"}' },
  { kind: 'tool_arguments', choice: 0, call: 0, delta: '"a"}' },
  { kind: 'finish', choice: 0, reason: 'tool_calls' },
  { kind: 'usage', usage: { inputTokens: 30, outputTokens: 12, cachedInputTokens: 10, reasoningTokens: 4 } },
  { kind: 'end' },
];

const CONTENT = [
  { type: 'thinking', thinking: 'Hm.', signature: 'airmesh:openai:enc' },
  { type: 'text', text: 'I „look“ 😀' },
  { type: 'tool_use', id: 'call_a', name: 'look', input: { at: 'a' } },
  { type: 'tool_use', id: 'call_b', name: 'look', input: { at: 'b' } },
];

const ANSWER: NeutralAnswer = {
  kind: 'chat',
  id: 'chatcmpl-1',
  model: 'gpt-x',
  created: 1,
  choices: [
    {
      index: 0,
      parts: [
        { kind: 'thinking', text: 'Hm.', signature: { origin: 'openai', data: 'enc' } },
        { kind: 'text', text: 'I „look“ 😀' },
        { kind: 'tool_call', id: 'call_a', name: 'look', argumentsJson: '{"at":"a"}' },
        { kind: 'tool_call', id: 'call_b', name: 'look', argumentsJson: '{"at":"b"}' },
      ],
      finish: 'tool_calls',
    },
  ],
  usage: { inputTokens: 30, outputTokens: 12, cachedInputTokens: 10, reasoningTokens: 4 },
};
const USAGE = {
  input_tokens: 20,
  cache_read_input_tokens: 10,
  cache_creation_input_tokens: 0,
  output_tokens: 12,
  output_tokens_details: { thinking_tokens: 4 },
};

const ASK = { model: 'claude-x', max_tokens: 64, messages: [{ role: 'user' as const, content: 'hi' }] };

describe("Anthropic's SDK", () => {
  it('puts a written stream together', async () => {
    const stream = client((request) => sse(anthropicTranslation.writeStream(contextOf(request)).write(EVENTS))).messages.stream(ASK);
    const message = await stream.finalMessage();
    expect(message).toMatchObject({ id: 'chatcmpl-1', model: 'gpt-x', role: 'assistant', stop_reason: 'tool_use', usage: USAGE });
    expect(message.content).toMatchObject(CONTENT);
  });

  it('reads a written answer', async () => {
    const message = await client((request) => json(anthropicTranslation.writeAnswer(ANSWER, contextOf(request)))).messages.create(ASK);
    expect(message).toMatchObject({
      id: 'chatcmpl-1',
      type: 'message',
      role: 'assistant',
      content: CONTENT,
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: USAGE,
    });
  });

  it('sends back what it was given, and it is what it was', async () => {
    let second: NeutralRequest | undefined;
    const asked = client((request) => {
      second = request;
      return json(anthropicTranslation.writeAnswer(ANSWER, contextOf(request)));
    });
    const { content } = await asked.messages.create(ASK);
    await asked.messages.create({
      ...ASK,
      messages: [...ASK.messages, { role: 'assistant', content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_a', content: 'ok' }] }],
    });
    expect(second?.kind === 'chat' && second.messages[1]?.parts).toEqual(ANSWER.choices[0]?.parts);
  });

  it('reads what was read from its own stream', async () => {
    const reader = anthropicTranslation.readStream(MESSAGES);
    const events = [...reader.push(RECORDED, false), ...reader.push(new Uint8Array(0), true)];
    const written = await client((request) => sse(anthropicTranslation.writeStream(contextOf(request)).write(events)))
      .messages.stream(ASK)
      .finalMessage();
    const original = await client(() => sse(RECORDED))
      .messages.stream(ASK)
      .finalMessage();
    const own = original.content.filter(({ type }) => !type.startsWith('server_tool') && !type.startsWith('web_search'));
    expect(written.content.map((block) => ({ ...block, citations: undefined }))).toEqual(own.map((block) => ({ ...block, citations: undefined })));
    expect([written.id, written.stop_reason, written.usage.output_tokens, written.usage.input_tokens]).toEqual([
      original.id,
      original.stop_reason,
      original.usage.output_tokens,
      original.usage.input_tokens,
    ]);
  });

  it.each<[string, readonly NeutralEvent[], object]>([
    [
      'an error event',
      [...EVENTS.slice(0, 4), { kind: 'error', error: { kind: 'overloaded', status: 529, message: 'Busy.' } }],
      { type: 'overloaded_error', apiMessage: 'Busy.' },
    ],
    ['a stream that was cut off', EVENTS.slice(0, 8), { type: 'api_error' }],
  ])('fails by %s', async (_, events, error) => {
    const stream = client((request) => {
      const writer = anthropicTranslation.writeStream(contextOf(request));
      const [begun, rest] = [writer.write(events), writer.finish()];
      return sse(Uint8Array.from([...begun, ...rest]));
    }).messages.stream(ASK);
    await expect(stream.finalMessage()).rejects.toMatchObject(error);
  });

  it('makes its own errors of refusals, and of errors of providers', async () => {
    const refused = client(() =>
      replied(anthropic.refusal({ code: 'budget_exhausted', status: 429, message: 'Spent.', shouldRetry: false }, 'r1')),
    ).messages.create(ASK);
    await expect(refused).rejects.toBeInstanceOf(Anthropic.RateLimitError);
    await expect(refused).rejects.toMatchObject({
      status: 429,
      type: 'rate_limit_error',
      errorCode: 'budget_exhausted',
      apiMessage: 'Spent.',
      requestID: 'r1',
    });
    const failed = client(() =>
      replied(anthropicTranslation.writeError({ kind: 'not_found', status: 404, message: 'No such model.', code: 'model_not_found' }, 'r1')),
    ).messages.create(ASK);
    await expect(failed).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(failed).rejects.toMatchObject({ type: 'not_found_error', errorCode: 'model_not_found', apiMessage: 'No such model.' });
  });

  it('lists models, and counts tokens', async () => {
    const models: string[] = [];
    for await (const { id } of client(() =>
      replied(
        anthropic.modelsList([
          { id: 'one', ownedBy: 'a' },
          { id: 'two', ownedBy: 'b' },
        ]),
      ),
    ).models.list())
      models.push(id);
    expect(models).toEqual(['one', 'two']);
    await expect(client(() => replied(anthropic.modelItem({ id: 'one', ownedBy: 'a' }))).models.retrieve('one')).resolves.toMatchObject({
      id: 'one',
      type: 'model',
    });
    const counting = new Anthropic({
      apiKey: 'test',
      maxRetries: 0,
      fetch: async () =>
        new Response(anthropicTranslation.writeAnswer({ kind: 'count_tokens', inputTokens: 12 }, contextOf({} as NeutralRequest)).slice(), {
          headers: { 'content-type': 'application/json' },
        }),
    });
    await expect(counting.messages.countTokens({ model: 'm', messages: ASK.messages })).resolves.toEqual({ input_tokens: 12 });
  });
});

describe("Vercel's SDK", () => {
  const provider = (answer: (request: NeutralRequest) => Answer) => createAnthropic({ apiKey: 'test', fetch: answering(answer) })('claude-sonnet-4-5');

  it('reads a written answer and a written stream', async () => {
    const generated = await generateText({ model: provider((request) => json(anthropicTranslation.writeAnswer(ANSWER, contextOf(request)))), prompt: 'hi' });
    const streamed = streamText({ model: provider((request) => sse(anthropicTranslation.writeStream(contextOf(request)).write(EVENTS))), prompt: 'hi' });
    const seen = async (result: {
      readonly text: PromiseLike<string> | string;
      readonly finishReason: unknown;
      readonly toolCalls: unknown;
      readonly usage: unknown;
    }): Promise<unknown> => [
      await result.text,
      await result.finishReason,
      ((await result.toolCalls) as readonly { toolCallId: string; input: unknown }[]).map(({ toolCallId, input }) => [toolCallId, input]),
      ((await result.usage) as { inputTokens: number }).inputTokens,
    ];
    const expected = [
      'I „look“ 😀',
      'tool-calls',
      [
        ['call_a', { at: 'a' }],
        ['call_b', { at: 'b' }],
      ],
      30,
    ];
    expect(await seen(generated)).toEqual(expected);
    expect(await seen(streamed)).toEqual(expected);
  });
});
