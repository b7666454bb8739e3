import { describe, expect, it } from 'vitest';
import { match } from './endpoints.ts';

describe('match', () => {
  it.each([
    ['/v1/messages', 'chat', '/messages'],
    ['/messages', 'chat', '/messages'],
    ['/v1/messages?beta=true', 'chat', '/messages'],
    ['/v1/messages/count_tokens', 'count_tokens', '/messages/count_tokens'],
    ['/messages/count_tokens?beta=true', 'count_tokens', '/messages/count_tokens'],
  ])('finds POST %s', (path, operation, below) => {
    expect(match('POST', path)).toEqual({ kind: 'endpoint', endpoint: { operation, path: below, body: 'json' } });
    expect(match('GET', path)).toEqual({ kind: 'method_not_allowed', allow: 'POST' });
  });

  it.each([
    ['/v1/models', '/models'],
    ['/models?limit=5', '/models'],
    ['/v1/models/claude-sonnet-4-5', '/models/claude-sonnet-4-5'],
  ])('finds GET %s', (path, below) => {
    expect(match('GET', path)).toEqual({ kind: 'endpoint', endpoint: { operation: 'models', path: below, body: 'none' } });
    expect(match('DELETE', path)).toEqual({ kind: 'method_not_allowed', allow: 'GET' });
  });

  it.each([
    ['POST', '/v1/messages/batches', 'message batches'],
    ['GET', '/v1/messages/batches/b_1/results', 'message batches'],
    ['POST', '/v1/files?beta=true', 'files'],
    ['GET', '/files/f_1/content', 'files'],
    ['POST', '/v1/skills', 'skills'],
    ['POST', '/v1/agents', 'agents'],
    ['POST', '/v1/sessions/s_1/events', 'sessions'],
    ['GET', '/v1/organizations/users', "the organization's administration"],
    ['GET', '/v1/memory_stores', 'memory stores'],
  ])('tells that %s %s keeps state', (method, path, what) => {
    expect(match(method, path)).toEqual({ kind: 'stateful', what });
  });

  it.each(['/', '', '/v1', '/v1/', '/v2/messages', '/v1/v1/messages', '/v1//messages', '/v1/Messages', '/v1/%6dessages', '/v1/messages/', '/v1/messages/x', '/v1/complete', '/v1/models/', '/v1/chat/completions', `/v1/models/${'x'.repeat(600)}`])(
    'does not know %s',
    (path) => {
      expect(match('POST', path)).toEqual({ kind: 'unknown' });
    },
  );
});
