import { describe, expect, it } from 'vitest';
import { isAskedByHeaders } from './settings.ts';

describe('isAskedByHeaders', () => {
  it.each([
    ['GET', '/v1/files', true],
    ['DELETE', '/v1/files/file-1', true],
    ['POST', '/v1/batches/batch_1/cancel', true],
    ['POST', '/v1beta/batches/abc:cancel?key=x', true],
    ['POST', '/v1/messages/batches/b/cancel?beta=true', true],
    ['POST', '/v1/chat/completions', false],
    ['POST', '/v1/chat/completions?x=/cancel', false],
    ['POST', '/v1/cancellations', false],
    ['POST', '/cancel', false],
    ['POST', '', false],
    ['PATCH', '/v1beta/cachedContents/abc', false],
    ['get', '/v1/files', false],
  ])('of %s %s is %s', (method, path, expected) => {
    expect(isAskedByHeaders(method, path)).toBe(expected);
  });
});
