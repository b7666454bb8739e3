import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { match, pathAt } from './endpoints.ts';
import { cleanQuery } from './query.ts';

const endpointAt = (path: string, method = 'POST'): object | string => {
  const found = match(method, path);
  return found.kind === 'endpoint' ? found.endpoint : found.kind;
};

describe('match', () => {
  it.each([
    ['GET', '/v1beta/cachedContents?pageSize=5', 'cached_contents', '/cachedContents', { kind: 'cached_content', action: 'list' }, 'none'],
    ['POST', '/v1beta/cachedContents', 'cached_contents', '/cachedContents', { kind: 'cached_content', action: 'create' }, 'json'],
    ['GET', '/v1beta/cachedContents/abc', 'cached_contents', '/cachedContents/abc', { kind: 'cached_content', action: 'get', id: 'abc' }, 'none'],
    [
      'PATCH',
      '/v1beta/cachedContents/abc?updateMask=ttl',
      'cached_contents',
      '/cachedContents/abc',
      { kind: 'cached_content', action: 'update', id: 'abc' },
      'json',
    ],
    ['DELETE', '/v1beta/cachedContents/abc', 'cached_contents', '/cachedContents/abc', { kind: 'cached_content', action: 'delete', id: 'abc' }, 'none'],
    ['GET', '/v1beta/batches', 'batches', '/batches', { kind: 'batch', action: 'list' }, 'none'],
    ['GET', '/v1beta/batches/abc', 'batches', '/batches/abc', { kind: 'batch', action: 'get', id: 'abc' }, 'none'],
    ['POST', '/v1beta/batches/abc:cancel', 'batches', '/batches/abc:cancel', { kind: 'batch', action: 'cancel', id: 'abc' }, 'none'],
    ['DELETE', '/v1beta/batches/abc', 'batches', '/batches/abc', { kind: 'batch', action: 'delete', id: 'abc' }, 'none'],
  ])('tells what %s %s does with what is kept', (method, path, operation, below, state, body) => {
    expect(match(method, path)).toEqual({ kind: 'endpoint', endpoint: { operation, path: below, body, state } });
  });

  it('finds a batch where its model is', () => {
    const found = match('POST', '/v1beta/models/google%2Fm:batchGenerateContent?alt=json&key=x');
    expect(found).toEqual({
      kind: 'endpoint',
      endpoint: {
        operation: 'batches',
        path: '/models/google%2Fm:batchGenerateContent',
        body: 'json',
        model: 'google/m',
        state: { kind: 'batch', action: 'create' },
      },
    });
    expect(found.kind === 'endpoint' ? pathAt(found.endpoint, 'gemini-2.5-flash') : '').toBe('/models/gemini-2.5-flash:batchGenerateContent');
    expect(match('GET', '/v1beta/models/m:batchGenerateContent')).toEqual({ kind: 'method_not_allowed', allow: 'POST' });
  });

  it.each([
    [
      '/v1beta/models/gemini-2.5-flash:generateContent',
      { operation: 'chat', path: '/models/gemini-2.5-flash:generateContent', body: 'json', model: 'gemini-2.5-flash', stream: false },
    ],
    ['/v1/models/m:generateContent', { path: '/models/m:generateContent', model: 'm' }],
    ['/v1alpha/models/m:generateContent', { path: '/models/m:generateContent', model: 'm' }],
    ['/models/m:generateContent', { path: '/models/m:generateContent', model: 'm' }],
    ['/v1beta/models/m:streamGenerateContent', { operation: 'chat', stream: true, streamForm: 'json_array' }],
    ['/v1beta/models/m:streamGenerateContent?alt=sse', { path: '/models/m:streamGenerateContent', stream: true, streamForm: 'sse' }],
    ['/v1beta/models/m:streamGenerateContent?key=k&%24alt=sse', { streamForm: 'sse' }],
    ['/v1beta/models/m:streamGenerateContent?alt=sse&alt=json', { streamForm: 'json_array' }],
    ['/v1beta/models/m:streamGenerateContent?altx=sse', { streamForm: 'json_array' }],
    ['/v1beta/models/gemini-embedding-001:embedContent', { operation: 'embeddings', model: 'gemini-embedding-001' }],
    ['/v1beta/models/e:batchEmbedContents', { operation: 'embeddings', path: '/models/e:batchEmbedContents' }],
    ['/v1beta/models/m:countTokens', { operation: 'count_tokens' }],
    ['/v1beta/models/org/model:generateContent', { path: '/models/org%2Fmodel:generateContent', model: 'org/model' }],
    ['/v1beta/models/org%2Fmodel:generateContent', { path: '/models/org%2Fmodel:generateContent', model: 'org/model' }],
    ['/v1beta/models/..%2F..%2Ffiles:generateContent', { path: '/models/..%2F..%2Ffiles:generateContent', model: '../../files' }],
    ['/v1beta/models/ft:a:generateContent', { path: '/models/ft%3Aa:generateContent', model: 'ft:a' }],
  ])('takes %s', (path, expected) => {
    expect(endpointAt(path)).toMatchObject(expected);
  });

  it.each([
    ['GET', '/v1beta/models', { operation: 'models', path: '/models', body: 'none' }],
    ['GET', '/v1beta/models?pageSize=50', { path: '/models' }],
    ['GET', '/v1beta/models/gemini-2.5-pro', { operation: 'models', path: '/models/gemini-2.5-pro', model: 'gemini-2.5-pro' }],
    ['GET', '/v1beta/models/ft:a:b', { path: '/models/ft%3Aa%3Ab', model: 'ft:a:b' }],
    ['POST', '/v1beta/models', 'method_not_allowed'],
    ['DELETE', '/v1beta/models/m', 'method_not_allowed'],
    ['GET', '/v1beta/models/m:generateContent', 'method_not_allowed'],
    ['POST', '/v1beta/models/m:predict', 'unknown'],
    ['POST', '/v1beta/models/m:__proto__', 'unknown'],
    ['POST', '/v1beta/models/:generateContent', 'unknown'],
    ['POST', '/v1beta/models/%ff:generateContent', 'unknown'],
    ['POST', `/v1beta/models/${'m'.repeat(513)}:generateContent`, 'unknown'],
    ['POST', '/v2/models/m:generateContent', 'unknown'],
    ['POST', '//models/m:generateContent', 'unknown'],
    ['GET', '/v1beta', 'unknown'],
    ['GET', '', 'unknown'],
  ])('answers %s %s', (method, path, expected) => {
    const found = endpointAt(path, method);
    if (typeof expected === 'string') expect(found).toBe(expected);
    else expect(found).toMatchObject(expected);
  });

  it.each([
    ['/v1beta/files', 'files'],
    ['/v1beta/files/abc', 'files'],
    ['/v1beta/files:register', 'files'],
    ['/upload/v1beta/files', 'files'],
    ['/v1beta/cachedContents/a/b', 'cached contents'],
    ['/v1beta/cachedContents/..%2Fx', 'cached contents'],
    ['/v1beta/batches/x:delete', 'batches'],
    ['/upload/v1beta/files', 'files'],
    ['/v1beta/corpora/c/permissions', 'corpora'],
    ['/v1beta/tunedModels/t:generateContent', 'tuned models'],
    ['/v1beta/operations/o', 'operations'],
    ['/v1beta/interactions', 'interactions'],
    ['/v1beta/fileSearchStores/s/documents', 'file search stores'],
    ['/v1beta/models/m:asyncBatchEmbedContent', 'batches'],
    ['/v1beta/models/veo:predictLongRunning', 'operations'],
    ['/v1alpha/auth_tokens', 'ephemeral tokens'],
  ])('calls %s stateful', (path, what) => {
    for (const method of ['GET', 'POST', 'DELETE']) expect(match(method, path)).toEqual({ kind: 'stateful', what });
  });
});

