/** What holds between any two dialects: what one caller says, the other's provider hears, but for what is told as lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicTranslation } from '../../src/core/dialects/anthropic/translate/index.ts';
import { match as matchGemini } from '../../src/core/dialects/gemini/endpoints.ts';
import { geminiTranslation } from '../../src/core/dialects/gemini/translate/index.ts';
import type {
  NeutralChat,
  NeutralEmbedding,
  NeutralEvent,
  NeutralFinish,
  NeutralPart,
  NeutralRequest,
  NeutralSignature,
} from '../../src/core/dialects/neutral.ts';
import { openaiTranslation } from '../../src/core/dialects/openai/translate/index.ts';
import type { AnswerContext, Translation } from '../../src/core/dialects/translation.ts';
import type { Endpoint } from '../../src/core/dialects/types.ts';
import { answerMeaning, meaningOf } from '../support/meaning.ts';
import { chatOf, collect } from '../support/neutral-chat.ts';
import { conversation, word, words } from '../support/neutral-conversation.ts';

interface Language {
  readonly name: string;
  readonly translation: Translation;
  /** Models of different generations. */
  readonly models: readonly string[];
}

const OPENAI: Language = { name: 'OpenAI', translation: openaiTranslation, models: ['gpt-5.2'] };
const ANTHROPIC: Language = { name: 'Anthropic', translation: anthropicTranslation, models: ['claude-sonnet-4-5', 'claude-opus-4-7', 'claude-3-haiku'] };
const GEMINI: Language = { name: 'Gemini', translation: geminiTranslation, models: ['gemini-2.0-flash', 'gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3-pro'] };
const LANGUAGES = [OPENAI, ANTHROPIC, GEMINI];
const PAIRS = LANGUAGES.flatMap((from) => LANGUAGES.map((to) => [from.name, to.name, from, to] as const));

const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(value, { nil: undefined });
const schema = fc
  .dictionary(word, fc.constantFrom<object>({ type: 'string' }, { type: 'integer' }, { type: 'array', items: { type: 'string' } }), { minKeys: 1, maxKeys: 2 })
  .map((properties) => ({
    type: 'object',
    properties: { ...properties },
    required: Object.keys(properties),
    additionalProperties: false,
  }));

const toolUse = fc
  .record({
    tools: fc.uniqueArray(fc.record({ name: word, description: optional(words), parameters: optional(schema) }), {
      selector: ({ name }) => name,
      maxLength: 3,
    }),
    strict: fc.constantFrom(undefined, true),
    choice: fc.nat(5),
    parallelToolCalls: optional(fc.boolean()),
  })
  .map(({ tools, strict, choice, parallelToolCalls }): Pick<NeutralChat, 'tools' | 'toolChoice' | 'parallelToolCalls'> => {
    const names = tools.slice(0, 2).map(({ name }) => name);
    const choices: readonly NeutralChat['toolChoice'][] = [
      undefined,
      { kind: 'auto' },
      { kind: 'none' },
      { kind: 'required' },
      { kind: 'required', names },
      { kind: 'tool', name: names[0] ?? '' },
    ];
    return tools.length === 0
      ? { tools: [], toolChoice: undefined, parallelToolCalls: undefined }
      : { tools: tools.map((tool) => ({ ...tool, strict })), toolChoice: choices[choice], parallelToolCalls };
  });

/** A chat with whatever any of the dialects can say. Its cap leaves room for any budget of thinking. */
const chat: fc.Arbitrary<NeutralChat> = fc
  .record({
    stream: fc.boolean(),
    messages: conversation,
    use: toolUse,
    format: optional(
      fc.oneof(
        fc.constantFrom<NeutralChat['format']>({ kind: 'text' }, { kind: 'json_object' }),
        fc.record({ kind: fc.constant('json_schema' as const), name: word, description: optional(words), schema, strict: fc.constantFrom(undefined, true) }),
      ),
    ),
    sampling: fc.record(
      {
        temperature: fc.constantFrom(0, 0.5, 1, 1.5),
        topP: fc.constantFrom(0.1, 1),
        topK: fc.integer({ min: 1, max: 40 }),
        frequencyPenalty: fc.constantFrom(-1, 1.5),
        presencePenalty: fc.constantFrom(-1, 1.5),
        seed: fc.nat(),
        stop: fc.array(words, { minLength: 1, maxLength: 4 }),
        logitBias: fc.constant({ 50: 1 }),
      },
      { requiredKeys: [] },
    ),
    logprobs: optional(fc.integer({ min: 1, max: 5 })),
    effort: optional(
      fc.constantFrom('none' as const, 'minimal' as const, 'low' as const, 'medium' as const, 'high' as const, 'xhigh' as const, 'max' as const),
    ),
    maxOutputTokens: fc.integer({ min: 60_000, max: 100_000 }),
    choices: fc.constantFrom(1, 1, 1, 2),
    user: optional(word),
    metadata: optional(fc.dictionary(word, word, { minKeys: 1, maxKeys: 2 }).map((labels) => ({ ...labels }))),
    tier: fc.constantFrom(undefined, 'auto' as const, 'standard' as const, 'flex' as const, 'priority' as const),
  })
  .map(({ use, effort, logprobs, sampling, ...rest }) =>
    chatOf({
      ...rest,
      ...use,
      sampling: logprobs === undefined ? sampling : { ...sampling, logprobs: true, topLogprobs: logprobs },
      reasoning: effort === undefined ? undefined : { effort },
    }),
  );

