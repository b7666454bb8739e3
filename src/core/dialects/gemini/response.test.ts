import { describe, expect, it } from 'vitest';
import type { AnswerShape, Endpoint, ResponseMeter } from '../types.ts';
import { match } from './endpoints.ts';
import { meter } from './response.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function endpoint(path: string): Endpoint {
  const found = match('POST', path);
  if (found.kind !== 'endpoint') throw new Error(path);
  return found.endpoint;
}

function run(path: string, body: string, shape: Partial<AnswerShape> = {}): ResponseMeter {
  const made = meter(endpoint(path), { kind: 'json', status: 200, hideStreamUsage: true, ...shape });
  const out = textOf(made.push(bytesOf(body), false)) + textOf(made.push(new Uint8Array(0), true));
  expect(out).toBe(body);
  return made;
}

const CHAT = '/v1beta/models/m:generateContent';
const STREAM = '/v1beta/models/m:streamGenerateContent?alt=sse';
const ARRAY = '/v1beta/models/m:streamGenerateContent';
const EMBED = '/v1beta/models/e:embedContent';
const COUNT = '/v1beta/models/m:countTokens';
const USAGE = { promptTokenCount: 10, candidatesTokenCount: 4, totalTokenCount: 14 };
const READ = { inputTokens: 10, outputTokens: 4 };
const said = (text: string, more: object = {}): object => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...more }],
  modelVersion: 'gemini-x',
});
const sse = (...chunks: readonly object[]): string => chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join('');
const array = (...chunks: readonly object[]): string => `[${chunks.map((chunk) => JSON.stringify(chunk, undefined, 2)).join(',\r\n')}]`;
const STOP = { finishReason: 'STOP' };

describe('usage', () => {
  it.each<[string, unknown, object]>([
    [CHAT, USAGE, READ],
    [CHAT, { ...USAGE, cachedContentTokenCount: 3, serviceTier: 'standard' }, { ...READ, cachedInputTokens: 3 }],
    [CHAT, { ...USAGE, thoughtsTokenCount: 20, totalTokenCount: 34 }, { inputTokens: 10, outputTokens: 24, reasoningTokens: 20 }],
    [CHAT, { ...USAGE, toolUsePromptTokenCount: 5, totalTokenCount: 19 }, { inputTokens: 15, outputTokens: 4 }],
    [CHAT, { promptTokenCount: 10, totalTokenCount: 10 }, { inputTokens: 10, outputTokens: 0 }],
    [CHAT, { promptTokenCount: 10, candidatesTokenCount: 4, totalTokenCount: 60 }, { inputTokens: 10, outputTokens: 50 }],
    [CHAT, { ...USAGE, totalTokenCount: null, thoughtsTokenCount: null }, READ],
    [
      CHAT,
      {
        ...USAGE,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 2 },
          { modality: 'AUDIO', tokenCount: 5 },
          { modality: 'IMAGE', tokenCount: 3 },
        ],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 4 }],
      },
      { ...READ, inputAudioTokens: 5, inputImageTokens: 3, outputImageTokens: 4 },
    ],
    [
      CHAT,
      {
        ...USAGE,
        toolUsePromptTokenCount: 2,
        totalTokenCount: 16,
        promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 5 }],
        toolUsePromptTokensDetails: [{ modality: 'AUDIO', tokenCount: 2 }],
      },
      { inputTokens: 12, outputTokens: 4, inputAudioTokens: 7 },
    ],
    [EMBED, { promptTokenCount: 10, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 10 }] }, { inputTokens: 10, outputTokens: 0 }],
  ])('of %s is read from %j', (path, usageMetadata, expected) => {
    expect(run(path, JSON.stringify({ usageMetadata })).reading()).toEqual({ kind: 'reported', usage: expected });
  });

  it.each<[unknown, string]>([
    ['12', 'not an object'],
    [[], 'not an object'],
    [{ totalTokenCount: 5 }, 'no prompt tokens'],
    [{ ...USAGE, promptTokenCount: '10' }, 'promptTokenCount is not'],
    [{ ...USAGE, candidatesTokenCount: -1 }, 'candidatesTokenCount is not'],
    [{ ...USAGE, thoughtsTokenCount: 1.5 }, 'thoughtsTokenCount is not'],
    [{ ...USAGE, cachedContentTokenCount: 11 }, 'cached input is more'],
    [{ ...USAGE, promptTokensDetails: [{ modality: 'AUDIO', tokenCount: -1 }] }, 'tokenCount is not'],
    [{ ...USAGE, promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 11 }] }, 'audio input is more'],
  ])('%j is called invalid', (usageMetadata, problem) => {
    const answer = { ...said('abcd', STOP), usageMetadata };
    const expected = { kind: 'invalid', problem: expect.stringContaining(problem), outputBytes: 4 };
    expect(run(CHAT, JSON.stringify(answer)).reading()).toEqual(expected);
    expect(run(STREAM, sse(answer), { kind: 'sse' }).reading()).toEqual(expected);
  });

  it.each([
    ['null', { ...said('abcd'), usageMetadata: null }, 4],
    ['empty', { ...said('abcd'), usageMetadata: {} }, 4],
    ['none', { embedding: { values: [0.1, 0.2], usageMetadata: USAGE } }, 0],
  ])('is missing where it is %s', (_, body, outputBytes) => {
    expect(run(CHAT, JSON.stringify(body)).reading()).toEqual({ kind: 'missing', outputBytes });
  });

  it('is nothing for what was counted only', () => {
    expect(run(COUNT, '{"totalTokens":31}').reading()).toEqual({ kind: 'reported', usage: { inputTokens: 0, outputTokens: 0 } });
  });
});

