import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NeutralAnswer, NeutralChat, NeutralChoice, NeutralFinish, NeutralPart } from '../../neutral.ts';
import type { AnswerContext } from '../../translation.ts';
import { endpointOf } from '../endpoints.ts';
import { parseAnswer } from './parse-answer.ts';
import { writeAnswer } from './write-answer.ts';

const CHAT = endpointOf('gemini-3-pro', 'generateContent', 'json_array');
const COUNT = endpointOf('gemini-3-pro', 'countTokens', 'json_array');
const SINGLE = endpointOf('gemini-embedding-001', 'embedContent', 'json_array');
const BATCH = endpointOf('gemini-embedding-001', 'batchEmbedContents', 'json_array');

const bytesOf = (body: unknown): Uint8Array => new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
const read = (body: unknown, endpoint = CHAT): ReturnType<typeof parseAnswer> => parseAnswer(endpoint, bytesOf(body));

function choiceIn(candidate: object): NeutralChoice {
  const answer = read({ candidates: [candidate], responseId: 'r-1' });
  if (!answer.ok || answer.value.kind !== 'chat' || answer.value.choices[0] === undefined) throw new Error('no choice');
  return answer.value.choices[0];
}

const seal = (text: string): string => Buffer.from(text).toString('base64');

describe('parseAnswer', () => {
  it('reads a whole answer', () => {
    const candidates = [
      { content: { role: 'model', parts: [{ text: 'Hm.', thought: true }, { text: 'It rains.' }] }, finishReason: 'STOP' },
      { index: 1, content: { role: 'model', parts: [{ text: 'It' }] }, finishReason: 'MAX_TOKENS' },
    ];
    const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 4, thoughtsTokenCount: 2, cachedContentTokenCount: 3, totalTokenCount: 15 };
    expect(read({ candidates, usageMetadata, modelVersion: 'gemini-3-pro-002', responseId: 'r-1' })).toEqual({
      ok: true,
      value: {
        kind: 'chat',
        id: 'r-1',
        model: 'gemini-3-pro-002',
        created: undefined,
        choices: [
          {
            index: 0,
            parts: [
              { kind: 'thinking', text: 'Hm.' },
              { kind: 'text', text: 'It rains.' },
            ],
            finish: 'stop',
          },
          { index: 1, parts: [{ kind: 'text', text: 'It' }], finish: 'length' },
        ],
        usage: { inputTokens: 9, outputTokens: 6, cachedInputTokens: 3, reasoningTokens: 2 },
      },
    });
  });

  it.each<[object, readonly NeutralPart[]]>([
    [{ text: 'a', thoughtSignature: 'AAAA' }, [{ kind: 'text', text: 'a' }]],
    [{ text: '', thoughtSignature: 'AAAA' }, []],
    [{ text: 'T', thought: true, thoughtSignature: 'AAAA' }, [{ kind: 'thinking', text: 'T', signature: { origin: 'gemini', data: 'AAAA' } }]],
    [{ text: '', thought: true, thoughtSignature: 'AAAA' }, [{ kind: 'thinking', text: '', signature: { origin: 'gemini', data: 'AAAA' } }]],
    [{ text: '', thought: true }, []],
    [
      { functionCall: { id: 'c', name: 'f', args: { x: 1 } }, thoughtSignature: 'AAAA' },
      [{ kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '{"x":1}', signature: { origin: 'gemini', data: 'AAAA' } }],
    ],
    [{ functionCall: { name: 'f' } }, [{ kind: 'tool_call', id: 'call_r-1_0', name: 'f', argumentsJson: '{}' }]],
    [{ inlineData: { mimeType: 'image/PNG', data: 'AA' } }, [{ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AA==' } }]],
    [{ inlineData: { mimeType: 'audio/wav', data: 'AA' } }, []],
    [{ executableCode: { code: '1' } }, []],
    [{ text: 5 }, []],
  ])('reads the part %j', (part, parts) => {
    expect(choiceIn({ content: { parts: [part] } }).parts).toEqual(parts);
  });

  it('names calls without an id, or with one twice, so that they differ within and across answers', () => {
    const calls = [
      { functionCall: { name: 'f' } },
      { functionCall: { name: 'f', id: 'c' } },
      { functionCall: { name: 'g', id: 'c' } },
      { functionCall: { name: 'g' } },
    ];
    const idsOf = (responseId: string): readonly string[] => {
      const answer = read({ candidates: [{ content: { parts: calls } }], responseId });
      if (!answer.ok || answer.value.kind !== 'chat') throw new Error('not read');
      return answer.value.choices[0]?.parts.map((part) => (part.kind === 'tool_call' ? part.id : '')) ?? [];
    };
    const [one, other] = [idsOf('Qx_7/é'), idsOf('Zz')];
    expect(one).toEqual(['call_Qx_7_0', 'c', 'call_Qx_7_2', 'call_Qx_7_3']);
    expect(new Set([...one, ...other]).size).toBe(7);
  });

  it.each<[string | undefined, readonly object[], NeutralFinish | undefined]>([
    ['STOP', [], 'stop'],
    ['STOP', [{ functionCall: { name: 'f' } }], 'tool_calls'],
    ['FINISH_REASON_UNSPECIFIED', [], 'stop'],
    ['MAX_TOKENS', [{ functionCall: { name: 'f' } }], 'length'],
    ['SAFETY', [], 'content_filter'],
    ['RECITATION', [], 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', [], 'content_filter'],
    ['OF_THE_FUTURE', [], 'content_filter'],
    [undefined, [], undefined],
    ['', [], undefined],
  ])('reads the reason %s of %j as %s', (finishReason, parts, finish) => {
    expect(choiceIn({ content: { parts }, finishReason }).finish).toBe(finish);
  });

  it('reads a prompt that was not let through as filtered', () => {
    expect(read({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 } })).toMatchObject({
      ok: true,
      value: { choices: [{ index: 0, parts: [], finish: 'content_filter' }], usage: { inputTokens: 5, outputTokens: 0 } },
    });
  });

  it('reads log probabilities, of which one that is certain has none', () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'a', logProbability: -0.5 }, { token: 'b' }],
      topCandidates: [{ candidates: [{ token: 'c', logProbability: -1 }] }],
    };
    expect(choiceIn({ content: { parts: [{ text: 'ab' }] }, logprobsResult }).logprobs).toEqual([
      { token: 'a', logprob: -0.5, top: [{ token: 'c', logprob: -1 }] },
      { token: 'b', logprob: 0, top: [] },
    ]);
  });

  it('reads vectors and counts', () => {
    expect(read({ embedding: { values: [0.5, -1] } }, SINGLE)).toEqual({
      ok: true,
      value: { kind: 'embedding', model: 'gemini-embedding-001', vectors: [[0.5, -1]], usage: undefined },
    });
    expect(read({ embeddings: [{ values: [1] }, { values: [2] }], usageMetadata: { promptTokenCount: 3 } }, BATCH)).toMatchObject({
      ok: true,
      value: { vectors: [[1], [2]], usage: { inputTokens: 3, outputTokens: 0 } },
    });
    expect(read({ totalTokens: 12, promptTokensDetails: [] }, COUNT)).toEqual({ ok: true, value: { kind: 'count_tokens', inputTokens: 12 } });
    expect(read({}, COUNT)).toEqual({ ok: true, value: { kind: 'count_tokens', inputTokens: 0 } });
  });

  it.each<[unknown, typeof CHAT]>([
    ['', CHAT],
    ['<html>', CHAT],
    ['[]', CHAT],
    [{}, CHAT],
    [{ candidates: [] }, CHAT],
    [{ candidates: 'x' }, CHAT],
    [{ embeddings: [] }, BATCH],
    [{ embeddings: [{ values: [1] }, {}] }, BATCH],
    [{ embedding: { values: ['1'] } }, SINGLE],
    [{ totalTokens: -1 }, COUNT],
  ])('says of %j that it is no answer', (body, endpoint) => {
    expect(read(body, endpoint)).toEqual({ ok: false, error: expect.stringMatching(/\.$/) });
  });

  it('takes no usage that does not add up', () => {
    expect(read({ candidates: [{}], usageMetadata: { promptTokenCount: -1 } })).toMatchObject({ ok: true, value: { usage: undefined } });
  });

  it('never throws', () => {
    const endpoint = fc.constantFrom(CHAT, COUNT, SINGLE, BATCH);
    fc.assert(
      fc.property(endpoint, fc.jsonValue(), fc.jsonValue(), (at, content, value) =>
        [true, false].includes(
          read(
            { candidates: [{ content, logprobsResult: value }, value], usageMetadata: value, embedding: content, embeddings: [value], totalTokens: value },
            at,
          ).ok,
        ),
      ),
    );
  });
});