/** A chat as it is after it was written in a language and read there; `undefined` where that language refuses it. What was not told as lost is the same. */
function carried({ translation }: Language, request: NeutralChat): NeutralChat | undefined {
  const written = translation.writeRequest(request);
  if (written === undefined) throw new Error('a chat is everywhere');
  for (const { message, param } of written.losses) {
    expect(message).toMatch(/[.]$/);
    expect(param).not.toBe('');
  }
  if (written.losses.some(({ treatment }) => treatment === 'refused')) return undefined;
  const read = translation.parseRequest(written.endpoint, written.body);
  if (!read.ok) throw new Error(`${read.error.param}: ${read.error.message}`);
  // What a language writes, it can say.
  expect(read.value.losses).toEqual([]);
  if (read.value.request.kind !== 'chat') throw new Error(read.value.request.kind);
  expect(meaningOf(read.value.request, written.losses)).toEqual(meaningOf(request, written.losses));
  return read.value.request;
}

describe.each(PAIRS)('from %s to %s', (_from, _to, from, to) => {
  it('requests mean the same, but for what is told as lost', () => {
    let arrived = 0;
    fc.assert(
      fc.property(chat, fc.constantFrom(...from.models), fc.constantFrom(...to.models), (request, asked, served) => {
        const heard = carried(from, { ...request, model: asked });
        const told = heard === undefined ? undefined : carried(to, { ...heard, model: served });
        if (told !== undefined) arrived++;
      }),
      { numRuns: 400 },
    );
    // Refusals are not what this is about.
    expect(arrived).toBeGreaterThan(50);
  });
});

it('embeddings mean the same to OpenAI and Gemini', () => {
  const embedding = fc.record({
    kind: fc.constant('embedding' as const),
    model: word,
    inputs: fc.array(words, { minLength: 1, maxLength: 3 }),
    dimensions: optional(fc.integer({ min: 1, max: 3072 })),
    encoding: fc.constant('float' as const),
    task: fc.constantFrom(undefined, 'RETRIEVAL_QUERY'),
    title: optional(words),
    user: optional(word),
    single: fc.constant(false),
  });
  fc.assert(
    fc.property(embedding, fc.constantFrom(OPENAI, GEMINI), fc.constantFrom(OPENAI, GEMINI), (first, from, to) => {
      let request: NeutralEmbedding = first;
      for (const { translation } of [from, to]) {
        const written = translation.writeRequest(request);
        const read = written === undefined ? undefined : translation.parseRequest(written.endpoint, written.body);
        if (written === undefined || read?.ok !== true || read.value.request.kind !== 'embedding') throw new Error('not read');
        const lost = new Set(written.losses.map(({ param }) => (param === 'task_type' ? 'task' : param)));
        expect(read.value.request).toEqual(Object.fromEntries(Object.entries(request).map(([name, value]) => [name, lost.has(name) ? undefined : value])));
        request = read.value.request;
      }
    }),
  );
});

/** A place where a stream can be asked for. */
interface Form {
  readonly name: string;
  readonly translation: Translation;
  readonly endpoint: Endpoint;
  /** Keeps the seals of thinking. */
  readonly sealsThinking: boolean;
  /** As a provider's, its answers hold seals of calls. */
  readonly sealsCalls: boolean;
}

const found = matchGemini('POST', '/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse');
if (found.kind !== 'endpoint') throw new Error(found.kind);
const FORMS: readonly Form[] = [
  {
    name: 'chat completions',
    translation: openaiTranslation,
    endpoint: { operation: 'chat', path: '/chat/completions', body: 'json' },
    sealsThinking: false,
    sealsCalls: true,
  },
  {
    name: 'responses',
    translation: openaiTranslation,
    endpoint: { operation: 'responses', path: '/responses', body: 'json' },
    sealsThinking: true,
    sealsCalls: true,
  },
  {
    name: 'messages',
    translation: anthropicTranslation,
    endpoint: { operation: 'chat', path: '/messages', body: 'json' },
    sealsThinking: true,
    sealsCalls: false,
  },
  { name: 'generateContent', translation: geminiTranslation, endpoint: found.endpoint, sealsThinking: true, sealsCalls: true },
];
const FORM_PAIRS = FORMS.flatMap((back) => FORMS.map((front) => [back.name, front.name, back, front] as const));

