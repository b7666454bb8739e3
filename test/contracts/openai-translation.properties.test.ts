/** What holds of OpenAI's translation for any chat, any stream, any cut and any junk. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralContent, NeutralEvent, NeutralFinish, NeutralMessage, NeutralPart, NeutralRequest } from '../../src/core/dialects/neutral.ts';
import { openaiTranslation as translation } from '../../src/core/dialects/openai/translate/index.ts';
import type { AnswerContext } from '../../src/core/dialects/translation.ts';
import type { Endpoint } from '../../src/core/dialects/types.ts';
import { chatOf, collect } from '../support/neutral-chat.ts';

const CHAT: Endpoint = { operation: 'chat', path: '/chat/completions', body: 'json' };
const RESPONSES: Endpoint = { operation: 'responses', path: '/responses', body: 'json' };
const COMPLETIONS: Endpoint = { operation: 'text_completion', path: '/completions', body: 'json' };
const EMBEDDINGS: Endpoint = { operation: 'embeddings', path: '/embeddings', body: 'json' };
const ENDPOINTS = [CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS];
const STREAMED = [CHAT, RESPONSES, COMPLETIONS];

const contextOf = (endpoint: Endpoint, request: NeutralRequest): AnswerContext => ({ endpoint, request, requestId: 'r1', created: 1_700_000_000 });
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const cutAt = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
};

const said = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const word = fc.stringMatching(/^[a-z]{1,6}$/);
const json = fc.dictionary(word, fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { maxKeys: 3 });

const content: fc.Arbitrary<NeutralContent> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text: said }),
  fc.record({
    kind: fc.constant('image' as const),
    source: fc.oneof(
      fc.record({ kind: fc.constant('base64' as const), mediaType: fc.constant('image/png'), data: fc.base64String() }),
      fc.record({ kind: fc.constant('url' as const), url: fc.webUrl() }),
    ),
  }),
  fc.record({
    kind: fc.constant('audio' as const),
    source: fc.record({ kind: fc.constant('base64' as const), mediaType: fc.constantFrom('audio/wav', 'audio/mpeg'), data: fc.base64String({ minLength: 4 }) }),
  }),
  fc.record({
    kind: fc.constant('document' as const),
    name: word,
    source: fc.record({ kind: fc.constant('base64' as const), mediaType: fc.constant('application/pdf'), data: fc.base64String({ minLength: 4 }) }),
  }),
);
const textPart: fc.Arbitrary<NeutralPart> = fc.record({ kind: fc.constantFrom('text' as const, 'refusal' as const), text: said });

/** A turn of a conversation: what was said, perhaps tools called and answered. */
const turn: fc.Arbitrary<readonly NeutralMessage[]> = fc
  .record({
    system: fc.option(said, { nil: undefined }),
    user: fc.array(content, { minLength: 1, maxLength: 3 }),
    answer: fc.array(textPart, { minLength: 1, maxLength: 2 }),
    calls: fc.uniqueArray(fc.record({ id: word, name: word, args: json, result: fc.array(said, { minLength: 1, maxLength: 2 }) }), {
      selector: ({ id }) => id,
      maxLength: 3,
    }),
  })
  .map(({ system, user, answer, calls }): readonly NeutralMessage[] => [
    ...(system === undefined ? [] : [{ role: 'system', parts: [{ kind: 'text', text: system }] } as const]),
    { role: 'user', parts: user },
    {
      role: 'assistant',
      parts: [...answer, ...calls.map(({ id, name, args }) => ({ kind: 'tool_call', id, name, argumentsJson: JSON.stringify(args) }) as const)],
    },
    ...(calls.length === 0
      ? []
      : [
          {
            role: 'user',
            parts: calls.map(
              ({ id, name, result }) =>
                ({ kind: 'tool_result', callId: id, name, content: result.map((text) => ({ kind: 'text', text }) as const), isError: false }) as const,
            ),
          } as const,
        ]),
  ]);

const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(value, { nil: undefined });
const schema = json.map((properties) => ({ type: 'object', properties }));

