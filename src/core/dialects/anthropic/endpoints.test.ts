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
    ['GET', '/v1/messages/batches?limit=5', 'batches', '/messages/batches', { kind: 'batch', action: 'list' }, 'none'],
    ['POST', '/v1/messages/batches', 'batches', '/messages/batches', { kind: 'batch', action: 'create' }, 'json'],
    ['GET', '/v1/messages/batches/msgbatch_1', 'batches', '/messages/batches/msgbatch_1', { kind: 'batch', action: 'get', id: 'msgbatch_1' }, 'none'],
    ['DELETE', '/v1/messages/batches/msgbatch_1', 'batches', '/messages/batches/msgbatch_1', { kind: 'batch', action: 'delete', id: 'msgbatch_1' }, 'none'],
    [
      'GET',
      '/v1/messages/batches/msgbatch_1/results',
      'batches',
      '/messages/batches/msgbatch_1/results',
      { kind: 'batch', action: 'content', id: 'msgbatch_1' },
      'none',
    ],
    [
      'POST',
      '/v1/messages/batches/msgbatch_1/cancel',
      'batches',
      '/messages/batches/msgbatch_1/cancel',
      { kind: 'batch', action: 'cancel', id: 'msgbatch_1' },
      'none',
    ],
    ['POST', '/v1/files?beta=true', 'files', '/files', { kind: 'file', action: 'create' }, 'multipart'],
    ['GET', '/v1/files', 'files', '/files', { kind: 'file', action: 'list' }, 'none'],
    ['GET', '/v1/files/file_1/content', 'files', '/files/file_1/content', { kind: 'file', action: 'content', id: 'file_1' }, 'none'],
    ['DELETE', '/v1/files/file_1', 'files', '/files/file_1', { kind: 'file', action: 'delete', id: 'file_1' }, 'none'],
  ])('tells what %s %s does with what is kept', (method, path, operation, below, state, body) => {
    expect(match(method, path)).toEqual({ kind: 'endpoint', endpoint: { operation, path: below, body, state } });
  });

  it.each([
    ['POST', '/v1/skills', 'skills'],
    ['POST', '/v1/agents', 'agents'],
    ['POST', '/v1/sessions/s_1/events', 'sessions'],
    ['GET', '/v1/organizations/users', "the organization's administration"],
    ['GET', '/v1/memory_stores', 'memory stores'],
  ])('tells that %s %s keeps state', (method, path, what) => {
    expect(match(method, path)).toEqual({ kind: 'stateful', what });
  });

  it.each([
    '/',
    '',
    '/v1',
    '/v1/',
    '/v2/messages',
    '/v1/v1/messages',
    '/v1//messages',
    '/v1/Messages',
    '/v1/%6dessages',
    '/v1/messages/',
    '/v1/messages/x',
    '/v1/complete',
    '/v1/models/',
    '/v1/chat/completions',
    `/v1/models/${'x'.repeat(600)}`,
  ])('does not know %s', (path) => {
    expect(match('POST', path)).toEqual({ kind: 'unknown' });
  });
});
