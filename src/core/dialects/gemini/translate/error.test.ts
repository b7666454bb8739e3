import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NeutralError, NeutralErrorKind } from '../../neutral.ts';
import { geminiTranslation } from './index.ts';

const parse = (status: number, body: unknown): NeutralError =>
  geminiTranslation.parseError(status, new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)));
const error = (code: number, status: string, ...details: readonly object[]): object => ({
  error: { code, message: 'Why.', status, ...(details.length === 0 ? {} : { details }) },
});
const detail = (type: string, more: object): object => ({ '@type': `type.googleapis.com/google.rpc.${type}`, ...more });

describe('parseError', () => {
  it.each<[number, unknown, Partial<NeutralError>]>([
    [400, error(400, 'INVALID_ARGUMENT'), { kind: 'invalid_request', status: 400, message: 'Why.', code: 'INVALID_ARGUMENT' }],
    [
      400,
      error(400, 'INVALID_ARGUMENT', detail('BadRequest', { fieldViolations: [{ field: 'contents[0]', description: 'x' }] })),
      { kind: 'invalid_request', param: 'contents[0]' },
    ],
    [
      400,
      error(400, 'INVALID_ARGUMENT', detail('ErrorInfo', { reason: 'API_KEY_INVALID', domain: 'googleapis.com' })),
      { kind: 'authentication', status: 400, code: 'API_KEY_INVALID' },
    ],
    [400, error(400, 'FAILED_PRECONDITION'), { kind: 'invalid_request' }],
    [401, error(401, 'UNAUTHENTICATED'), { kind: 'authentication' }],
    [403, error(403, 'PERMISSION_DENIED'), { kind: 'permission' }],
    [404, error(404, 'NOT_FOUND'), { kind: 'not_found' }],
    [413, '', { kind: 'request_too_large' }],
    [429, error(429, 'RESOURCE_EXHAUSTED'), { kind: 'rate_limit' }],
    [
      429,
      error(429, 'RESOURCE_EXHAUSTED', detail('QuotaFailure', { violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' }] })),
      { kind: 'rate_limit' },
    ],
    [
      429,
      error(429, 'RESOURCE_EXHAUSTED', detail('QuotaFailure', { violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] })),
      { kind: 'quota' },
    ],
    [499, error(499, 'CANCELLED'), { kind: 'server_error' }],
    [500, error(500, 'INTERNAL'), { kind: 'server_error', status: 500 }],
    [501, error(501, 'UNIMPLEMENTED'), { kind: 'invalid_request' }],
    [503, error(503, 'UNAVAILABLE'), { kind: 'overloaded' }],
    [504, error(504, 'DEADLINE_EXCEEDED'), { kind: 'timeout' }],
    // A stream that was not begun.
    [429, [error(429, 'RESOURCE_EXHAUSTED')], { kind: 'rate_limit', message: 'Why.' }],
    [502, '<html>Bad gateway</html>', { kind: 'server_error', status: 502, message: 'The provider answered with an error that says nothing.' }],
    [418, { error: 'teapot' }, { kind: 'invalid_request', status: 418 }],
    [500, { error: { message: '' } }, { message: 'The provider answered with an error that says nothing.' }],
    [200, error(503, 'UNAVAILABLE'), { kind: 'overloaded', status: 503 }],
    [200, '{}', { kind: 'server_error', status: 500 }],
  ])('reads %s %j', (status, body, expected) => {
    expect(parse(status, body)).toMatchObject(expected);
  });

  it('passes no key on, and no endless sentence', () => {
    const { message } = parse(403, {
      error: { code: 403, status: 'PERMISSION_DENIED', message: `Consumer 'api_key:AIzaSyA1234567890abcdef' has been suspended. ${'x'.repeat(10_000)}` },
    });
    expect(message).toContain("'api_key:[key]'");
    expect(message).not.toContain('1234567890');
    expect(message.length).toBeLessThanOrEqual(2000);
  });
});

describe('writeError', () => {
  it.each<[NeutralErrorKind, number, number, string]>([
    ['invalid_request', 400, 400, 'INVALID_ARGUMENT'],
    ['invalid_request', 422, 400, 'INVALID_ARGUMENT'],
    ['authentication', 401, 401, 'UNAUTHENTICATED'],
    ['permission', 403, 403, 'PERMISSION_DENIED'],
    ['not_found', 404, 404, 'NOT_FOUND'],
    ['request_too_large', 413, 413, 'INVALID_ARGUMENT'],
    ['rate_limit', 429, 429, 'RESOURCE_EXHAUSTED'],
    ['quota', 402, 429, 'RESOURCE_EXHAUSTED'],
    ['overloaded', 529, 503, 'UNAVAILABLE'],
    ['timeout', 408, 504, 'DEADLINE_EXCEEDED'],
    ['server_error', 500, 500, 'INTERNAL'],
    ['server_error', 502, 503, 'UNAVAILABLE'],
    ['server_error', 0, 500, 'INTERNAL'],
  ])('has a form for %s with %s', (kind, status, sent, rpc) => {
    const reply = geminiTranslation.writeError({ kind, status, message: 'Why „so“.' }, 'call-1');
    expect(reply.status).toBe(sent);
    expect(geminiTranslation.errorStatus(status)).toBe(sent);
    expect(Object.fromEntries(reply.headers)).toEqual({ 'content-type': 'application/json', 'x-request-id': 'call-1' });
    expect(JSON.parse(new TextDecoder().decode(reply.body))).toEqual({
      error: { code: sent, status: rpc, message: 'Why „so“.', details: [detail('RequestInfo', { requestId: 'call-1' })] },
    });
  });

  it('of what was read is read as the same', () => {
    const statuses = fc.constantFrom<readonly [number, string]>(
      [400, 'INVALID_ARGUMENT'],
      [401, 'UNAUTHENTICATED'],
      [403, 'PERMISSION_DENIED'],
      [404, 'NOT_FOUND'],
      [429, 'RESOURCE_EXHAUSTED'],
      [500, 'INTERNAL'],
      [503, 'UNAVAILABLE'],
      [504, 'DEADLINE_EXCEEDED'],
    );
    fc.assert(
      fc.property(statuses, fc.stringMatching(/^[A-Z_]{1,20}$/), fc.stringMatching(/^[a-z.[\]0-9]{1,20}$/), ([code, status], reason, field) => {
        const first = parse(code, error(code, status, detail('ErrorInfo', { reason }), detail('BadRequest', { fieldViolations: [{ field }] })));
        const { body, status: sent } = geminiTranslation.writeError(first, 'r');
        expect(geminiTranslation.parseError(sent, body)).toEqual(first);
      }),
    );
  });

  it('follows any bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        fc.nat(700),
        (body, status) => {
          const read = geminiTranslation.parseError(status, body);
          expect(read.message).not.toBe('');
          expect(geminiTranslation.writeError(read, 'r').status).toBeGreaterThanOrEqual(400);
        },
      ),
    );
  });
});
