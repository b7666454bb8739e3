import { describe, expect, it } from 'vitest';
import { backOf } from './backs.ts';
import type { BackName } from './backs.ts';
import { gemini } from './gemini/index.ts';
import type { Endpoint } from './types.ts';

const kept = (path: string): Endpoint => ({ operation: 'batches', path, body: 'none', state: { kind: 'batch', action: 'list' } });

describe('where a provider keeps things', () => {
  it.each<[BackName, string | undefined, string, string, string]>([
    ['openai', undefined, '/batches', '?limit=5', '/batches?limit=5'],
    ['anthropic', undefined, '/messages/batches', '?limit=5', '/messages/batches?limit=5'],
    ['azure', undefined, '/batches', '?limit=5', '/v1/batches?limit=5'],
    ['azure', undefined, '/batches', '?api-version=mine', '/v1/batches'],
    ['azure', '2025-01-01', '/files/file-1/content', '', '/files/file-1/content?api-version=2025-01-01'],
    ['azure', '2025-01-01', '/batches', '?after=b&api-version=mine&limit=5', '/batches?api-version=2025-01-01&after=b&limit=5'],
    ['gemini', undefined, '/batches', '?pageSize=5&key=AIza', '/batches?pageSize=5'],
  ])('at %s of version %s is %s%s at %s', (name, apiVersion, path, query, expected) => {
    expect(backOf(name).path({ endpoint: kept(path), model: '', query, apiVersion })).toBe(expected);
  });

  it('a batch of Gemini’s is made where its model is', () => {
    const found = gemini.match('POST', '/v1beta/models/alias:batchGenerateContent');
    if (found.kind !== 'endpoint') throw new Error('no endpoint');
    expect(backOf('gemini').path({ endpoint: found.endpoint, model: 'gemini-2.5-flash', query: '?alt=sse', apiVersion: undefined })).toBe(
      '/models/gemini-2.5-flash:batchGenerateContent',
    );
  });
});