describe('writeAnswer', () => {
  const contextOf = (endpoint = CHAT): AnswerContext => ({ endpoint, request: { kind: 'chat', model: 'asked' } as NeutralChat, requestId: 'r1', created: 0 });
  const write = (answer: NeutralAnswer, endpoint = CHAT): unknown => JSON.parse(new TextDecoder().decode(writeAnswer(answer, contextOf(endpoint))));
  const chat = (choice: Partial<NeutralChoice>): NeutralAnswer => ({
    kind: 'chat',
    id: '',
    model: 'm',
    created: 5,
    choices: [{ index: 0, parts: [], finish: 'stop', ...choice }],
    usage: undefined,
  });

  it.each<[Partial<NeutralChoice>, readonly object[], string]>([
    // Google's SDK forgets a turn without parts.
    [{}, [{ text: '' }], 'STOP'],
    [
      {
        parts: [
          { kind: 'text', text: '' },
          { kind: 'text', text: 'a' },
          { kind: 'refusal', text: 'No.' },
        ],
        finish: 'refusal',
      },
      [{ text: 'a' }, { text: 'No.' }],
      'SAFETY',
    ],
    [
      {
        parts: [
          { kind: 'thinking', text: 'T' },
          { kind: 'text', text: 'a' },
        ],
        finish: 'length',
      },
      [{ text: 'T', thought: true }, { text: 'a' }],
      'MAX_TOKENS',
    ],
    [
      { parts: [{ kind: 'thinking', text: 'T', signature: { origin: 'gemini', data: 'AAAA' } }] },
      [{ text: 'T', thought: true, thoughtSignature: 'AAAA' }],
      'STOP',
    ],
    [
      { parts: [{ kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: 'Rq==' } }] },
      [{ text: '', thought: true, thoughtSignature: seal('airmesh:anthropic:redacted:Rq==') }],
      'STOP',
    ],
    [
      { parts: [{ kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '{"x":1}', signature: { origin: 'gemini', data: 'AAAA' } }], finish: 'tool_calls' },
      [{ functionCall: { id: 'c', name: 'f', args: { x: 1 } }, thoughtSignature: 'AAAA' }],
      'STOP',
    ],
    [
      { parts: [{ kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '' }], finish: 'tool_calls' },
      [{ functionCall: { id: 'c', name: 'f', args: {} } }],
      'STOP',
    ],
    [
      {
        parts: [
          { kind: 'text', text: 'a' },
          { kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '{"x":' },
        ],
        finish: 'tool_calls',
      },
      [{ text: 'a' }],
      'MALFORMED_FUNCTION_CALL',
    ],
    [{ parts: [{ kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '{"x":' }], finish: 'length' }, [{ text: '' }], 'MAX_TOKENS'],
    [{ parts: [{ kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '[1]' }] }, [{ text: '' }], 'MALFORMED_FUNCTION_CALL'],
    [
      { parts: [{ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } }] },
      [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }],
      'STOP',
    ],
    [{ finish: 'stop_sequence', stopSequence: '§' }, [{ text: '' }], 'STOP'],
    [{ finish: 'content_filter' }, [{ text: '' }], 'SAFETY'],
    [{ finish: 'pause' }, [{ text: '' }], 'OTHER'],
    [{ finish: undefined }, [{ text: '' }], 'OTHER'],
  ])('writes %j', (choice, parts, finishReason) => {
    expect(write(chat(choice))).toEqual({ candidates: [{ content: { role: 'model', parts }, finishReason, index: 0 }], modelVersion: 'm', responseId: 'r1' });
  });

  it('counts thoughts beside the answer, and what is heard and seen apart', () => {
    const usage = { inputTokens: 30, outputTokens: 9, cachedInputTokens: 5, reasoningTokens: 4, inputAudioTokens: 7 };
    expect(write({ ...chat({}), id: 'a-1', usage } as NeutralAnswer)).toMatchObject({
      responseId: 'a-1',
      usageMetadata: {
        promptTokenCount: 30,
        cachedContentTokenCount: 5,
        candidatesTokenCount: 5,
        thoughtsTokenCount: 4,
        totalTokenCount: 39,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 23 },
          { modality: 'AUDIO', tokenCount: 7 },
        ],
      },
    });
  });

  it('writes vectors as they were asked for, and counts', () => {
    const answer: NeutralAnswer = { kind: 'embedding', model: 'e', vectors: [[0.5]], usage: { inputTokens: 3, outputTokens: 0 } };
    expect(write(answer, SINGLE)).toEqual({ embedding: { values: [0.5] }, usageMetadata: { promptTokenCount: 3, totalTokenCount: 3 } });
    expect(write({ ...answer, vectors: [[0.5], [1]], usage: undefined }, BATCH)).toEqual({ embeddings: [{ values: [0.5] }, { values: [1] }] });
    expect(write({ kind: 'count_tokens', inputTokens: 0 }, COUNT)).toEqual({ totalTokens: 0 });
  });

  it('writes what reads as the same', () => {
    const said = fc.string({ minLength: 1, unit: 'grapheme', maxLength: 8 });
    const data = fc.base64String({ minLength: 4, maxLength: 12 });
    const part: fc.Arbitrary<NeutralPart> = fc.oneof(
      said.map((text): NeutralPart => ({ kind: 'text', text })),
      fc
        .tuple(said, fc.constantFrom('gemini' as const, 'anthropic' as const, 'openai' as const), data)
        .map(([text, origin, sealed]): NeutralPart => ({ kind: 'thinking', text, signature: { origin, data: sealed } })),
      fc
        .tuple(fc.constantFrom('anthropic' as const, 'openai' as const), data)
        .map(([origin, sealed]): NeutralPart => ({ kind: 'thinking', text: '', redacted: { origin, data: sealed } })),
      fc.tuple(fc.uuid(), said, fc.dictionary(said, fc.integer(), { maxKeys: 2 }), data).map(([id, name, args, sealed]): NeutralPart => ({
        kind: 'tool_call',
        id,
        name,
        argumentsJson: JSON.stringify(args),
        signature: { origin: 'gemini', data: sealed },
      })),
    );
    const choice = fc.tuple(fc.array(part, { maxLength: 4 }), fc.constantFrom<NeutralFinish>('stop', 'length', 'content_filter'));
    fc.assert(
      fc.property(fc.array(choice, { minLength: 1, maxLength: 3 }), fc.nat(99), fc.nat(99), (choices, output, thought) => {
        const usage = { inputTokens: 300, outputTokens: output + thought, cachedInputTokens: output, reasoningTokens: thought };
        const answer: NeutralAnswer = {
          kind: 'chat',
          id: 'r-1',
          model: 'm',
          created: undefined,
          choices: choices.map(([parts, finish], index) => ({
            index,
            parts,
            finish: finish === 'stop' && parts.some(({ kind }) => kind === 'tool_call') ? 'tool_calls' : finish,
          })),
          usage,
        };
        expect(parseAnswer(CHAT, writeAnswer(answer, contextOf()))).toEqual({ ok: true, value: answer });
      }),
      { numRuns: 300 },
    );
  });
});
