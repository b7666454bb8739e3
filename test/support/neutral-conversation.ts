import fc from 'fast-check';
import type { NeutralContent, NeutralMessage, NeutralPart, NeutralToolCall } from '../../src/core/dialects/neutral.ts';

/** Text that every dialect takes: not empty, not white space alone, and none at its ends. */
export const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => `a${text.trim()}z`);

/** A name that every dialect takes for a tool, a parameter or a participant. */
export const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,7}$/);

const base64 = fc.base64String({ minLength: 4, maxLength: 16 });

const content: fc.Arbitrary<NeutralContent> = fc.oneof(
  words.map((text): NeutralContent => ({ kind: 'text', text })),
  base64.map((data): NeutralContent => ({ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data } })),
  fc
    .constantFrom('low' as const, 'high' as const, 'auto' as const)
    .map((detail): NeutralContent => ({ kind: 'image', detail, source: { kind: 'base64', mediaType: 'image/jpeg', data: 'AAAA' } })),
  fc.constant<NeutralContent>({ kind: 'image', source: { kind: 'url', url: 'https://example.com/a.png', mediaType: 'image/png' } }),
  base64.map((data): NeutralContent => ({ kind: 'document', name: 'paper', source: { kind: 'base64', mediaType: 'application/pdf', data } })),
  words.map((text): NeutralContent => ({ kind: 'document', source: { kind: 'text', text } })),
  base64.map((data): NeutralContent => ({ kind: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data } })),
);

const seal = fc.tuple(fc.constantFrom('openai' as const, 'anthropic' as const, 'gemini' as const), base64).map(([origin, data]) => ({ origin, data }));

const sealedThinking: fc.Arbitrary<NeutralPart> = fc.oneof(
  fc.tuple(words, seal).map(([text, signature]): NeutralPart => ({ kind: 'thinking', text, signature })),
  seal.filter(({ origin }) => origin !== 'gemini').map((redacted): NeutralPart => ({ kind: 'thinking', text: '', redacted })),
);

const rarely = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary: value, weight: 1 });
const systemMessage = (text: string): NeutralMessage => ({ role: 'system', parts: [{ kind: 'text', text }] });

interface Called {
  readonly call: Omit<NeutralToolCall, 'kind' | 'id'>;
  readonly content: readonly NeutralContent[];
  readonly isError: boolean;
}

/** Numbers are whole, as one dialect's are doubles and another's have as many digits as they like. */
const called: fc.Arbitrary<Called> = fc
  .record({
    name: word,
    args: fc.dictionary(word, fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 3 }),
    signature: fc.option(
      seal.filter(({ origin }) => origin === 'gemini'),
      { nil: undefined },
    ),
    content: fc.array(
      content.filter(({ kind }) => kind === 'text' || kind === 'image'),
      { maxLength: 2 },
    ),
    isError: fc.boolean(),
  })
  .map(({ name, args, signature, ...result }) => ({
    call: { name, argumentsJson: JSON.stringify(args), ...(signature === undefined ? {} : { signature }) },
    ...result,
  }));

/** A model's turn, which thinks, says something and calls tools, and a user's, which answers each call and says something. */
const turn = fc
  .record({
    // What was not sealed goes on to what follows it.
    thoughts: fc.oneof(
      words.map((text): readonly NeutralPart[] => [{ kind: 'thinking', text }]),
      fc.array(sealedThinking, { maxLength: 2 }),
    ),
    answer: words,
    calls: fc.array(called, { maxLength: 3 }),
    user: fc.array(content, { minLength: 1, maxLength: 2 }),
    name: rarely(word),
    system: rarely(words),
  })
  .map(({ thoughts, answer, calls, user, name, system }) => (number: number): readonly NeutralMessage[] => {
    const idOf = (index: number): string => `call_${number}_${index}`;
    return [
      {
        role: 'assistant',
        parts: [...thoughts, { kind: 'text', text: answer }, ...calls.map(({ call }, index): NeutralPart => ({ kind: 'tool_call', id: idOf(index), ...call }))],
      },
      {
        role: 'user',
        parts: [
          ...calls.map(({ call, content: said, isError }, index): NeutralPart => ({
            kind: 'tool_result',
            callId: idOf(index),
            name: call.name,
            content: said,
            isError,
          })),
          ...user,
        ],
        ...(name === undefined ? {} : { name }),
      },
      ...(system === undefined ? [] : [systemMessage(system)]),
    ];
  });

/** A conversation as any caller may have it: perhaps a system prompt, then turns of user and model, perhaps more for the system between them. */
export const conversation: fc.Arbitrary<readonly NeutralMessage[]> = fc
  .tuple(fc.option(words, { nil: undefined }), fc.array(content, { minLength: 1, maxLength: 2 }), fc.array(turn, { maxLength: 3 }))
  .map(([system, first, turns]): readonly NeutralMessage[] => [
    ...(system === undefined ? [] : [systemMessage(system)]),
    { role: 'user', parts: first },
    ...turns.flatMap((messages, number) => messages(number)),
  ]);
