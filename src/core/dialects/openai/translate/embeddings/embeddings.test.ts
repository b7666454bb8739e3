import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from '../base64.ts';
import { openaiTranslation } from '../index.ts';
import { readVector, writeVector } from './vectors.ts';

const EMBEDDINGS = { operation: 'embeddings', path: '/embeddings', body: 'json' } as const;
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const parse = (body: object): ReturnType<typeof openaiTranslation.parseRequest> => openaiTranslation.parseRequest(EMBEDDINGS, bytesOf({ model: 'e', ...body }));

describe('a request', () => {
  it('is read', () => {
    expect(parse({ input: ['a', 'b'], dimensions: 256, encoding_format: 'base64', user: 'u' })).toEqual({
      ok: true,
      value: {
        losses: [],
        request: {
          kind: 'embedding',
          model: 'e',
          inputs: ['a', 'b'],
          dimensions: 256,
          encoding: 'base64',
          task: undefined,
          title: undefined,
          user: 'u',
          single: false,
        },
      },
    });
    expect(parse({ input: 'a' })).toMatchObject({ ok: true, value: { request: { inputs: ['a'], encoding: 'float' } } });
  });

  it.each([{ input: [1, 2] }, { input: [[1], [2]] }])('in tokens is refused: %j', (body) => {
    expect(parse(body)).toMatchObject({ ok: true, value: { losses: [{ treatment: 'refused', param: 'input' }] } });
  });

  it.each([{}, { input: [] }, { input: ['a', 1] }, { input: {} }])('wants texts: %j', (body) => {
    expect(parse(body)).toMatchObject({ ok: false, error: { code: 'invalid_value', param: 'input' } });
  });

  it('is written, without what OpenAI does not know', () => {
    const written = openaiTranslation.writeRequest({
      kind: 'embedding',
      model: 'e',
      inputs: ['a'],
      dimensions: undefined,
      encoding: 'base64',
      task: 'RETRIEVAL_QUERY',
      title: 't',
      user: undefined,
      single: true,
    });
    expect(written?.endpoint).toEqual(EMBEDDINGS);
    expect(JSON.parse(new TextDecoder().decode(written?.body))).toEqual({ model: 'e', input: ['a'], encoding_format: 'float' });
    expect(written?.losses.map(({ treatment, param }) => `${treatment} ${param}`)).toEqual(['dropped task_type', 'dropped title']);
  });
});

describe('an answer', () => {
  it('is read in the order of its indexes, in either encoding', () => {
    const data = [
      { index: 1, embedding: [0.5] },
      { index: 0, embedding: writeVector([1, -2]) },
    ];
    expect(openaiTranslation.parseAnswer(EMBEDDINGS, bytesOf({ object: 'list', data, model: 'e', usage: { prompt_tokens: 3, total_tokens: 3 } }))).toEqual({
      ok: true,
      value: { kind: 'embedding', model: 'e', vectors: [[1, -2], [0.5]], usage: { inputTokens: 3, outputTokens: 0 } },
    });
  });

  it.each([{}, { data: [{ index: 0 }] }, { data: [{ embedding: 'AAA' }] }, { data: [{ embedding: '%%%%' }] }, { data: [{ embedding: ['x'] }] }])(
    'that is none is refused: %j',
    (body) => {
      expect(openaiTranslation.parseAnswer(EMBEDDINGS, bytesOf(body))).toMatchObject({ ok: false });
    },
  );
});

describe('base64', () => {
  it('is as Node writes and reads it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(encodeBase64(bytes)).toBe(text);
        expect(decodeBase64(text)).toEqual(bytes);
        expect(decodeBase64(text.replaceAll('=', ''))).toEqual(bytes);
      }),
    );
  });

  it('of vectors keeps what 32 bits keep', () => {
    fc.assert(
      fc.property(fc.array(fc.float()), (vector) => {
        expect(readVector(writeVector(vector))).toEqual(vector);
      }),
    );
  });
});
