/** What this room writes, as Google's own SDK and Vercel's read it, and what it asks, in that SDK's own words; without a network. */
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { ApiError, GoogleGenAI } from '@google/genai';
import type { Content, GenerateContentConfig, GenerateContentResponse, GenerationConfig, Part } from '@google/genai';
import { generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gemini } from '../../src/core/dialects/gemini/index.ts';
import { geminiTranslation as translation } from '../../src/core/dialects/gemini/translate/index.ts';
import type { Endpoint, LocalReply } from '../../src/core/dialects/index.ts';
import type { NeutralChat, NeutralEvent, NeutralRequest } from '../../src/core/dialects/neutral.ts';
import type { AnswerContext } from '../../src/core/dialects/translation.ts';
import { chatOf, collect } from '../support/neutral-chat.ts';
import { conversation } from '../support/neutral-conversation.ts';

const HEADERS = { contentType: 'application/json', contentEncoding: undefined };

interface Asked {
  readonly endpoint: Endpoint;
  readonly request: NeutralRequest;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const replied = ({ status, headers, body }: LocalReply): Answer => ({ status, headers: Object.fromEntries(headers), body });
const json = (body: Uint8Array): Answer => ({ status: 200, headers: { 'content-type': 'application/json' }, body });
const contextOf = ({ endpoint, request }: Asked): AnswerContext => ({ endpoint, request, requestId: 'r1', created: 0 });

function streamed(asked: Asked, events: readonly NeutralEvent[]): Answer {
  const writer = translation.writeStream(contextOf(asked));
  return {
    status: 200,
    headers: { 'content-type': translation.streamContentType(asked.endpoint) },
    body: Buffer.concat([...events.map((event) => writer.write([event])), writer.finish()]),
  };
}

/** A `fetch` that reads each request as this room does, and answers it in small pieces. */
function answering(answer: (asked: Asked) => Answer): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const matched = gemini.match(init?.method ?? 'GET', `${url.pathname}${url.search}`);
    if (matched.kind !== 'endpoint') throw new Error(`the SDK asked for ${url.pathname}, which is not known here`);
    const { endpoint } = matched;
    const sent = new TextEncoder().encode(typeof init?.body === 'string' ? init.body : '{"contents":[{"parts":[{"text":"x"}]}]}');
    const facts = endpoint.body === 'none' ? undefined : gemini.readRequest(endpoint, sent, HEADERS);
    const parsed = translation.parseRequest(endpoint, sent);
    if (!parsed.ok || facts?.ok === false) throw new Error('the SDK sent what cannot be read');
    expect(parsed.value.losses).toEqual([]);
    const { status, headers, body } = answer({ endpoint, request: parsed.value.request });
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < body.length; at += 7) controller.enqueue(body.slice(at, at + 7));
        controller.close();
      },
    });
    return new Response(pieces, { status, headers });
  };
}

const client = (answer: (asked: Asked) => Answer): GoogleGenAI => new GoogleGenAI({ apiKey: 'test', httpOptions: { fetch: answering(answer) } });