const contextOf = (endpoint: Endpoint): AnswerContext => ({ endpoint, request: chatOf({ wantsStreamUsage: true }), requestId: 'r1', created: 1_700_000_000 });

function writeAll({ translation, endpoint }: Form, events: readonly NeutralEvent[]): Uint8Array {
  const writer = translation.writeStream(contextOf(endpoint));
  return Buffer.concat([...events.map((event) => writer.write([event])), writer.finish()]);
}

function readAll({ translation, endpoint }: Form, bytes: Uint8Array, cuts: readonly number[] = []): readonly NeutralEvent[] {
  const reader = translation.readStream(endpoint);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length];
  const events = places.slice(1).flatMap((end, index) => reader.push(bytes.subarray(places[index], end), false));
  return [...events, ...reader.push(new Uint8Array(0), true)];
}

const delta = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 });
const geminiSeal = fc.base64String({ minLength: 4, maxLength: 12 }).map((data): NeutralSignature => ({ origin: 'gemini', data }));
const said = fc.oneof(
  delta.map((text): NeutralEvent => ({ kind: 'text', choice: 0, delta: text })),
  delta.map((text): NeutralEvent => ({ kind: 'thinking', choice: 0, delta: text })),
  fc.constant<NeutralEvent>({ kind: 'ping' }),
);

/** An answer of any provider's, step by step: thoughts and text, then calls whose arguments come in pieces. */
const stream = fc
  .record({
    steps: fc.array(said, { maxLength: 8 }),
    calls: fc.array(
      fc.record({ name: word, args: fc.dictionary(word, fc.oneof(delta, fc.integer()), { maxKeys: 2 }), signature: optional(geminiSeal), place: fc.nat(9) }),
      { maxLength: 3 },
    ),
    reason: fc.constantFrom<NeutralFinish>('stop', 'length', 'content_filter'),
    tokens: fc.nat(1000),
  })
  .map(({ steps, calls, reason, tokens }): readonly NeutralEvent[] => [
    { kind: 'start', id: 'answer-1', model: 'm-2', created: 7 },
    ...steps,
    ...calls.flatMap(({ name, args, signature, place }, call): NeutralEvent[] => {
      const text = JSON.stringify(args);
      return [
        { kind: 'tool_call', choice: 0, call, id: `call_${call}`, name, ...(signature === undefined ? {} : { signature }) },
        { kind: 'tool_arguments', choice: 0, call, delta: text.slice(0, place) },
        { kind: 'tool_arguments', choice: 0, call, delta: text.slice(place) },
      ];
    }),
    { kind: 'finish', choice: 0, reason: calls.length > 0 && reason === 'stop' ? 'tool_calls' : reason },
    { kind: 'usage', usage: { inputTokens: 30 + tokens, outputTokens: 2 * tokens, cachedInputTokens: tokens % 11, reasoningTokens: tokens } },
    { kind: 'end' },
  ]);

describe.each(FORM_PAIRS)('answers from %s to %s', (_back, _front, back, front) => {
  const hasSeals = back.sealsCalls && front.sealsCalls;

  it('stream the same, however they are cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 8 }), (events, cuts) => {
        const heard = readAll(back, writeAll(back, events), cuts);
        const told = readAll(front, writeAll(front, heard), cuts);
        expect([heard.at(-1), told.at(-1)]).toEqual([{ kind: 'end' }, { kind: 'end' }]);
        const meant = answerMeaning(collect(events), hasSeals);
        expect(answerMeaning(collect(heard), hasSeals)).toEqual(meant);
        expect(answerMeaning(collect(told), hasSeals)).toEqual(meant);
      }),
      { numRuns: 200 },
    );
  });

  it('are the same as a whole', () => {
    fc.assert(
      fc.property(stream, (events) => {
        let answer = collect(events);
        for (const { translation, endpoint } of [back, front]) {
          const read = translation.parseAnswer(endpoint, translation.writeAnswer(answer, contextOf(endpoint)));
          if (!read.ok || read.value.kind !== 'chat') throw new Error('not read');
          answer = read.value;
        }
        expect(answerMeaning(answer, hasSeals)).toEqual(answerMeaning(collect(events), hasSeals));
      }),
      { numRuns: 100 },
    );
  });
});