describe('a JSON answer', () => {
  it('tells the model, the tier, the searches, and how it ended', () => {
    const body = JSON.stringify({
      ...said('a', { ...STOP, groundingMetadata: { webSearchQueries: ['x', 'y'] } }),
      usageMetadata: { ...USAGE, serviceTier: 'priority' },
    });
    const whole = run(CHAT, body);
    expect([whole.servedModel(), whole.servedTier?.(), whole.end(), whole.reading()]).toEqual([
      'gemini-x',
      'priority',
      'complete',
      { kind: 'reported', usage: { ...READ, hostedToolCalls: 2 } },
    ]);
    expect(run(CHAT, body.slice(0, -1)).end()).toBe('truncated');
  });

  it('with an error status has generated nothing', () => {
    const refused = run(CHAT, '{"error":{"code":429,"message":"no","status":"RESOURCE_EXHAUSTED"}}', { status: 429 });
    expect([refused.reading(), refused.end()]).toEqual([{ kind: 'missing', outputBytes: 0 }, 'complete']);
    const listed = run(ARRAY, '[{"error":{"code":503,"message":"no"}}]', { status: 503 });
    expect([listed.reading(), listed.end()]).toEqual([{ kind: 'missing', outputBytes: 0 }, 'complete']);
  });

  it('that is no JSON says so', () => {
    expect(run(CHAT, '<html>').reading()).toEqual({ kind: 'invalid', problem: 'the answer is not JSON', outputBytes: 0 });
    expect(run(CHAT, '<html>', { kind: 'other' }).reading()).toEqual({ kind: 'missing', outputBytes: 6 });
  });
});

describe.each([
  ['of events', STREAM, 'sse', sse],
  ['as an array', ARRAY, 'json', array],
] as const)('a stream %s', (_, path, kind, write) => {
  const first = { ...said('Hel'), usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 1, totalTokenCount: 11 } };
  const last = { ...said('lo', STOP), usageMetadata: USAGE };

  it('counts by its last word', () => {
    const read = run(path, write(first, last), { kind });
    expect([read.reading(), read.end(), read.servedModel(), read.outputTokensSoFar()]).toEqual([{ kind: 'reported', usage: READ }, 'complete', 'gemini-x', 4]);
  });

  it('without a finish is cut, and what it used so far is known', () => {
    const read = run(path, write(first), { kind });
    expect([read.reading(), read.end()]).toEqual([{ kind: 'reported', usage: { inputTokens: 10, outputTokens: 1 } }, 'truncated']);
  });

  it('of a blocked prompt is whole', () => {
    expect(run(path, write({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 10 } }), { kind }).end()).toBe('complete');
  });

  it('that goes on in another request is whole', () => {
    expect(run(path, write({ ...said('a', { finishReason: 'CONTINUATION', continuationToken: 'x' }), usageMetadata: USAGE }), { kind }).end()).toBe('complete');
  });

  it('ends in an error that comes in its middle', () => {
    const read = run(path, write(first, { error: { code: 503, message: 'no', status: 'UNAVAILABLE' } }), { kind });
    expect([read.reading().kind, read.end()]).toEqual(['reported', 'error_event']);
  });

  it('guesses at tokens where none are told', () => {
    const read = run(path, write(said('x'.repeat(80), STOP)), { kind });
    expect([read.reading(), read.outputTokensSoFar()]).toEqual([{ kind: 'missing', outputBytes: 80 }, 10]);
  });
});

describe('a stream of events', () => {
  it('is whole only when all candidates are', () => {
    const other = { candidates: [{ index: 1, content: { parts: [{ text: 'b' }] } }] };
    expect(run(STREAM, sse(said('a'), other, said('', STOP)), { kind: 'sse' }).end()).toBe('truncated');
    expect(run(STREAM, sse(said('a'), other, said('', STOP), { candidates: [{ index: 1, ...STOP }] }), { kind: 'sse' }).end()).toBe('complete');
  });

  it('with a finish in an earlier event only is cut', () => {
    expect(run(STREAM, sse(said('a', STOP), said('b')), { kind: 'sse' }).end()).toBe('truncated');
  });
});
