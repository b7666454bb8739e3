import { describe, expect, it } from 'vitest';
import { auth } from './auth.ts';
import { modelItem, modelsList, refusal } from './error.ts';

const bodyOf = (reply: { readonly body: Uint8Array }): unknown => JSON.parse(new TextDecoder().decode(reply.body));

describe('refusal', () => {
  it('has the form that the official SDKs read', () => {
    const reply = refusal({ code: 'budget_exhausted', status: 429, message: 'Spent.', retryAfterS: 1.2, shouldRetry: false }, 'call-1');
    expect(reply.status).toBe(429);
    expect(Object.fromEntries(reply.headers)).toEqual({
      'content-type': 'application/json',
      'x-request-id': 'call-1',
      'x-should-retry': 'false',
      'retry-after': '2',
    });
    expect(bodyOf(reply)).toEqual({ error: { message: 'Spent.', type: 'insufficient_quota', param: null, code: 'budget_exhausted' } });
  });

  it('names the parameter, and no time where waiting does not help', () => {
    const reply = refusal({ code: 'invalid_value', status: 400, message: 'No “n”.', param: 'n', shouldRetry: true }, 'call-1');
    expect(reply.headers.map(([name]) => name)).not.toContain('retry-after');
    expect(Object.fromEntries(reply.headers)).toMatchObject({ 'x-should-retry': 'true' });
    expect(bodyOf(reply)).toEqual({ error: { message: 'No “n”.', type: 'invalid_request_error', param: 'n', code: 'invalid_value' } });
  });
});

describe('models', () => {
  it('lists models as OpenAI does', () => {
    const item = { id: 'gpt-4.1', object: 'model', created: 0, owned_by: 'openai' };
    expect(bodyOf(modelsList([{ id: 'gpt-4.1', ownedBy: 'openai' }]))).toEqual({ object: 'list', data: [item] });
    expect(bodyOf(modelItem({ id: 'gpt-4.1', ownedBy: 'openai' }))).toEqual(item);
  });
});

describe('auth', () => {
  it("sets the provider's key and removes whatever says who the caller is", () => {
    expect(auth('sk-1').set).toEqual([['authorization', 'Bearer sk-1']]);
    expect(auth('').set).toEqual([]);
    expect(auth('').remove).toEqual(
      expect.arrayContaining([
        'authorization',
        'api-key',
        'x-api-key',
        'x-goog-api-key',
        'openai-organization',
        'openai-project',
        'proxy-authorization',
        'cookie',
      ]),
    );
  });
});
