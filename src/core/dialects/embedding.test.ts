import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeJson, encodeUtf8 } from '../json/index.ts';
import type { EmbeddingLanguage, EmbeddingPart } from './embedding.ts';
import { gemini } from './gemini/index.ts';
import { openai } from './openai/index.ts';
import type { Dialect, Endpoint } from './types.ts';

const MODEL = 'embedder';

function endpointAt(dialect: Dialect, path: string): Endpoint {
  const match = dialect.match('POST', path);
  if (match.kind !== 'endpoint') throw new Error(`${path} is ${match.kind}`);
  return match.endpoint;
}

function languageOf({ embeddings }: Dialect): EmbeddingLanguage {
  if (embeddings === undefined) throw new Error('has none');
  return embeddings;
}

const [OPENAI, GEMINI] = [languageOf(openai), languageOf(gemini)];
const EMBEDDINGS = endpointAt(openai, '/v1/embeddings');
const ONE = endpointAt(gemini, `/v1beta/models/${MODEL}:embedContent`);
const MANY = endpointAt(gemini, `/v1beta/models/${MODEL}:batchEmbedContents`);

const bytes = (value: unknown): Uint8Array => (typeof value === 'string' ? encodeUtf8(value) : encodeJson(value));
const valueOf = (body: Uint8Array | undefined): unknown => (body === undefined ? undefined : JSON.parse(new TextDecoder().decode(body)));
const ask = (fields: object): EmbeddingPart | undefined => OPENAI.read(EMBEDDINGS, bytes({ model: MODEL, ...fields }), MODEL);
const part = (found: EmbeddingPart | undefined): EmbeddingPart => {
  if (found === undefined) throw new Error('goes by itself');
  return found;
};
const content = (...texts: string[]): object => ({ parts: texts.map((text) => ({ text })) });