/** What a client sends next: the answer as it got it, and the results of its calls. */
const NEXT: Readonly<Record<string, (answer: never) => object>> = {
  'chat completions': ({
    choices: [{ message }],
  }: {
    readonly choices: readonly [{ readonly message: { readonly tool_calls: readonly { readonly id: string }[] } }];
  }) => ({
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }, message, ...message.tool_calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' }))],
  }),
  responses: ({ output }: { readonly output: readonly { readonly call_id?: string }[] }) => ({
    model: 'm',
    input: [
      { role: 'user', content: 'hi' },
      ...output,
      ...output.flatMap(({ call_id: id }) => (id === undefined ? [] : [{ type: 'function_call_output', call_id: id, output: 'ok' }])),
    ],
  }),
  messages: ({ content }: { readonly content: readonly { readonly type: string; readonly id?: string }[] }) => ({
    model: 'm',
    max_tokens: 9,
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content },
      { role: 'user', content: content.filter(({ type }) => type === 'tool_use').map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' })) },
    ],
  }),
  generateContent: ({
    candidates: [{ content }],
  }: {
    readonly candidates: readonly [
      { readonly content: { readonly parts: readonly { readonly functionCall?: { readonly id: string; readonly name: string } }[] } },
    ];
  }) => ({
    contents: [
      { role: 'user', parts: [{ text: 'hi' }] },
      content,
      {
        role: 'user',
        parts: content.parts.flatMap(({ functionCall }) =>
          functionCall === undefined ? [] : [{ functionResponse: { id: functionCall.id, name: functionCall.name, response: { output: 'ok' } } }],
        ),
      },
    ],
  }),
};

describe.each(FORMS)('a loop of tools through $name', (front) => {
  /** The parts that the front's caller gives back of an answer. */
  const givenBack = (parts: readonly NeutralPart[]): NeutralRequest => {
    const { translation, endpoint, name } = front;
    const answer = JSON.parse(
      new TextDecoder().decode(
        translation.writeAnswer(
          { kind: 'chat', id: 'a', model: 'm', created: 1, choices: [{ index: 0, parts, finish: 'tool_calls' }], usage: undefined },
          contextOf(endpoint),
        ),
      ),
    ) as never;
    const read = translation.parseRequest(endpoint, new TextEncoder().encode(JSON.stringify(NEXT[name]?.(answer))));
    if (!read.ok) throw new Error(read.error.message);
    return read.value.request;
  };
  const call = (id: string, signature?: NeutralSignature): NeutralPart => ({
    kind: 'tool_call',
    id,
    name: 'f',
    argumentsJson: '{"a":1}',
    ...(signature === undefined ? {} : { signature }),
  });
  const bodyAt = ({ translation }: Language, request: NeutralRequest, model: string): string =>
    new TextDecoder().decode(translation.writeRequest({ ...(request as NeutralChat), model })?.body);

  it("gives Gemini back the seals of its model's calls", () => {
    fc.assert(
      fc.property(geminiSeal, (seal) => {
        const request = givenBack([{ kind: 'thinking', text: 'T' }, { kind: 'text', text: 'a' }, call('c0', seal), call('c1')]);
        const { contents } = JSON.parse(bodyAt(GEMINI, request, 'gemini-3-pro')) as { readonly contents: readonly { readonly parts: readonly object[] }[] };
        const calls = contents.flatMap(({ parts }) => parts).filter((part) => 'functionCall' in part);
        expect(calls).toEqual([
          { functionCall: { id: 'c0', name: 'f', args: { a: 1 } }, thoughtSignature: seal.data },
          { functionCall: { id: 'c1', name: 'f', args: { a: 1 } } },
        ]);
      }),
    );
  });

  const ifSealed = front.sealsThinking ? it : undefined;
  ifSealed?.("gives Anthropic back its model's sealed thinking", () => {
    fc.assert(
      fc.property(fc.base64String({ minLength: 4 }), fc.base64String({ minLength: 4 }), (signature, hidden) => {
        const request = givenBack([
          { kind: 'thinking', text: 'T', signature: { origin: 'anthropic', data: signature } },
          { kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: hidden } },
          call('c0'),
        ]);
        const { messages } = JSON.parse(bodyAt(ANTHROPIC, request, 'claude-sonnet-4-5')) as {
          readonly messages: readonly { readonly role: string; readonly content: unknown }[];
        };
        expect(messages.find(({ role }) => role === 'assistant')?.content).toEqual([
          { type: 'thinking', thinking: 'T', signature },
          { type: 'redacted_thinking', data: hidden },
          { type: 'tool_use', id: 'c0', name: 'f', input: { a: 1 } },
        ]);
      }),
    );
  });
});
