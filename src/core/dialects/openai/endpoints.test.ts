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
    ['GET', '/v1/files', 'files'],
    ['POST', '/files/f-1/content', 'files'],
    ['POST', '/v1/uploads', 'uploads'],
    ['POST', '/v1/batches', 'batches'],
    ['GET', '/v1/responses/resp_1', 'stored responses'],
    ['POST', '/v1/responses/resp_1/cancel', 'stored responses'],
    ['GET', '/v1/responses/resp_1/input_items?beta=true', 'stored responses'],
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

  it.each(['/', '', '/v1', '/v1/', '/v2/chat/completions', '/v1/v1/chat/completions', '/v1//chat/completions', '/v1/chat/completions/'.replace('chat', 'Chat'), '/v1/%63hat/completions', '/v1/responses/compact', '/v1/models/', '/v1/decisions', '/v1/engines/x/completions', `/v1/models/${'x'.repeat(600)}`])('does not know %s', (path) => {
    expect(match('POST', path)).toEqual({ kind: 'unknown' });
  });
});