describe('a call for embeddings at OpenAI', () => {
  it.each<[name: string, input: unknown, bounds: readonly number[] | undefined]>([
    ['a text', 'héllo', [6]],
    ['texts', ['a', 'bcd'], [1, 3]],
    ['token ids', [5, 100_256, 7], [3]],
    ['lists of token ids', [[1, 2], [3]], [2, 1]],
    ['an empty text', '', undefined],
    ['an empty one among others', ['a', ''], undefined],
    ['no texts', [], undefined],
    ['no token ids', [[1], []], undefined],
    ['half of a character', '\ud800', undefined],
    ['texts and token ids', ['a', [1]], undefined],
    ['a negative id', [-1], undefined],
    ['a fraction', [[1.5]], undefined],
    ['objects', [{ text: 'a' }], undefined],
  ])('of %s', (_name, input, bounds) => {
    expect(ask({ input })?.inputs.map(({ tokenBound }) => tokenBound)).toEqual(bounds);
  });

  it('is like others that differ in their inputs only, whatever the order of their fields', () => {
    const like = (body: string): string => part(OPENAI.read(EMBEDDINGS, bytes(body), MODEL)).like;
    const first = like('{"model":"embedder","input":"a","dimensions":8}');
    expect(like('{ "dimensions":8, "input":["b","c"], "model":"embedder" }')).toBe(first);
    for (const other of [
      '{"model":"other","input":"a","dimensions":8}',
      '{"model":"embedder","input":"a","dimensions":9}',
      '{"model":"embedder","input":"a"}',
      '{"model":"embedder","input":"a","dimensions":8,"encoding_format":"base64"}',
      '{"model":"embedder","input":"a","dimensions":8,"user":"u"}',
      '{"model":"embedder","input":[1],"dimensions":8}',
    ])
      expect(like(other)).not.toBe(first);
  });

  it('is joined to others byte for byte, and keeps what else is in it', () => {
    const bodies = ['{"model":"embedder", "input" : "\\u00e9", "user":"u"}', '{"model":"embedder","user":"u","input":["b", "c"]}'];
    const joined = OPENAI.join(bodies.map((body) => part(OPENAI.read(EMBEDDINGS, bytes(body), MODEL))));
    expect(new TextDecoder().decode(joined.body)).toBe('{"model":"embedder", "input" : ["\\u00e9","b","c"], "user":"u"}');
    const tokens = OPENAI.join([part(ask({ input: [1, 2] })), part(ask({ input: [[3]] }))]);
    expect(valueOf(tokens.body)).toEqual({ model: MODEL, input: [[1, 2], [3]] });
  });

  const parts = [part(ask({ input: ['aaaa', 'b'] })), part(ask({ input: 'cc' }))];
  const item = (index: number, embedding: unknown = [index]): object => ({ object: 'embedding', embedding, index });
  const answer = (fields: object): Uint8Array => bytes({ object: 'list', model: 'served', ...fields });

  it('gets its own vectors, numbered from 0, in whatever order they came', () => {
    const split = OPENAI.split(parts, answer({ data: [item(2), item(0), item(1)], usage: { prompt_tokens: 7, total_tokens: 7 } }));
    expect(split?.map(valueOf)).toEqual([
      { object: 'list', model: 'served', data: [item(0, [0]), item(1, [1])], usage: { prompt_tokens: 5, total_tokens: 5 } },
      { object: 'list', model: 'served', data: [item(0, [2])], usage: { prompt_tokens: 2, total_tokens: 2 } },
    ]);
  });

  it('gets them byte for byte', () => {
    const split = OPENAI.split(parts, bytes('{"data":[{"index":0,"embedding":[1.50, -2e-05]},{"embedding":"AAAA","index" : 1},{"embedding":[0],"index":2}]}'));
    expect(split?.map((body) => new TextDecoder().decode(body))).toEqual([
      '{"data":[{"index":0,"embedding":[1.50, -2e-05]},{"embedding":"AAAA","index" : 1}]}',
      '{"data":[{"embedding":[0],"index":0}]}',
    ]);
  });

  it.each<[name: string, usage: unknown, first: unknown, second: unknown]>([
    ['the least', { prompt_tokens: 3, total_tokens: 3 }, { prompt_tokens: 2, total_tokens: 2 }, { prompt_tokens: 1, total_tokens: 1 }],
    ['fewer than inputs', { prompt_tokens: 1, total_tokens: 1 }, { prompt_tokens: 1, total_tokens: 1 }, { prompt_tokens: 0, total_tokens: 0 }],
    ['more than bytes', { prompt_tokens: 14, total_tokens: 14 }, { prompt_tokens: 10, total_tokens: 10 }, { prompt_tokens: 4, total_tokens: 4 }],
    [
      'with details',
      { prompt_tokens: 7, total_tokens: 8, prompt_tokens_details: { cached_tokens: 7, kinds: [{ n: 7, of: 'text' }] } },
      { prompt_tokens: 5, total_tokens: 6, prompt_tokens_details: { cached_tokens: 5, kinds: [{ n: 5, of: 'text' }] } },
      { prompt_tokens: 2, total_tokens: 2, prompt_tokens_details: { cached_tokens: 2, kinds: [{ n: 2, of: 'text' }] } },
    ],
    ['of nothing known', { prompt_tokens: '7' }, null, null],
    ['that is negative', { prompt_tokens: -7 }, null, null],
    ['that is null', null, null, null],
  ])('shares a usage %s', (_name, usage, first, second) => {
    const split = OPENAI.split(parts, answer({ data: [item(0), item(1), item(2)], usage }));
    expect(split?.map((body) => (valueOf(body) as { usage: unknown }).usage)).toEqual([first, second]);
  });

  it.each<[name: string, body: unknown]>([
    ['no JSON', '<html>'],
    ['cut', '{"data":[{"embedding":[1],"index":0}'],
    ['an array', '[]'],
    ['without data', { object: 'list' }],
    ['one too few', { data: [item(0), item(1)] }],
    ['one too many', { data: [item(0), item(1), item(2), item(3)] }],
    ['one twice', { data: [item(0), item(1), item(1)] }],
    ['one out of range', { data: [item(0), item(1), item(3)] }],
    ['no vector', { data: [item(0), item(1), { index: 2 }] }],
    ['an index that is none', { data: [item(0), item(1), { index: '2', embedding: [1] }] }],
  ])('gets nothing from an answer that is %s', (_name, body) => {
    expect(OPENAI.split(parts, bytes(body))).toBeUndefined();
  });
});

