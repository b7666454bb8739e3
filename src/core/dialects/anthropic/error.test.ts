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
      'request-id': 'call-1',
      'x-should-retry': 'false',
      'retry-after': '2',
    });
    expect(bodyOf(reply)).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: 'Spent.', details: { error_code: 'budget_exhausted' } },
      request_id: 'call-1',
    });
  });

  it.each([
    ['invalid_value', 'invalid_request_error'],
    ['request_too_large', 'request_too_large'],
    ['model_not_found', 'not_found_error'],
    ['model_not_allowed', 'permission_error'],
    ['too_many_waiting', 'rate_limit_error'],
    ['provider_timeout', 'timeout_error'],
    ['no_provider_available', 'overloaded_error'],
    ['internal_error', 'api_error'],
  ] as const)('says of %s that it is a %s', (code, type) => {
    const reply = refusal({ code, status: 400, message: 'M.', param: 'n', shouldRetry: true }, 'call-1');
    expect(reply.headers.map(([name]) => name)).not.toContain('retry-after');
    expect(bodyOf(reply)).toMatchObject({ error: { type, details: { error_code: code, param: 'n' } } });
  });
});

describe('models', () => {
  it('lists models as Anthropic does', () => {
    const item = { type: 'model', id: 'claude-x', display_name: 'claude-x', created_at: '1970-01-01T00:00:00Z' };
    expect(bodyOf(modelItem({ id: 'claude-x', ownedBy: 'anthropic' }))).toMatchObject(item);
    expect(
      bodyOf(
        modelsList([
          { id: 'claude-x', ownedBy: 'a' },
          { id: 'claude-y', ownedBy: 'a' },
        ]),
      ),
    ).toMatchObject({ data: [item, { id: 'claude-y' }], has_more: false, first_id: 'claude-x', last_id: 'claude-y' });
    expect(bodyOf(modelsList([]))).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
  });
});

describe('auth', () => {
  it("sets the provider's key and removes whatever says who the caller is", () => {
    expect(auth('sk-1')).toMatchObject({ set: [['x-api-key', 'sk-1']], defaults: [['anthropic-version', '2023-06-01']] });
    expect(auth('').set).toEqual([]);
    expect(auth('').remove).toEqual(
      expect.arrayContaining([
        'authorization',
        'api-key',
        'x-api-key',
        'x-goog-api-key',
        'anthropic-workspace-id',
        'anthropic-user-profile-id',
        'proxy-authorization',
        'cookie',
      ]),
    );
    expect(auth('').remove).not.toContain('anthropic-version');
  });
});
