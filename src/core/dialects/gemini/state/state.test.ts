import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchAnswer, FoundObject } from '../../state.ts';
import type { Endpoint } from '../../types.ts';
import { match } from '../endpoints.ts';
import { stateQuery } from './paths.ts';
import { state } from './index.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const text = (array: Uint8Array | undefined): string => new TextDecoder().decode(array);
const JSON_BODY = { contentType: 'application/json', contentEncoding: undefined };

function endpoint(method: string, path: string): Endpoint {
  const found = match(method, path);
  if (found.kind !== 'endpoint') throw new Error(`${path} is no endpoint`);
  return found.endpoint;
}

const BATCH = endpoint('POST', '/v1beta/models/m:batchGenerateContent');
const CACHE = endpoint('POST', '/v1beta/cachedContents');
const request = { contents: [{ parts: [{ text: 'hi' }] }] };
const batch = (fields: object = {}, item: object = {}): object => ({
  batch: { displayName: 'b', inputConfig: { requests: { requests: [{ request, metadata: { key: 'a' }, ...item }] } }, ...fields },
});

describe('a creation', () => {
  it.each([[batch()], [JSON.parse(JSON.stringify(batch()).replace('inputConfig', 'input_config')) as object]])(
    'of a batch from %j has its requests found',
    (value) => {
      const body = bytes(value);
      const read = state.readCreation(BATCH, body, JSON_BODY);
      if (!read.ok || read.value.kind !== 'requests') throw new Error('not read');
      expect(read.value).toMatchObject({ startsNow: true });
      expect(read.value.requests.map(({ start, end, endpoint: each }) => [JSON.parse(text(body.subarray(start, end))), each.model])).toEqual([[request, 'm']]);
    },
  );

  it.each([
    [{}],
    [{ batch: {} }],
    [batch({ inputConfig: { fileName: 'files/x' } })],
    [batch({ inputConfig: { requests: { requests: [] } } })],
    [batch({ inputConfig: { requests: { requests: [{ request }] }, novelty: {} } })],
    [batch({ model: 'models/dearer' })],
    [batch({ novelty: 1 })],
    [batch({}, { request: 'x' })],
    [{ ...batch(), other: 1 }],
  ])('of a batch from %j is refused', (value) => {
    expect(state.readCreation(BATCH, bytes(value), JSON_BODY)).toMatchObject({ ok: false });
  });

  it('of a cached content is for its model', () => {
    const body = bytes({ model: 'models/m', ...request, ttl: '60s' });
    expect(state.readCreation(CACHE, body, JSON_BODY)).toMatchObject({
      ok: true,
      value: { kind: 'input', request: { endpoint: { model: 'm' }, start: 0, end: body.length } },
    });
    expect(state.readCreation(CACHE, bytes(request), JSON_BODY)).toMatchObject({ ok: false, error: { param: 'model' } });
  });
});

it('finds in an answer what was made, whatever the chunks', () => {
  const found = (endpoint_: Endpoint, chunks: readonly Uint8Array[]): FoundObject[] => {
    const objects: FoundObject[] = [];
    const watcher = state.watch(endpoint_, 'json', (object) => void objects.push(object));
    chunks.forEach((chunk, index) => watcher.push(chunk, index === chunks.length - 1));
    return objects;
  };
  const cached = bytes({ name: 'cachedContents/abc', model: 'models/m', expireTime: '1970-01-01T01:00:00Z', usageMetadata: { totalTokenCount: 4096 } });
  fc.assert(
    fc.property(fc.nat(cached.length), (at) => {
      expect(found(CACHE, [cached.subarray(0, at), cached.subarray(at)]).at(-1)).toEqual({ kind: 'cached_content', id: 'abc', expiresAtS: 3600, tokens: 4096 });
    }),
  );
  expect(found(BATCH, [bytes({ metadata: { name: 'batches/other' }, name: 'batches/abc' })])).toEqual([{ kind: 'batch', id: 'abc' }]);
  expect(found(BATCH, [bytes({ name: 'batches/../abc' })])).toEqual([]);
});

describe('a list', () => {
  const LIST = endpoint('GET', '/v1beta/cachedContents');
  const owns = (_kind: string, id: string): boolean => id === 'mine';

  it('shows one’s own', () => {
    const page = bytes({ cachedContents: [{ name: 'cachedContents/other' }, { name: 'cachedContents/mine' }], nextPageToken: 't' });
    expect(JSON.parse(text(state.filterList(LIST, page, owns, Infinity)?.body))).toEqual({
      cachedContents: [{ name: 'cachedContents/mine' }],
      nextPageToken: 't',
    });
    expect(text(state.filterList(LIST, bytes('{}'), owns, Infinity)?.body)).toBe('{}');
    expect(state.filterList(LIST, bytes({ other: [] }), owns, Infinity)).toBeUndefined();
  });

  it('is asked for by page and nothing else', () => {
    expect(stateQuery('?pageSize=5&key=AIza&pageToken=a%2Fb&fields=name')).toBe('?pageSize=5&pageToken=a%2Fb');
    expect(stateQuery('?%70ageSize=5')).toBe('');
  });
});

describe('a batch', () => {
  const usage = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };
  const answer = { response: { usageMetadata: usage, modelVersion: 'm-001' } };
  const answers = { inlinedResponses: { inlinedResponses: [answer, { error: { code: 3 } }, answer] } };
  const read = (value: unknown): BatchAnswer[] => {
    const found: BatchAnswer[] = [];
    state.readResults('', (each) => void found.push(each)).push(bytes(value), true);
    return found;
  };
  const counted = { model: 'm-001', usage: { inputTokens: 10, outputTokens: 5 } };

  it.each([
    [{ name: 'batches/a', metadata: { state: 'BATCH_STATE_PENDING' } }, { kind: 'open' }],
    [{ name: 'batches/a', metadata: { state: 'BATCH_STATE_RUNNING' }, done: false }, { kind: 'open' }],
    [
      { name: 'batches/a', metadata: { state: 'BATCH_STATE_SUCCEEDED' } },
      { kind: 'ended', results: 'inline', outputs: [] },
    ],
    [
      { name: 'batches/a', metadata: { state: 'BATCH_STATE_CANCELLED' } },
      { kind: 'ended', results: 'inline', outputs: [] },
    ],
    [
      { name: 'batches/a', done: true },
      { kind: 'ended', results: 'inline', outputs: [] },
    ],
    [{ name: 'other/a', done: true }, undefined],
    [{}, undefined],
    ['{"name":"batches/a","done":tr', undefined],
  ])('says %j', (value, expected) => {
    expect(state.readBatch(bytes(value))).toEqual(expected);
  });

  it('tells once what its answers used, wherever they stand', () => {
    expect(read({ metadata: { output: answers } })).toEqual([counted, counted]);
    expect(read({ response: answers })).toEqual([counted, counted]);
    expect(read({ metadata: { output: answers }, response: answers })).toEqual([counted, counted]);
    expect(read({ metadata: { batchStats: { successfulRequestCount: '0' } } })).toEqual([]);
  });

  it('tells that more was served than it accounts for', () => {
    expect(read({ metadata: { batchStats: { successfulRequestCount: '3' }, output: answers } })).toEqual([
      counted,
      counted,
      { model: 'm-001', usage: undefined },
    ]);
    expect(read({ response: { inlinedResponses: { inlinedResponses: [{ response: { usageMetadata: { promptTokenCount: -1 } } }] } } })).toEqual([
      { model: undefined, usage: undefined },
    ]);
  });
});
