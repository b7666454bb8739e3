import { describe, expect, it } from 'vitest';
import type { Refusal } from '../types.ts';
import { auth } from './auth.ts';
import { modelItem, modelsList, refusal } from './error.ts';

const bodyOf = (reply: { readonly body: Uint8Array }): unknown => JSON.parse(new TextDecoder().decode(reply.body));
const REFUSAL: Refusal = { code: 'budget_exhausted', status: 429, message: 'The budget is spent.', shouldRetry: false };

describe('refusal', () => {
  it('has the shape of a Google error', () => {
    const reply = refusal({ ...REFUSAL, param: 'model', retryAfterS: 11.2 }, 'call-1');
    expect(bodyOf(reply)).toEqual({
      error: {
        code: 429,
        message: 'The budget is spent.',
        status: 'RESOURCE_EXHAUSTED',
        details: [
          { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'BUDGET_EXHAUSTED', domain: 'airmesh', metadata: {} },
          { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: 'model', description: 'The budget is spent.' }] },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '12s' },
          { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: 'call-1' },
        ],
      },
    });
    expect(reply).toMatchObject({
      status: 429,
      headers: [
        ['content-type', 'application/json'],
        ['x-request-id', 'call-1'],
        ['x-should-retry', 'false'],
        ['retry-after', '12'],
      ],
    });
  });

  it('says nothing of retries where waiting does not help', () => {
    const reply = refusal({ ...REFUSAL, code: 'invalid_json', status: 400 }, 'c');
    expect(JSON.stringify(bodyOf(reply))).not.toContain('Retry');
    expect(reply.headers.some(([name]) => name === 'retry-after')).toBe(false);
    expect(bodyOf(reply)).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } });
  });
});

describe('models', () => {
  it('are listed in the form of models.list', () => {
    expect(
      bodyOf(
        modelsList([
          { id: 'gemini-2.5-flash', ownedBy: 'google' },
          { id: 'gemini-embedding-001', ownedBy: 'google' },
        ]),
      ),
    ).toEqual({
      models: [
        {
          name: 'models/gemini-2.5-flash',
          displayName: 'gemini-2.5-flash',
          description: 'Provided by google.',
          supportedGenerationMethods: ['generateContent', 'countTokens'],
        },
        {
          name: 'models/gemini-embedding-001',
          displayName: 'gemini-embedding-001',
          description: 'Provided by google.',
          supportedGenerationMethods: ['embedContent', 'batchEmbedContents'],
        },
      ],
    });
    expect(bodyOf(modelItem({ id: 'a/b', ownedBy: 'x' }))).toMatchObject({ name: 'models/a/b' });
  });
});

describe('auth', () => {
  it("sets the provider's key and removes whatever says who the caller is", () => {
    expect(auth('AIza').set).toEqual([['x-goog-api-key', 'AIza']]);
    expect(auth('').set).toEqual([]);
    expect(auth('').remove).toEqual(
      expect.arrayContaining([
        'authorization',
        'api-key',
        'x-api-key',
        'x-goog-api-key',
        'x-goog-user-project',
        'x-goog-fieldmask',
        'proxy-authorization',
        'cookie',
      ]),
    );
  });
});
