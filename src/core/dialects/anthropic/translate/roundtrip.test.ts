import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRequest } from '../request.ts';
import { anthropicTranslation } from './index.ts';
import type { NeutralAnswer } from '../../neutral.ts';
import type { Endpoint } from '../../types.ts';

const MESSAGES: Endpoint = { operation: 'chat', path: '/messages', body: 'json' };
const HEADERS = { contentType: 'application/json', contentEncoding: undefined };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Text that Anthropic takes: not empty. */
const words = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((text) => text.trim() !== '');
const maybe = <T>(name: string, value: fc.Arbitrary<T>): fc.Arbitrary<object> =>
  fc.option(value, { nil: undefined }).map((some) => (some === undefined ? {} : { [name]: some }));
const all = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<object> => fc.tuple(...parts).map((some) => Object.assign({}, ...some) as object);

const text = words.map((some) => ({ type: 'text', text: some }));
const image = fc
  .oneof(fc.constant({ type: 'url', url: 'https://example.com/i.png' }), fc.constant({ type: 'base64', media_type: 'image/png', data: 'QUJD' }))
  .map((source) => ({ type: 'image', source }));
const document = all(
  fc.constant({ type: 'document' }),
  fc
    .oneof(
      fc.constant({ type: 'url', url: 'https://example.com/d.pdf' }),
      fc.constant({ type: 'base64', media_type: 'application/pdf', data: 'QUJD' }),
      words.map((data) => ({ type: 'text', media_type: 'text/plain', data })),
    )
    .map((source) => ({ source })),
  maybe('title', words),
);
const input = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
const content = fc.oneof(text, image, document);

/** A turn: an assistant that thinks, speaks and calls tools, and a user that answers the calls and speaks. */
const turn = fc.tuple(
  fc.boolean(),
  text,
  fc.array(fc.tuple(input, fc.oneof(words, fc.array(content, { maxLength: 2 })), fc.boolean()), { maxLength: 3 }),
  fc.array(content, { minLength: 1, maxLength: 2 }),
);

function conversation(first: object[], turns: readonly (readonly [boolean, object, readonly (readonly [object, unknown, boolean])[], object[]])[]): object[] {
  return [
    { role: 'user', content: first },
    ...turns.flatMap(([thinks, spoken, calls, next], turnIndex) => [
      {
        role: 'assistant',
        content: [
          ...(thinks ? [{ type: 'thinking', thinking: 'T', signature: 's' }] : []),
          spoken,
          ...calls.map(([given], index) => ({ type: 'tool_use', id: `t_${turnIndex}_${index}`, name: 'f', input: given })),
        ],
      },
      {
        role: 'user',
        content: [
          ...calls.map(([, result, isError], index) => ({ type: 'tool_result', tool_use_id: `t_${turnIndex}_${index}`, content: result, is_error: isError })),
          ...next,
        ],
      },
    ]),
  ];
}

const body = all(
  fc.constantFrom({ model: 'claude-sonnet-4-6' }, { model: 'claude-opus-4-6' }),
  fc.integer({ min: 4096, max: 9000 }).map((cap) => ({ max_tokens: cap })),
  fc
    .tuple(fc.array(content, { minLength: 1, maxLength: 2 }), fc.array(turn, { maxLength: 3 }))
    .map(([first, turns]) => ({ messages: conversation(first, turns) })),
  maybe('system', fc.oneof(words, fc.array(text, { minLength: 1, maxLength: 2 }))),
  maybe('stream', fc.constant(true)),
  fc.constantFrom(
    {},
    { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'high' } },
    { thinking: { type: 'disabled' } },
    { temperature: 0.5 },
    { top_p: 0.25, top_k: 3 },
  ),
  maybe('stop_sequences', fc.array(words, { minLength: 1, maxLength: 2 })),
  maybe('metadata', fc.constant({ user_id: 'u' })),
  maybe('service_tier', fc.constantFrom('auto', 'standard_only')),
  fc.constantFrom(
    {},
    {
      tools: [
        { name: 'f', description: 'F', input_schema: { type: 'object', properties: { a: { type: 'string' } } } },
        { name: 'g', input_schema: { type: 'object' }, strict: false },
      ],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    },
  ),
);

describe('a request', () => {
  it('means the same after it went through the neutral form', () => {
    fc.assert(
      fc.property(body, (sent) => {
        const first = anthropicTranslation.parseRequest(MESSAGES, bytesOf(JSON.stringify(sent)));
        if (!first.ok) throw new Error(first.error.message);
        const written = anthropicTranslation.writeRequest(first.value.request);
        if (written === undefined) throw new Error('not written');
        expect([first.value.losses, written.losses]).toEqual([[], []]);
        expect(readRequest(MESSAGES, written.body, HEADERS).ok).toBe(true);
        expect(anthropicTranslation.parseRequest(written.endpoint, written.body)).toEqual(first);
      }),
      { numRuns: 1500 },
    );
  });
});

describe('an answer', () => {
  const part = fc.oneof(
    words.map((some) => ({ kind: 'text' as const, text: some })),
    words.map((some) => ({ kind: 'thinking' as const, text: some, signature: { origin: 'anthropic' as const, data: 's' } })),
    fc.constant({ kind: 'thinking' as const, text: '', redacted: { origin: 'anthropic' as const, data: 'd' } }),
    fc.tuple(words, input).map(([id, given]) => ({ kind: 'tool_call' as const, id, name: 'f', argumentsJson: JSON.stringify(given) })),
  );

  it('means the same after it went through the neutral form', () => {
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 5 }),
        fc.constantFrom('length', 'refusal', 'pause', 'tool_calls', 'stop_sequence' as const),
        fc.nat(99),
        fc.nat(99),
        (parts, finish, cached, written) => {
          const usage = {
            inputTokens: 300,
            outputTokens: 7,
            cachedInputTokens: cached,
            cacheWriteTokens: written,
            cacheWriteLongTokens: Math.floor(written / 2),
            reasoningTokens: 3,
            hostedToolCalls: 1,
          };
          const answer: NeutralAnswer = {
            kind: 'chat',
            id: 'msg_1',
            model: 'claude-x',
            created: undefined,
            choices: [{ index: 0, parts, finish: finish as 'length', ...(finish === 'stop_sequence' ? { stopSequence: '§' } : {}) }],
            usage,
          };
          const request = anthropicTranslation.parseRequest(MESSAGES, bytesOf('{"model":"m","max_tokens":1,"messages":[]}'));
          if (!request.ok) throw new Error('request');
          const bytes = anthropicTranslation.writeAnswer(answer, { endpoint: MESSAGES, request: request.value.request, requestId: 'r', created: 0 });
          expect(anthropicTranslation.parseAnswer(MESSAGES, bytes)).toEqual({ ok: true, value: answer });
        },
      ),
      { numRuns: 1000 },
    );
  });
});