const EVENTS: readonly NeutralEvent[] = [
  { kind: 'start', id: 'chatcmpl-1', model: 'gpt-x', created: 1 },
  { kind: 'thinking', choice: 0, delta: 'Hm' },
  { kind: 'thinking', choice: 0, delta: '.' },
  { kind: 'thinking_signature', choice: 0, signature: { origin: 'anthropic', data: 'enc' } },
  { kind: 'text', choice: 0, delta: 'I „look“ ' },
  { kind: 'text', choice: 0, delta: '😀' },
  { kind: 'tool_call', choice: 0, call: 0, id: 'call_a', name: 'look', signature: { origin: 'gemini', data: 'c2VhbA==' } },
  { kind: 'tool_arguments', choice: 0, call: 0, delta: '{"at":' },
  { kind: 'tool_call', choice: 0, call: 1, id: 'call_b', name: 'look' },
  { kind: 'tool_arguments', choice: 0, call: 1, delta: '{"at":"b"}' },
  { kind: 'tool_arguments', choice: 0, call: 0, delta: '"a"}' },
  { kind: 'finish', choice: 0, reason: 'tool_calls' },
  { kind: 'usage', usage: { inputTokens: 30, outputTokens: 12, cachedInputTokens: 10, reasoningTokens: 4 } },
  { kind: 'end' },
];
const WHOLE = collect(EVENTS);
const CALLS = [
  { id: 'call_a', name: 'look', args: { at: 'a' } },
  { id: 'call_b', name: 'look', args: { at: 'b' } },
];
const USAGE = { promptTokenCount: 30, cachedContentTokenCount: 10, candidatesTokenCount: 8, thoughtsTokenCount: 4, totalTokenCount: 42 };

const ASK = { model: 'some-model', contents: 'hi', config: { tools: [{ functionDeclarations: [{ name: 'look' }] }] } };
const whole = (asked: Asked): Answer => json(translation.writeAnswer(WHOLE, contextOf(asked)));
const events = (asked: Asked): Answer => streamed(asked, EVENTS);

async function all(stream: Promise<AsyncIterable<GenerateContentResponse>>): Promise<readonly GenerateContentResponse[]> {
  const chunks: GenerateContentResponse[] = [];
  for await (const chunk of await stream) chunks.push(chunk);
  return chunks;
}

