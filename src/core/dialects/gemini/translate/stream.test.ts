import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatOf, collect } from '../../../../../test/support/neutral-chat.ts';
import type { NeutralEvent, NeutralFinish, NeutralSignature } from '../../neutral.ts';
import type { AnswerContext } from '../../translation.ts';
import type { Endpoint } from '../../types.ts';
import { endpointOf } from '../endpoints.ts';
import { readStream } from './read-stream.ts';
import { writeStream } from './write-stream.ts';

const SSE = endpointOf('gemini-3-pro', 'streamGenerateContent', 'sse');
const ARRAY = endpointOf('gemini-3-pro', 'streamGenerateContent', 'json_array');

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const event = (value: object | string): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\r\n\r\n`;

function read(chunks: readonly Uint8Array[]): { readonly events: readonly NeutralEvent[]; readonly skipped: number } {
  const reader = readStream(SSE);
  const events = chunks.flatMap((chunk) => reader.push(chunk, false));
  events.push(...reader.push(new Uint8Array(0), true));
  return { events, skipped: reader.skipped };
}

const readText = (text: string): ReturnType<typeof read> => read([bytesOf(text)]);

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((place) => place % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const response = (parts: readonly object[], more: object = {}, candidate: object = {}): object => ({
  candidates: [{ content: { role: 'model', parts }, ...candidate }],
  modelVersion: 'gemini-3-pro-002',
  responseId: 'r-1',
  ...more,
});
const START: NeutralEvent = { kind: 'start', id: 'r-1', model: 'gemini-3-pro-002', created: undefined };
const END: NeutralEvent = { kind: 'end' };
const finished = (reason: NeutralFinish, choice = 0): NeutralEvent => ({ kind: 'finish', choice, reason });
const said = (delta: string, choice = 0): NeutralEvent => ({ kind: 'text', choice, delta });
const SEAL: NeutralSignature = { origin: 'gemini', data: 'AAAA' };

/** As Google sends it: thoughts, text, two calls of which the first is sealed, usage in each response. */
const WHOLE = [
  response([{ text: '**Places**\n\nTwo of them.', thought: true }], { usageMetadata: { promptTokenCount: 40, totalTokenCount: 52, thoughtsTokenCount: 12 } }),
  response([{ text: 'I look at „both“ 😀\n' }], {
    usageMetadata: { promptTokenCount: 40, totalTokenCount: 60, thoughtsTokenCount: 12, candidatesTokenCount: 8 },
  }),
  response([{ functionCall: { name: 'weather', args: { city: 'Köln' } }, thoughtSignature: 'AAAA' }, { functionCall: { id: 'own', name: 'time', args: {} } }]),
  response(
    [{ text: '' }],
    { usageMetadata: { promptTokenCount: 40, totalTokenCount: 70, thoughtsTokenCount: 12, candidatesTokenCount: 18 } },
    { finishReason: 'STOP' },
  ),
]
  .map(event)
  .join('');

describe('readStream', () => {
  it('reads thoughts, text and sealed calls', () => {
    const usage = (outputTokens: number): NeutralEvent => ({ kind: 'usage', usage: { inputTokens: 40, outputTokens, reasoningTokens: 12 } });
    expect(readText(WHOLE)).toEqual({
      skipped: 0,
      events: [
        { ...START, usage: { inputTokens: 40, outputTokens: 12, reasoningTokens: 12 } },
        { kind: 'thinking', choice: 0, delta: '**Places**\n\nTwo of them.' },
        usage(12),
        said('I look at „both“ 😀\n'),
        usage(20),
        { kind: 'tool_call', choice: 0, call: 0, id: 'call_r-1_0', name: 'weather', signature: SEAL },
        { kind: 'tool_arguments', choice: 0, call: 0, delta: '{"city":"Köln"}' },
        { kind: 'tool_call', choice: 0, call: 1, id: 'own', name: 'time' },
        { kind: 'tool_arguments', choice: 0, call: 1, delta: '{}' },
        finished('tool_calls'),
        usage(30),
        END,
      ],
    });
  });

  it.each<[string, readonly NeutralEvent[], number]>([
    [event(response([{ text: 'a' }], {}, { finishReason: 'MAX_TOKENS' })), [START, said('a'), finished('length'), END], 0],
    [
      event(response([{ text: '', thought: true, thoughtSignature: 'AAAA' }], {}, { finishReason: 'STOP' })),
      [START, { kind: 'thinking_signature', choice: 0, signature: SEAL }, finished('stop'), END],
      0,
    ],
    // Two candidates, one of which never ends.
    [
      event(response([{ text: 'a' }], {}, { finishReason: 'STOP' })) + event(response([{ text: 'b' }], {}, { index: 1 })),
      [START, said('a'), finished('stop'), said('b', 1)],
      0,
    ],
    // Nothing follows a candidate's end.
    [event(response([], {}, { finishReason: 'STOP' })) + event(response([{ text: 'x' }])), [START, finished('stop'), END], 1],
    [event({ promptFeedback: { blockReason: 'SAFETY' }, responseId: 'r-1', modelVersion: 'gemini-3-pro-002' }), [START, finished('content_filter'), END], 0],
    [
      event(response([{ executableCode: { code: '1' } }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }], {}, { finishReason: 'STOP' })),
      [START, finished('stop'), END],
      2,
    ],
    [
      event('{"error":{"code":503,"message":"Busy.","status":"UNAVAILABLE"}}') + event(response([{ text: 'x' }])),
      [{ kind: 'error', error: { kind: 'overloaded', status: 503, message: 'Busy.', code: 'UNAVAILABLE' } }],
      0,
    ],
    [
      event(response([{ text: 'a' }])) + event('{"error":{"code":500}}'),
      [START, said('a'), { kind: 'error', error: { kind: 'server_error', status: 500, message: 'The provider answered with an error that says nothing.' } }],
      0,
    ],
    [event('{') + event('[]') + event('null'), [], 3],
    ['', [], 0],
    [': comment\r\n\r\n', [], 0],
    [event({ candidates: [] }), [{ kind: 'start', id: '', model: 'gemini-3-pro', created: undefined }], 0],
  ])('reads %j', (text, events, skipped) => {
    expect(readText(text)).toEqual({ events, skipped });
  });

  it('gives no end where there was none', () => {
    const kinds = readText(WHOLE.slice(0, WHOLE.lastIndexOf('data: '))).events.map(({ kind }) => kind);
    expect(kinds).not.toContain('end');
    expect(kinds.at(-1)).toBe('tool_arguments');
  });

  it('knows no more candidates than can be asked for', () => {
    const many = Array.from({ length: 100 }, (_, index) => event(response([{ text: 'a' }], {}, { index }))).join('');
    const { events, skipped } = readText(many);
    expect([events.length, skipped]).toEqual([9, 92]);
  });

  it('reads the same at any cut, damaged or not, and never throws', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.oneof(fc.nat(255), fc.constantFrom(...bytesOf('"\n\r{}[]:,\\'))), width: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 10 }), (changes, cuts) => {
        const damaged = [...bytesOf(WHOLE)];
        for (const { at, byte, width } of changes) damaged.splice(at % (damaged.length + 1), width, byte);
        const bytes = Uint8Array.from(damaged);
        expect(read(cut(bytes, cuts))).toEqual(read([bytes]));
      }),
      { numRuns: 500 },
    );
  });
});

const contextOf = (endpoint: Endpoint): AnswerContext => ({ endpoint, request: chatOf({ model: 'asked' }), requestId: 'r1', created: 0 });

function write(events: readonly NeutralEvent[], endpoint = SSE): string {
  const writer = writeStream(contextOf(endpoint));
  return textOf(writer.write(events)) + textOf(writer.finish());
}

interface Sent {
  readonly candidates?: readonly { readonly index: number; readonly finishReason?: string; readonly content: { readonly parts: readonly object[] } }[];
  readonly error?: object;
}

const sentIn = (text: string): readonly Sent[] =>
  text
    .split('\r\n\r\n')
    .filter((line) => line !== '')
    .map((line) => {
      expect(line).toMatch(/^data: /);
      return JSON.parse(line.slice('data: '.length)) as Sent;
    });

/** What each response says of its candidates: `0 STOP [parts]`. */
const outline = (sent: readonly Sent[]): readonly string[] =>
  sent.flatMap(({ candidates, error }) =>
    error === undefined
      ? (candidates ?? []).map(({ index, finishReason, content }) => `${index} ${finishReason ?? '-'} ${JSON.stringify(content.parts)}`)
      : ['error'],
  );

const call = (number: number, signature?: NeutralSignature): NeutralEvent => ({
  kind: 'tool_call',
  choice: 0,
  call: number,
  id: `c${number}`,
  name: 'f',
  ...(signature === undefined ? {} : { signature }),
});
const given = (number: number, delta: string): NeutralEvent => ({ kind: 'tool_arguments', choice: 0, call: number, delta });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('writeStream', () => {
  it('writes each response as Google does', () => {
    const usage = { inputTokens: 30, outputTokens: 9, reasoningTokens: 4 };
    const sent = sentIn(
      write([{ ...START, usage: { inputTokens: 30, outputTokens: 0 } }, { kind: 'ping' }, said('Hi'), finished('stop'), { kind: 'usage', usage }, END]),
    );
    const head = { modelVersion: 'gemini-3-pro-002', responseId: 'r-1' };
    expect(sent).toEqual([
      { candidates: [{ content: { parts: [{ text: 'Hi' }], role: 'model' }, index: 0 }], ...head },
      // Google's SDK forgets a turn that has a response without parts.
      {
        candidates: [{ content: { parts: [{ text: '' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
        usageMetadata: { promptTokenCount: 30, candidatesTokenCount: 5, thoughtsTokenCount: 4, totalTokenCount: 39 },
        ...head,
      },
    ]);
  });

  it.each<[string, readonly NeutralEvent[], readonly string[]]>([
    ['an empty answer', [finished('stop')], ['0 STOP [{"text":""}]']],
    [
      'interleaved calls whole, and in their order',
      [call(0), given(0, '{"a":'), call(1), given(1, '{}'), given(0, '1}'), finished('tool_calls')],
      ['0 STOP [{"functionCall":{"id":"c0","name":"f","args":{"a":1}}},{"functionCall":{"id":"c1","name":"f","args":{}}}]'],
    ],
    ['a call without arguments', [call(0), finished('tool_calls')], ['0 STOP [{"functionCall":{"id":"c0","name":"f","args":{}}}]']],
    ['a call with its seal', [call(0, SEAL), finished('tool_calls')], ['0 STOP [{"functionCall":{"id":"c0","name":"f","args":{}},"thoughtSignature":"AAAA"}]']],
    [
      'a call that broke off at the cap as none',
      [said('a'), call(0), given(0, '{"a":'), finished('length')],
      ['0 - [{"text":"a"}]', '0 MAX_TOKENS [{"text":""}]'],
    ],
    ['a broken call as malformed', [call(0), given(0, '{"a":'), finished('tool_calls')], ['0 MALFORMED_FUNCTION_CALL [{"text":""}]']],
    ['arguments of a call that never began as nothing', [given(3, '{}'), finished('stop')], ['0 STOP [{"text":""}]']],
    [
      'thoughts and their seal',
      [
        { kind: 'thinking', choice: 0, delta: 'T' },
        { kind: 'thinking_signature', choice: 0, signature: { origin: 'anthropic', data: 's' } },
        said('a'),
        finished('stop'),
      ],
      [
        '0 - [{"text":"T","thought":true}]',
        `0 - [{"text":"","thought":true,"thoughtSignature":"${base64('airmesh:anthropic:signature:s')}"}]`,
        '0 - [{"text":"a"}]',
        '0 STOP [{"text":""}]',
      ],
    ],
    [
      'hidden thoughts',
      [{ kind: 'redacted_thinking', choice: 0, redacted: { origin: 'openai', data: 'e' } }, finished('stop')],
      [`0 - [{"text":"","thought":true,"thoughtSignature":"${base64('airmesh:openai:redacted:e')}"}]`, '0 STOP [{"text":""}]'],
    ],
    ['a refusal in words', [{ kind: 'refusal', choice: 0, delta: 'No.' }, finished('refusal')], ['0 - [{"text":"No."}]', '0 SAFETY [{"text":""}]']],
    [
      'several candidates',
      [said('a'), said('b', 1), finished('stop', 1), finished('length')],
      ['0 - [{"text":"a"}]', '1 - [{"text":"b"}]', '0 MAX_TOKENS [{"text":""}]', '1 STOP [{"text":""}]'],
    ],
  ])('writes %s', (_, events, expected) => {
    expect(outline(sentIn(write([START, ...events, END])))).toEqual(expected);
  });

  it('writes an array where events were not asked for', () => {
    const text = write([START, said('a'), said('b'), finished('stop'), END], ARRAY);
    expect(outline(JSON.parse(text) as readonly Sent[])).toEqual(['0 - [{"text":"a"}]', '0 - [{"text":"b"}]', '0 STOP [{"text":""}]']);
    expect(JSON.parse(write([START, said('a')], ARRAY))).toMatchObject([{}, { error: { code: 503 } }]);
    expect(JSON.parse(write([], ARRAY))).toMatchObject([{ error: { code: 503 } }]);
  });

  it.each<[string, readonly NeutralEvent[], object]>([
    ['a stream that was cut off', [START, said('a')], { code: 503, status: 'UNAVAILABLE' }],
    [
      'an error of the provider',
      [START, { kind: 'error', error: { kind: 'overloaded', status: 529, message: 'Busy.' } }, said('x')],
      { code: 503, message: 'Busy.' },
    ],
  ])('tells of %s, and nothing after it', (_, events, error) => {
    const sent = sentIn(write(events));
    expect(sent.at(-1)).toMatchObject({ error });
    expect(sent.filter((one) => one.error !== undefined)).toHaveLength(1);
  });

  it('holds no more arguments than a model writes', () => {
    const writer = writeStream(contextOf(SSE));
    writer.write([START, call(0)]);
    const part = given(0, 'x'.repeat(4 * 1024 * 1024));
    expect(writer.write([part, part, part, part])).toHaveLength(0);
    expect(sentIn(textOf(writer.write([given(0, 'y')])))).toMatchObject([{ error: { code: 500 } }]);
    expect(writer.write([said('x')])).toHaveLength(0);
    expect(writer.finish()).toHaveLength(0);
  });
});

describe('a stream', () => {
  const delta = fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' });
  const seal = fc
    .tuple(fc.constantFrom('gemini' as const, 'anthropic' as const, 'openai' as const), fc.base64String({ minLength: 4, maxLength: 12 }))
    .map(([origin, data]): NeutralSignature => ({ origin, data }));
  const step = fc.oneof(
    delta.map((text): readonly NeutralEvent[] => [said(text)]),
    delta.map((text): readonly NeutralEvent[] => [{ kind: 'thinking', choice: 0, delta: text }]),
    fc.tuple(delta, seal).map(([text, signature]): readonly NeutralEvent[] => [
      { kind: 'thinking', choice: 0, delta: text },
      { kind: 'thinking_signature', choice: 0, signature },
    ]),
    seal.filter(({ origin }) => origin !== 'gemini').map((redacted): readonly NeutralEvent[] => [{ kind: 'redacted_thinking', choice: 0, redacted }]),
  );
  /** Calls come last, as they are held until their candidate ends. */
  const stream = fc
    .tuple(
      fc.array(step, { maxLength: 6 }),
      fc.array(fc.tuple(fc.dictionary(delta, fc.integer(), { maxKeys: 2 }), fc.option(seal, { nil: undefined }), fc.nat(9)), { maxLength: 3 }),
      fc.constantFrom<NeutralFinish>('stop', 'length', 'content_filter'),
      fc.nat(99),
    )
    .map(([steps, calls, reason, tokens]): readonly NeutralEvent[] => [
      { kind: 'start', id: 'a-1', model: 'm', created: undefined },
      ...steps.flat(),
      ...calls.flatMap(([args, signature, place], index) => {
        const text = JSON.stringify(args);
        return [call(index, signature), given(index, text.slice(0, place)), given(index, text.slice(place))];
      }),
      finished(reason === 'stop' && calls.length > 0 ? 'tool_calls' : reason),
      { kind: 'usage', usage: { inputTokens: 7, outputTokens: tokens + 3, cachedInputTokens: 2, reasoningTokens: tokens } },
      END,
    ]);

  it('tells the same after it was written and read', () => {
    fc.assert(
      fc.property(stream, (events) => {
        const { events: back, skipped } = readText(write(events));
        expect(skipped).toBe(0);
        expect(back.at(-1)).toEqual(END);
        expect(collect(back)).toEqual(collect(events));
      }),
      { numRuns: 500 },
    );
  });

  it('is written the same however its steps come, as events and as an array', () => {
    fc.assert(
      fc.property(stream, fc.constantFrom(SSE, ARRAY), (events, endpoint) => {
        const writer = writeStream(contextOf(endpoint));
        const text = events.map((one) => textOf(writer.write([one]))).join('') + textOf(writer.finish());
        expect(text).toBe(write(events, endpoint));
        if (endpoint === ARRAY) expect(JSON.parse(text)).toEqual(sentIn(write(events)));
      }),
    );
  });
});