describe('pathAt', () => {
  const chat = match('POST', '/v1beta/models/m:streamGenerateContent?alt=sse');
  const array = match('POST', '/v1beta/models/m:streamGenerateContent');
  const list = match('GET', '/v1beta/models');
  if (chat.kind !== 'endpoint' || array.kind !== 'endpoint' || list.kind !== 'endpoint') throw new Error('no endpoint');

  it.each([
    [chat.endpoint, 'gemini-2.5-pro', '/models/gemini-2.5-pro:streamGenerateContent?alt=sse'],
    [array.endpoint, 'gemini-2.5-pro', '/models/gemini-2.5-pro:streamGenerateContent'],
    [array.endpoint, 'models/gemini-2.5-pro', '/models/gemini-2.5-pro:streamGenerateContent'],
    [array.endpoint, 'a/../b?c#d:e f', '/models/a%2F..%2Fb%3Fc%23d%3Ae%20f:streamGenerateContent'],
    [array.endpoint, '\ud800', '/models/%EF%BF%BD:streamGenerateContent'],
    [list.endpoint, 'm', '/models'],
  ])('of %j for %s is %s', (endpoint, model, expected) => {
    expect(pathAt(endpoint, model)).toBe(expected);
  });

  it('leads back to its model, in one segment', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }), (text) => {
        const model = text.toWellFormed();
        const path = pathAt(chat.endpoint, model);
        expect(path.split('/').length).toBe(3);
        fc.pre(!model.startsWith('models/') && path.length < 500);
        expect(endpointAt(path)).toMatchObject({ model, streamForm: 'sse', path: path.replace('?alt=sse', '') });
      }),
    );
  });
});

describe('cleanQuery', () => {
  it.each([
    ['', ''],
    ['?', ''],
    ['?key=AIza', ''],
    ['?alt=sse', '?alt=sse'],
    ['alt=sse', '?alt=sse'],
    ['?alt=sse&key=AIza', '?alt=sse'],
    ['?%6Bey=AIza&alt=sse', '?alt=sse'],
    ['?$alt=sse', '?alt=sse'],
    ['?alt=json', ''],
    ['?alt=proto&fields=candidates', ''],
    ['?access_token=t&%zz=1', ''],
  ])('makes %j %j', (query, expected) => {
    expect(cleanQuery(query)).toBe(expected);
  });

  it('lets nothing through but the form of the answer', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (name, value) => ['', '?alt=sse'].includes(cleanQuery(`?${name}=${value}&key=AIza`))));
  });
});