describe("Google's SDK", () => {
  it('reads a written answer', async () => {
    const answer = await client(whole).models.generateContent(ASK);
    expect(answer.text).toBe('I „look“ 😀');
    expect(answer.functionCalls).toEqual(CALLS);
    expect(answer).toMatchObject({ responseId: 'chatcmpl-1', modelVersion: 'gpt-x', usageMetadata: USAGE, candidates: [{ index: 0, finishReason: 'STOP' }] });
  });

  it('reads a written stream', async () => {
    const chunks = await all(client(events).models.generateContentStream(ASK));
    expect(chunks.map(({ text }) => text ?? '').join('')).toBe('I „look“ 😀');
    expect(chunks.flatMap(({ functionCalls }) => functionCalls ?? [])).toEqual(CALLS);
    const thoughts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []).filter(({ thought }) => thought === true);
    expect(thoughts.map(({ text }) => text).join('')).toBe('Hm.');
    expect(chunks.at(-1)).toMatchObject({ responseId: 'chatcmpl-1', modelVersion: 'gpt-x', usageMetadata: USAGE, candidates: [{ finishReason: 'STOP' }] });
    expect(chunks.filter(({ candidates }) => candidates?.[0]?.finishReason !== undefined)).toHaveLength(1);
  });

  it.each(['whole', 'streamed'])('goes on with a conversation that was %s, and gives back each seal', async (form) => {
    const requests: NeutralRequest[] = [];
    const chat = client((asked) => {
      requests.push(asked.request);
      return form === 'whole' ? whole(asked) : events(asked);
    }).chats.create({ model: 'some-model' });
    const say = async (message: Part[]): Promise<unknown> => (form === 'whole' ? chat.sendMessage({ message }) : all(chat.sendMessageStream({ message })));
    await say([{ text: 'hi' }]);
    await say(CALLS.map(({ id, name }) => ({ functionResponse: { id, name, response: { output: 'ok' } } })));
    const [, second] = requests;
    if (second?.kind !== 'chat') throw new Error('no chat');
    expect(second.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(second.messages[1]?.parts).toEqual(WHOLE.choices[0]?.parts);
    expect(second.messages[2]?.parts).toMatchObject([
      { kind: 'tool_result', callId: 'call_a' },
      { kind: 'tool_result', callId: 'call_b' },
    ]);
  });

  it('remembers what was said in a stream without calls', async () => {
    const chat = client((asked) =>
      streamed(asked, [
        { kind: 'start', id: 'a', model: 'm', created: 1 },
        { kind: 'text', choice: 0, delta: 'Hello.' },
        { kind: 'finish', choice: 0, reason: 'stop' },
        { kind: 'end' },
      ]),
    ).chats.create({ model: 'm' });
    await all(chat.sendMessageStream({ message: 'hi' }));
    expect(chat.getHistory(true).map(({ role, parts }) => [role, parts?.map(({ text }) => text).join('')])).toEqual([
      ['user', 'hi'],
      ['model', 'Hello.'],
      ['model', ''],
    ]);
  });

  it('makes its own errors of refusals, and of errors of providers', async () => {
    const refused = client(() =>
      replied(gemini.refusal({ code: 'budget_exhausted', status: 429, message: 'Spent.', shouldRetry: false }, 'r1')),
    ).models.generateContent(ASK);
    await expect(refused).rejects.toBeInstanceOf(ApiError);
    await expect(refused).rejects.toMatchObject({ status: 429, message: expect.stringContaining('BUDGET_EXHAUSTED') });
    const failed = client(() =>
      replied(translation.writeError({ kind: 'not_found', status: 404, message: 'No such model.', code: 'model_not_found' }, 'r1')),
    ).models.generateContent(ASK);
    await expect(failed).rejects.toMatchObject({ status: 404, message: expect.stringContaining('No such model.') });
  });

  it.each<[string, readonly NeutralEvent[], object]>([
    [
      'an error of the provider',
      [...EVENTS.slice(0, 6), { kind: 'error', error: { kind: 'overloaded', status: 529, message: 'Busy.' } }],
      { status: 503, message: expect.stringContaining('Busy.') },
    ],
    ['a stream that was cut off', EVENTS.slice(0, 8), { status: 503, message: expect.stringContaining('before the answer was whole') }],
  ])('fails by %s', async (_, steps, error) => {
    const failing = all(client((asked) => streamed(asked, steps)).models.generateContentStream(ASK));
    await expect(failing).rejects.toMatchObject(error);
  });

  it('reads vectors, counts and models', async () => {
    const embedded = await client((asked) =>
      json(translation.writeAnswer({ kind: 'embedding', model: 'e', vectors: [[0.5, -1], [2]], usage: undefined }, contextOf(asked))),
    ).models.embedContent({ model: 'gemini-embedding-001', contents: ['a', 'b'], config: { taskType: 'RETRIEVAL_QUERY', outputDimensionality: 2 } });
    expect(embedded.embeddings?.map(({ values }) => values)).toEqual([[0.5, -1], [2]]);
    const counted = await client((asked) => json(translation.writeAnswer({ kind: 'count_tokens', inputTokens: 12 }, contextOf(asked)))).models.countTokens({
      model: 'm',
      contents: 'hi',
    });
    expect(counted.totalTokens).toBe(12);
    const names: (string | undefined)[] = [];
    for await (const { name } of await client(() =>
      replied(
        gemini.modelsList([
          { id: 'one', ownedBy: 'a' },
          { id: 'two', ownedBy: 'b' },
        ]),
      ),
    ).models.list())
      names.push(name);
    expect(names).toEqual(['models/one', 'models/two']);
  });
});

interface Body extends Pick<GenerateContentConfig, 'systemInstruction' | 'tools' | 'toolConfig' | 'labels' | 'serviceTier'> {
  readonly contents: Content[];
  readonly generationConfig?: GenerationConfig;
}