/** What chat completions can hold. */
const chat: fc.Arbitrary<NeutralChat> = fc
  .record({
    turns: fc.array(turn, { minLength: 1, maxLength: 3 }),
    stream: fc.boolean(),
    tools: fc.uniqueArray(fc.record({ name: word, description: optional(said), parameters: optional(schema), strict: optional(fc.boolean()) }), {
      selector: ({ name }) => name,
      maxLength: 3,
    }),
    toolChoice: fc.option(
      fc.oneof(
        fc.constantFrom({ kind: 'auto' as const }, { kind: 'none' as const }, { kind: 'required' as const }),
        word.map((name) => ({ kind: 'tool' as const, name })),
      ),
      { nil: undefined },
    ),
    parallelToolCalls: optional(fc.boolean()),
    format: optional(
      fc.oneof(
        fc.constantFrom({ kind: 'text' as const }, { kind: 'json_object' as const }),
        fc.record({ kind: fc.constant('json_schema' as const), name: word, description: optional(said), schema, strict: optional(fc.boolean()) }),
      ),
    ),
    sampling: fc.record(
      {
        temperature: fc.double({ min: 0, max: 2, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        topP: fc.constantFrom(0, 0.5, 1),
        frequencyPenalty: fc.integer({ min: -2, max: 2 }),
        presencePenalty: fc.integer({ min: -2, max: 2 }),
        seed: fc.maxSafeInteger(),
        stop: fc.array(said, { minLength: 1, maxLength: 4 }),
        logprobs: fc.constant(true),
        topLogprobs: fc.integer({ min: 0, max: 20 }),
        logitBias: fc.dictionary(word, fc.integer({ min: -100, max: 100 })).map((bias) => ({ ...bias })),
      },
      { requiredKeys: ['logprobs'] },
    ),
    effort: optional(
      fc.constantFrom('none' as const, 'minimal' as const, 'low' as const, 'medium' as const, 'high' as const, 'xhigh' as const, 'max' as const),
    ),
    maxOutputTokens: optional(fc.integer({ min: 1, max: 1_000_000 })),
    choices: fc.integer({ min: 1, max: 128 }),
    user: optional(said),
    tier: fc.constantFrom(undefined, 'standard' as const, 'flex' as const, 'priority' as const),
  })
  .map(({ turns, effort, tools, toolChoice, parallelToolCalls, ...rest }) =>
    chatOf({
      ...rest,
      wantsStreamUsage: rest.stream,
      messages: turns.flat(),
      tools,
      toolChoice: tools.length === 0 ? undefined : toolChoice,
      parallelToolCalls: tools.length === 0 ? undefined : parallelToolCalls,
      reasoning: effort === undefined ? undefined : { effort },
    }),
  );

const delta = fc.string({ minLength: 1, maxLength: 6 });
const FINISHES: readonly NeutralFinish[] = ['stop', 'length', 'content_filter'];

/** Streams as a reader of another dialect may give them. */
const stream: fc.Arbitrary<readonly NeutralEvent[]> = fc
  .record({
    steps: fc.array(
      fc.oneof(
        delta.map((text): readonly NeutralEvent[] => [{ kind: 'text', choice: 0, delta: text }]),
        delta.map((text): readonly NeutralEvent[] => [{ kind: 'thinking', choice: 0, delta: text }]),
        fc.constant<readonly NeutralEvent[]>([{ kind: 'ping' }]),
        fc
          .record({ parts: fc.array(delta, { minLength: 1, maxLength: 3 }), id: word, name: word })
          .map(({ parts, id, name }): readonly NeutralEvent[] => [
            { kind: 'tool_call', choice: 0, call: 0, id, name },
            ...parts.map((part): NeutralEvent => ({ kind: 'tool_arguments', choice: 0, call: 0, delta: part })),
          ]),
      ),
      { maxLength: 8 },
    ),
    reason: fc.constantFrom(...FINISHES),
    // All parts that a response tells, as those that nobody reported come out as 0 there.
    usage: fc.nat(1000).map((tokens) => ({
      inputTokens: 30 + tokens,
      outputTokens: tokens,
      cachedInputTokens: tokens % 11,
      cacheWriteTokens: tokens % 7,
      reasoningTokens: tokens >> 1,
    })),
  })
  .map(({ steps, reason, usage }) => {
    let calls = 0;
    const numbered = steps.flatMap((group) => {
      const call = group[0]?.kind === 'tool_call' ? calls++ : 0;
      return group.map((event) =>
        event.kind === 'tool_call' ? { ...event, call, id: `${event.id}${call}` } : event.kind === 'tool_arguments' ? { ...event, call } : event,
      );
    });
    const finish: NeutralFinish = reason === 'stop' && calls > 0 ? 'tool_calls' : reason;
    return [
      { kind: 'start', id: 'answer-1', model: 'm', created: 7 },
      ...numbered,
      { kind: 'finish', choice: 0, reason: finish },
      { kind: 'usage', usage },
      { kind: 'end' },
    ];
  });

const writeAll = (endpoint: Endpoint, events: readonly NeutralEvent[]): Uint8Array => {
  const writer = translation.writeStream(contextOf(endpoint, chatOf({ wantsStreamUsage: true })));
  return Buffer.concat([writer.write(events), writer.finish()]);
};

const readAll = (endpoint: Endpoint, chunks: readonly Uint8Array[]): { readonly events: readonly NeutralEvent[]; readonly skipped: number } => {
  const reader = translation.readStream(endpoint);
  const events = [...chunks.flatMap((chunk) => reader.push(chunk, false)), ...reader.push(new Uint8Array(0), true)];
  return { events, skipped: reader.skipped };
};

describe('requests', () => {
  it('mean the same after they were written and read', () => {
    fc.assert(
      fc.property(chat, (request) => {
        const written = translation.writeRequest(request);
        expect(written?.losses).toEqual([]);
        const read = translation.parseRequest(CHAT, written?.body ?? new Uint8Array(0));
        expect(read).toEqual({ ok: true, value: { request, losses: [] } });
      }),
      { numRuns: 500 },
    );
  });

  it('to embed mean the same after they were written and read', () => {
    const embedding = fc.record({
      kind: fc.constant('embedding' as const),
      model: word,
      inputs: fc.array(said, { minLength: 1 }),
      dimensions: optional(fc.integer({ min: 1, max: 4096 })),
      encoding: fc.constant('float' as const),
      task: fc.constant(undefined),
      title: fc.constant(undefined),
      user: optional(said),
      single: fc.constant(false),
    });
    fc.assert(
      fc.property(embedding, (request) => {
        const written = translation.writeRequest(request);
        expect(translation.parseRequest(EMBEDDINGS, written?.body ?? new Uint8Array(0))).toEqual({ ok: true, value: { request, losses: [] } });
      }),
    );
  });

  it('become requests or faults from any JSON, and never throw', () => {
    const names = [
      'model',
      'messages',
      'input',
      'prompt',
      'tools',
      'tool_choice',
      'role',
      'content',
      'type',
      'text',
      'function',
      'tool_calls',
      'stop',
      'n',
      'reasoning',
      'include',
      'response_format',
      'metadata',
      'image_url',
      '__proto__',
      'constructor',
    ];
    const values = fc.oneof(
      fc.constantFrom('user', 'assistant', 'tool', 'function', 'text', 'image_url', 'input_text', 'function_call', 'reasoning', 'json_schema', 'auto'),
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const tree = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof({ maxDepth: 5 }, values, fc.array(tie('tree'), { maxLength: 3 }), fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 6 })),
    })).tree;
    fc.assert(
      fc.property(fc.constantFrom(...ENDPOINTS), fc.dictionary(fc.constantFrom(...names), tree, { maxKeys: 8 }), (endpoint, body) => {
        const read = translation.parseRequest(endpoint, bytesOf(JSON.stringify(body)));
        if (!read.ok) expect(read.error.message).toMatch(/[.]$/);
        else expect(translation.writeRequest(read.value.request)?.body).toBeInstanceOf(Uint8Array);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('streams', () => {
  it.each(STREAMED)('of $path are read the same at any cut', (endpoint) => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), (events, cuts) => {
        const bytes = writeAll(endpoint, events);
        expect(readAll(endpoint, cutAt(bytes, cuts))).toEqual(readAll(endpoint, [bytes]));
      }),
      { numRuns: 300 },
    );
  });

  it.each([CHAT, RESPONSES])('of $path tell the same after they were written and read', (endpoint) => {
    fc.assert(
      fc.property(stream, (events) => {
        const read = readAll(endpoint, [writeAll(endpoint, events)]);
        expect(read.skipped).toBe(0);
        expect(read.events.at(-1)).toEqual({ kind: 'end' });
        expect(collect(read.events)).toEqual(collect(events));
      }),
      { numRuns: 300 },
    );
  });

  it.each(STREAMED)('of $path are written the same however their steps come', (endpoint) => {
    fc.assert(
      fc.property(stream, (events) => {
        const writer = translation.writeStream(contextOf(endpoint, chatOf({ wantsStreamUsage: true })));
        const bytes = Buffer.concat([...events.map((event) => writer.write([event])), writer.finish()]);
        expect(bytes.equals(writeAll(endpoint, events))).toBe(true);
      }),
    );
  });

  it.each(STREAMED)('of $path that are damaged are read the same at any cut, and never throw', (endpoint) => {
    const change = fc.record({ at: fc.nat(), byte: fc.oneof(fc.nat(255), fc.constantFrom(...bytesOf('"\n\r{}[]:,\\'))), width: fc.nat(2) });
    fc.assert(
      fc.property(stream, fc.array(change, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(), { maxLength: 8 }), (events, changes, cuts) => {
        const damaged = [...writeAll(endpoint, events)];
        for (const { at, byte, width } of changes) damaged.splice(at % (damaged.length + 1), width, byte);
        const bytes = Uint8Array.from(damaged);
        expect(readAll(endpoint, cutAt(bytes, cuts))).toEqual(readAll(endpoint, [bytes]));
      }),
      { numRuns: 300 },
    );
  });

  it.each(STREAMED)('of $path that stop half way have no end', (endpoint) => {
    fc.assert(
      fc.property(stream, fc.double({ min: 0, max: 0.6, noNaN: true }), (events, share) => {
        const bytes = writeAll(
          endpoint,
          events.filter(({ kind }) => kind !== 'finish' && kind !== 'usage' && kind !== 'end'),
        );
        const { events: read } = readAll(endpoint, [bytes.subarray(0, Math.floor(bytes.length * share))]);
        expect(read.map(({ kind }) => kind)).not.toContain('end');
      }),
    );
  });
});

describe('answers', () => {
  it.each([CHAT, RESPONSES])('of $path mean the same after they were written and read', (endpoint) => {
    fc.assert(
      fc.property(stream, (events) => {
        const answer = collect(events);
        const read = translation.parseAnswer(endpoint, translation.writeAnswer(answer, contextOf(endpoint, chatOf())));
        // Of a chat completion, thinking comes first, then text, then calls.
        const order: readonly string[] = endpoint === CHAT ? ['thinking', 'text', 'tool_call'] : [];
        const merged = (parts: readonly NeutralPart[]): unknown =>
          order.map((kind) =>
            parts
              .filter((part) => part.kind === kind)
              .map((part) => ('text' in part ? part.text : JSON.stringify(part)))
              .join(''),
          );
        if (!read.ok || read.value.kind !== 'chat') throw new Error('not read');
        if (endpoint === RESPONSES) expect(read.value).toEqual(answer);
        else expect(merged(read.value.choices[0]?.parts ?? [])).toEqual(merged(answer.choices[0]?.parts ?? []));
      }),
    );
  });

  it('of any bytes are read or refused, and never throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ENDPOINTS), fc.oneof(fc.uint8Array(), fc.json().map(bytesOf)), fc.nat(700), (endpoint, body, status) => {
        translation.parseAnswer(endpoint, body);
        const error = translation.parseError(status, body);
        expect(error.message).not.toBe('');
        expect(JSON.parse(new TextDecoder().decode(translation.writeError(error, 'r').body))).toMatchObject({ error: { message: error.message } });
        expect(translation.errorStatus(status)).toBeGreaterThanOrEqual(400);
      }),
      { numRuns: 1000 },
    );
  });
});
