import { describe, expect, it } from 'vitest';
import type { NeutralError, NeutralErrorKind } from '../../neutral.ts';
import { openaiTranslation } from './index.ts';

const parse = (status: number, body: unknown): NeutralError =>
  openaiTranslation.parseError(status, new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)));

describe('parseError', () => {
  it.each<[number, unknown, Partial<NeutralError>]>([
    [
      400,
      { error: { message: 'Too long.', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' } },
      { kind: 'invalid_request', status: 400, message: 'Too long.', param: 'messages', code: 'context_length_exceeded' },
    ],
    [401, { error: { message: 'Incorrect API key.', code: 'invalid_api_key' } }, { kind: 'authentication', status: 401, code: 'invalid_api_key' }],
    [402, { error: { message: 'Insufficient Balance', type: 'unknown_error', code: 'invalid_request_error' } }, { kind: 'quota', status: 402 }],
    [403, { error: { message: 'Country not supported.' } }, { kind: 'permission' }],
    [404, { error: { message: 'No such model.', code: 'model_not_found' } }, { kind: 'not_found' }],
    [408, {}, { kind: 'timeout' }],
    [413, { error: { message: 'Too large.' } }, { kind: 'request_too_large' }],
    [422, { detail: [{ loc: ['body', 'n'], msg: 'not an integer', type: 'int' }] }, { kind: 'invalid_request', message: 'not an integer' }],
    [429, { error: { message: 'Slow down.', type: 'tokens', code: 'rate_limit_exceeded' } }, { kind: 'rate_limit', code: 'rate_limit_exceeded' }],
    [429, { error: { message: 'Pay.', type: 'insufficient_quota', code: 'insufficient_quota' } }, { kind: 'quota' }],
    [400, { error: { message: 'Filtered.', code: 'content_filter' } }, { kind: 'content_filter', status: 400 }],
    [500, { error: { message: 'Oops.', type: 'server_error', code: null } }, { kind: 'server_error', status: 500, message: 'Oops.' }],
    [503, { error: { message: 'Overloaded.' } }, { kind: 'overloaded', status: 503 }],
    [529, { error: { message: 'Overloaded.' } }, { kind: 'overloaded', status: 529 }],
    [504, {}, { kind: 'timeout' }],
    [400, { error: 'model "x" not found' }, { kind: 'invalid_request', message: 'model "x" not found' }],
    [404, { detail: 'Not Found' }, { kind: 'not_found', message: 'Not Found' }],
    [400, { object: 'error', message: 'Bad.', type: 'BadRequestError', param: null, code: 400 }, { kind: 'invalid_request', message: 'Bad.', code: '400' }],
    [400, [{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } }], { kind: 'invalid_request', message: 'API key not valid.' }],
    [502, '<html><body>Bad gateway</body></html>', { kind: 'server_error', status: 502, message: 'The provider answered with status 502 and no explanation.' }],
    [500, '', { message: 'The provider answered with status 500 and no explanation.' }],
    [200, '{}', { kind: 'server_error', status: 502 }],
    [500, { error: { message: { nested: true } } }, { message: 'The provider answered with status 500 and no explanation.' }],
  ])('reads %s %j', (status, body, expected) => {
    expect(parse(status, body)).toMatchObject(expected);
  });

  it('passes no key on, and no endless sentence', () => {
    const { message } = parse(401, { error: { message: `Incorrect API key provided: sk-proj-abcdefgh12345678. ${'x'.repeat(10_000)}` } });
    expect(message).toContain('provided: [key]');
    expect(message).not.toContain('abcdefgh');
    expect(message.length).toBeLessThan(2100);
  });
});

describe('writeError', () => {
  it.each<[NeutralErrorKind, number, number, string, string | null]>([
    ['invalid_request', 400, 400, 'invalid_request_error', null],
    ['authentication', 401, 401, 'invalid_request_error', 'invalid_api_key'],
    ['permission', 403, 403, 'invalid_request_error', null],
    ['not_found', 404, 404, 'invalid_request_error', 'model_not_found'],
    ['request_too_large', 413, 413, 'invalid_request_error', 'request_too_large'],
    ['rate_limit', 429, 429, 'rate_limit_error', 'rate_limit_exceeded'],
    ['quota', 429, 429, 'insufficient_quota', 'insufficient_quota'],
    ['overloaded', 529, 503, 'server_error', 'overloaded'],
    ['timeout', 504, 504, 'server_error', 'timeout'],
    ['content_filter', 400, 400, 'invalid_request_error', 'content_filter'],
    ['server_error', 500, 500, 'server_error', null],
  ])('has a form for %s', (kind, status, sent, type, code) => {
    const reply = openaiTranslation.writeError({ kind, status, message: 'Why „so“.' }, 'call-1');
    expect(reply.status).toBe(sent);
    expect(openaiTranslation.errorStatus(status)).toBe(sent);
    expect(Object.fromEntries(reply.headers)).toEqual({ 'content-type': 'application/json', 'x-request-id': 'call-1' });
    expect(JSON.parse(new TextDecoder().decode(reply.body))).toEqual({ error: { message: 'Why „so“.', type, param: null, code } });
  });

  it("keeps a provider's own code and parameter", () => {
    const { body } = openaiTranslation.writeError({ kind: 'invalid_request', status: 400, message: 'x', param: 'n', code: 'c' }, 'r');
    expect(JSON.parse(new TextDecoder().decode(body))).toMatchObject({ error: { param: 'n', code: 'c' } });
  });

  it.each([
    [0, 502],
    [200, 502],
    [399, 502],
    [400, 400],
    [418, 418],
    [529, 503],
    [599, 599],
    [600, 502],
  ])('makes status %s into %s', (status, sent) => {
    expect(openaiTranslation.errorStatus(status)).toBe(sent);
  });
});