/** The body that the SDK makes of a written one. It knows the API's fields, and leaves out what is none. */
async function echoed(chat: NeutralChat): Promise<{ readonly ours: Body; readonly theirs: unknown }> {
  const ours = JSON.parse(new TextDecoder().decode(translation.writeRequest(chat)?.body)) as Body;
  let theirs: unknown;
  const echo: typeof fetch = async (_input, init) => {
    theirs = JSON.parse(String(init?.body));
    return Response.json({});
  };
  const { contents, generationConfig, ...rest } = ours;
  // The types of both agree but for a few that the SDK gives a more telling name.
  const config = { ...generationConfig, ...rest } as GenerateContentConfig;
  await new GoogleGenAI({ apiKey: 'test', httpOptions: { fetch: echo } }).models.generateContent({ model: chat.model, contents, config });
  return { ours, theirs };
}

describe('what is asked of Gemini', () => {
  it('is what its SDK would have asked', async () => {
    const full = chatOf({
      model: 'gemini-3-pro',
      messages: [
        { role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] },
        { role: 'user', parts: [{ kind: 'text', text: 'hi' }] },
      ],
      tools: [{ name: 'f', description: 'd', parameters: { type: 'object', properties: { a: { type: 'string' } } }, strict: true }],
      toolChoice: { kind: 'required', names: ['f'] },
      format: { kind: 'json_schema', name: 'n', description: 'd', schema: { type: 'object', properties: { a: { const: 1 } } }, strict: true },
      sampling: { temperature: 0.5, topP: 0.9, topK: 4, frequencyPenalty: 1, presencePenalty: 1, seed: 5, stop: ['x'], logprobs: true, topLogprobs: 2 },
      reasoning: { effort: 'high', visible: true },
      maxOutputTokens: 9,
      choices: 2,
      metadata: { team: 'a' },
      tier: 'flex',
    });
    const { ours, theirs } = await echoed(full);
    expect(theirs).toEqual(ours);
    expect(Object.keys(ours.generationConfig ?? {})).toHaveLength(14);
  });

  it('is so for any conversation', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, fc.constantFrom('gemini-2.5-flash', 'gemini-3-pro'), async (messages, model) => {
        const { ours, theirs } = await echoed(chatOf({ model, messages: messages.filter(({ role }) => role !== 'system') }));
        expect(theirs).toEqual({ generationConfig: {}, ...ours });
      }),
    );
  });
});

describe("Vercel's SDK", () => {
  const model = (answer: (asked: Asked) => Answer): ReturnType<ReturnType<typeof createGoogleGenerativeAI>> =>
    createGoogleGenerativeAI({ apiKey: 'test', fetch: answering(answer) })('gemini-3-pro-preview');

  it('reads a written answer and a written stream', async () => {
    const expected = [
      'I „look“ 😀',
      'tool-calls',
      [
        ['look', { at: 'a' }],
        ['look', { at: 'b' }],
      ],
      30,
    ];
    const generated = await generateText({ model: model(whole), prompt: 'hi' });
    expect([
      generated.text,
      generated.finishReason,
      generated.toolCalls.map(({ toolName, input }) => [toolName, input as unknown]),
      generated.usage.inputTokens,
    ]).toEqual(expected);
    const stream = streamText({ model: model(events), prompt: 'hi' });
    expect([
      await stream.text,
      await stream.finishReason,
      (await stream.toolCalls).map(({ toolName, input }) => [toolName, input as unknown]),
      (await stream.usage).inputTokens,
    ]).toEqual(expected);
  });

  it('gives back the seals of calls', async () => {
    const requests: NeutralRequest[] = [];
    const asking = model((asked) => {
      requests.push(asked.request);
      return whole(asked);
    });
    const look = tool({ inputSchema: jsonSchema({ type: 'object' }), execute: () => 'ok' });
    await generateText({ model: asking, prompt: 'hi', tools: { look }, stopWhen: isStepCount(2) });
    const second = requests[1];
    const calls = second?.kind === 'chat' ? second.messages[1]?.parts.filter(({ kind }) => kind === 'tool_call') : undefined;
    expect(calls).toMatchObject([{ name: 'look', signature: { origin: 'gemini', data: 'c2VhbA==' } }, { name: 'look' }]);
  });
});