describe('a call for embeddings at Gemini', () => {
  const single = (fields: object): EmbeddingPart | undefined => GEMINI.read(ONE, bytes(fields), 'served-name');
  const batch = (...requests: object[]): EmbeddingPart | undefined => GEMINI.read(MANY, bytes({ requests }), 'served-name');

  it.each<[name: string, found: EmbeddingPart | undefined, bounds: readonly number[] | undefined]>([
    ['one', single({ content: content('abc'), taskType: 'RETRIEVAL_QUERY' }), [3]],
    ['one of several parts and a title', single({ content: content('abc', 'd'), title: 'ti' }), [6]],
    ['in the other spelling', single({ content: { parts: { text: 'abc' } }, output_dimensionality: 8 }), [3]],
    ['a list', batch({ model: 'models/served-name', content: content('a') }, { content: content('bc') }), [1, 2]],
    ['an image', single({ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] } }), undefined],
    ['a text that is an image as well', single({ content: { parts: [{ text: 'a', inlineData: {} }] } }), undefined],
    ['nothing', single({ content: { parts: [] } }), undefined],
    ['an empty text', single({ content: content('a', '') }), undefined],
    ['a model of null', single({ model: null, content: content('a') }), undefined],
    ['an empty list', batch(), undefined],
    ['one that is bad', batch({ content: content('a') }, {}), undefined],
    ['a list and something else', GEMINI.read(MANY, bytes({ requests: [{ content: content('a') }], more: 1 }), MODEL), undefined],
  ])('of %s', (_name, found, bounds) => {
    expect(found?.inputs.map(({ tokenBound }) => tokenBound)).toEqual(bounds);
  });

  const parts = [part(single({ content: content('aaaa') })), part(batch({ content: content('b'), taskType: 'CLUSTERING' }, { content: content('c') }))];

  it('becomes a list, in which each request says the model and what it wants', () => {
    const { endpoint, body } = GEMINI.join(parts);
    expect(endpoint.path).toBe(`/models/${MODEL}:batchEmbedContents`);
    expect(valueOf(body)).toEqual({
      requests: [
        { model: 'models/served-name', content: content('aaaa') },
        { model: 'models/served-name', content: content('b'), taskType: 'CLUSTERING' },
        { model: 'models/served-name', content: content('c') },
      ],
    });
  });

  it('gets its own, in the form that it asked for', () => {
    const answer = { embeddings: [{ values: [1] }, { values: [2] }, { values: [3] }], usageMetadata: { promptTokenCount: 6, totalTokenCount: 6 } };
    expect(GEMINI.split(parts, bytes(answer))?.map(valueOf)).toEqual([
      { embedding: { values: [1] }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } },
      { embeddings: [{ values: [2] }, { values: [3] }], usageMetadata: { promptTokenCount: 2, totalTokenCount: 2 } },
    ]);
    const { usageMetadata: _none, ...without } = answer;
    expect(GEMINI.split(parts, bytes(without))?.map(valueOf)[0]).toEqual({ embedding: { values: [1] } });
    expect(GEMINI.split(parts, bytes({ embeddings: [{ values: [1] }] }))).toBeUndefined();
    expect(GEMINI.split(parts, bytes({ embedding: { values: [1] } }))).toBeUndefined();
  });
});

describe('whatever is joined', () => {
  const inputs = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 });
  const calls = fc.array(inputs, { minLength: 1, maxLength: 12 });

  it.each<[string, EmbeddingLanguage, (texts: readonly string[]) => EmbeddingPart, (vectors: readonly unknown[], tokens: number) => object]>([
    [
      'at OpenAI',
      OPENAI,
      (texts) => part(ask({ input: texts })),
      (vectors, tokens) => ({ data: vectors.map((embedding, index) => ({ embedding, index })), usage: { prompt_tokens: tokens, total_tokens: tokens } }),
    ],
    [
      'at Gemini',
      GEMINI,
      (texts) => part(GEMINI.read(MANY, bytes({ requests: texts.map((text) => ({ content: content(text) })) }), MODEL)),
      (vectors, tokens) => ({ embeddings: vectors, usageMetadata: { promptTokenCount: tokens } }),
    ],
  ])('%s is shared out whole: to each its own, no tokens lost or made, and to none more than its bytes', (_name, language, readOne, answerOf) => {
    fc.assert(
      fc.property(calls, fc.double({ min: 0, max: 1, noNaN: true }), (asked, ratio) => {
        const parts = asked.map(readOne);
        const bounds = parts.map((one) => one.inputs.reduce((sum, { tokenBound }) => sum + tokenBound, 0));
        const most = bounds.reduce((sum, bound) => sum + bound, 0);
        const least = asked.flat().length;
        const tokens = least + Math.round(ratio * (most - least));
        const sent = JSON.stringify(valueOf(language.join(parts).body));
        for (const text of asked.flat()) expect(sent).toContain(JSON.stringify(text));
        const split = language.split(
          parts,
          bytes(
            answerOf(
              asked.flat().map((text) => [text]),
              tokens,
            ),
          ),
        );
        const counts = split?.map((body, index) => {
          const value = valueOf(body) as { data?: { embedding: unknown; index: number }[]; embeddings?: unknown[]; usage?: object; usageMetadata?: object };
          const vectors = value.data?.map(({ embedding }) => embedding) ?? value.embeddings;
          expect(vectors).toEqual(asked[index]?.map((text) => [text]));
          if (value.data !== undefined) expect(value.data.map((one) => one.index)).toEqual(asked[index]?.map((_, place) => place));
          const [count = 0] = Object.values(value.usage ?? value.usageMetadata ?? {}) as number[];
          expect(count).toBeGreaterThanOrEqual(asked[index]?.length ?? 0);
          expect(count).toBeLessThanOrEqual(bounds[index] ?? 0);
          return count;
        });
        expect(counts?.reduce((sum, count) => sum + count, 0)).toBe(tokens);
      }),
    );
  });
});
