import { describe, expect, it } from 'vitest';
import { cacheWritesOf } from './cache.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('cacheWritesOf', () => {
  it.each([
    ['{"messages":[{"content":"hi"}]}', 'none'],
    ['{"messages":[{"content":"h\\u4e2d"}]}', 'none'],
    ['{"cache_control":{"type":"ephemeral"}}', 'short'],
    ['{"cache_control":{"type":"ephemeral","ttl":"5m"}}', 'short'],
    ['{"cache_control":{"type":"ephemeral","ttl":"1h"}}', 'long'],
    ['{"cache\\u005fcontrol":{"type":"ephemeral"}}', 'long'],
  ])('of %s is %s', (body, writes) => {
    expect(cacheWritesOf(bytes(body))).toBe(writes);
  });
});
