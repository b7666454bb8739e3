import { describe, expect, it } from 'vitest';
import { match } from './endpoints.ts';

describe('match', () => {
  it.each([
    ['/v1/chat/completions', 'chat', '/chat/completions', 'json'],
    ['/chat/completions', 'chat', '/chat/completions', 'json'],
    ['/v1/chat/completions?api-version=1', 'chat', '/chat/completions', 'json'],
    ['/v1/completions', 'text_completion', '/completions', 'json'],
    ['/v1/responses?beta=true', 'responses', '/responses', 'json'],
    ['/v1/embeddings', 'embeddings', '/embeddings', 'json'],
    ['/v1/images/generations', 'images', '/images/generations', 'json'],
    ['/v1/images/edits', 'images', '/images/edits', 'multipart'],
    ['/v1/images/variations', 'images', '/images/variations', 'multipart'],
    ['/v1/audio/transcriptions', 'audio', '/audio/transcriptions', 'multipart'],
    ['/v1/audio/translations', 'audio', '/audio/translations', 'multipart'],
    ['/v1/audio/speech', 'audio', '/audio/speech', 'json'],
    ['/v1/moderations', 'moderations', '/moderations', 'json'],
  ])('finds POST %s', (path, operation, below, body) => {
    expect(match('POST', path)).toEqual({ kind: 'endpoint', endpoint: { operation, path: below, body } });
    expect(match('PUT', path)).toEqual({ kind: 'method_not_allowed', allow: 'POST' });
  });

  it.each([
    ['/v1/models', '/models'],
    ['/models?limit=5', '/models'],
    ['/v1/models/gpt-4.1', '/models/gpt-4.1'],
    ['/v1/models/deepseek-ai/DeepSeek-V3', '/models/deepseek-ai/DeepSeek-V3'],
  ])('finds GET %s', (path, below) => {
    expect(match('GET', path)).toEqual({ kind: 'endpoint', endpoint: { operation: 'models', path: below, body: 'none' } });
    expect(match('DELETE', path)).toEqual({ kind: 'method_not_allowed', allow: 'GET' });
  });

  it.each([
    ['GET', '/v1/files?limit=5', 'files', '/files', { kind: 'file', action: 'list' }, 'none'],
    ['POST', '/files', 'files', '/files', { kind: 'file', action: 'create' }, 'multipart'],
    ['GET', '/v1/files/file-1', 'files', '/files/file-1', { kind: 'file', action: 'get', id: 'file-1' }, 'none'],
    ['DELETE', '/v1/files/file-1', 'files', '/files/file-1', { kind: 'file', action: 'delete', id: 'file-1' }, 'none'],
    ['GET', '/v1/files/file-1/content', 'files', '/files/file-1/content', { kind: 'file', action: 'content', id: 'file-1' }, 'none'],
    ['GET', '/v1/batches', 'batches', '/batches', { kind: 'batch', action: 'list' }, 'none'],
    ['POST', '/v1/batches', 'batches', '/batches', { kind: 'batch', action: 'create' }, 'json'],
    ['GET', '/v1/batches/batch_1', 'batches', '/batches/batch_1', { kind: 'batch', action: 'get', id: 'batch_1' }, 'none'],
    ['POST', '/v1/batches/batch_1/cancel', 'batches', '/batches/batch_1/cancel', { kind: 'batch', action: 'cancel', id: 'batch_1' }, 'none'],
    ['GET', '/v1/responses/resp_1?include[]=x', 'stored_responses', '/responses/resp_1', { kind: 'response', action: 'get', id: 'resp_1' }, 'none'],
    ['DELETE', '/v1/responses/resp_1', 'stored_responses', '/responses/resp_1', { kind: 'response', action: 'delete', id: 'resp_1' }, 'none'],
    [
      'GET',
      '/v1/responses/resp_1/input_items',
      'stored_responses',
      '/responses/resp_1/input_items',
      { kind: 'response', action: 'content', id: 'resp_1' },
      'none',
    ],
    ['POST', '/v1/responses/resp_1/cancel', 'stored_responses', '/responses/resp_1/cancel', { kind: 'response', action: 'cancel', id: 'resp_1' }, 'none'],
  ])('tells what %s %s does with what is kept', (method, path, operation, below, state, body) => {
    expect(match(method, path)).toEqual({ kind: 'endpoint', endpoint: { operation, path: below, body, state } });
  });

  it.each([
    ['PUT', '/v1/files', 'GET, POST'],
    ['POST', '/v1/files/file-1/content', 'GET'],
    ['PATCH', '/v1/batches/batch_1', 'GET'],
  ])('does not let %s %s pass', (method, path, allow) => {
    expect(match(method, path)).toEqual({ kind: 'method_not_allowed', allow });
  });

  it.each([
    ['GET', '/v1/files/..%2Fbatches', 'files'],
    ['GET', '/v1/files/a/b/content', 'files'],
    ['GET', `/v1/files/${'x'.repeat(300)}`, 'files'],
    ['GET', '/v1/batches/-', 'batches'],
    ['GET', '/v1/responses/.', 'stored responses'],
    ['POST', '/v1/uploads', 'uploads'],
    ['GET', '/v1/chat/completions', 'stored chat completions'],
    ['DELETE', '/v1/chat/completions/c_1', 'stored chat completions'],
    ['POST', '/v1/threads/runs', 'threads'],
    ['POST', '/v1/audio/voices', 'custom voices'],
    ['GET', '/v1/vector_stores', 'vector stores'],
    ['POST', '/v1/fine_tuning/jobs', 'fine-tuning jobs'],
    ['POST', '/v1/realtime/client_secrets', 'realtime sessions'],
    ['POST', '/v1/videos', 'videos'],
  ])('tells that %s %s keeps state', (method, path, what) => {
    expect(match(method, path)).toEqual({ kind: 'stateful', what });
  });

  it.each([
    '/',
    '',
    '/v1',
    '/v1/',
    '/v2/chat/completions',
    '/v1/v1/chat/completions',
    '/v1//chat/completions',
    '/v1/chat/completions/'.replace('chat', 'Chat'),
    '/v1/%63hat/completions',
    '/v1/responses/compact',
    '/v1/models/',
    '/v1/decisions',
    '/v1/engines/x/completions',
    `/v1/models/${'x'.repeat(600)}`,
  ])('does not know %s', (path) => {
    expect(match('POST', path)).toEqual({ kind: 'unknown' });
  });
});
