import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NeutralErrorKind } from '../../neutral.ts';
import { parseError } from './parse-error.ts';
import { errorStatus, writeError } from './write-error.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const body = (type: string, more: object = {}): Uint8Array =>
  bytesOf(JSON.stringify({ type: 'error', error: { type, message: 'Why.', ...more }, request_id: 'req_1' }));

describe('parseError', () => {
  it.each<[number, string, object, NeutralErrorKind]>([
    [400, 'invalid_request_error', {}, 'invalid_request'],
    [401, 'authentication_error', {}, 'authentication'],
    [402, 'billing_error', {}, 'quota'],
    [403, 'permission_error', {}, 'permission'],
    [404, 'not_found_error', {}, 'not_found'],
    [413, 'request_too_large', {}, 'request_too_large'],
    [413, 'invalid_request_error', {}, 'request_too_large'],
    [429, 'rate_limit_error', {}, 'rate_limit'],
    [429, 'rate_limit_error', { details: { error_code: 'enforced_spend_limit_reached' } }, 'quota'],
    [500, 'api_error', {}, 'server_error'],
    [504, 'timeout_error', {}, 'timeout'],
    [529, 'overloaded_error', {}, 'overloaded'],
    [418, 'of_the_future', {}, 'invalid_request'],
    [599, 'of_the_future', {}, 'server_error'],
  ])('reads %i %s %j as %s', (status, type, more, kind) => {
    expect(parseError(status, body(type, more))).toMatchObject({ kind, status, message: 'Why.' });
  });

  it.each<[number, NeutralErrorKind]>([
    [401, 'authentication'],
    [429, 'rate_limit'],
    [503, 'overloaded'],
    [502, 'server_error'],
    [422, 'invalid_request'],
  ])('goes by the status %i where the body says nothing', (status, kind) => {
    for (const junk of ['', '<html>secret</html>', '[]', '{"error":"x"}', '{"error":{"message":5}}']) {
      expect(parseError(status, bytesOf(junk))).toEqual({ kind, status, message: `The provider answered with the status ${status}.` });
    }
  });

  it('keeps the code and the parameter, and no more of a message than fits', () => {
    expect(parseError(400, body('invalid_request_error', { details: { error_code: 'c', param: 'p' } }))).toMatchObject({ code: 'c', param: 'p' });
    expect(parseError(400, body('invalid_request_error', { message: 'x'.repeat(9000) })).message).toHaveLength(4096);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.jsonValue(), fc.integer(), (bytes, value, status) =>
        [parseError(status, bytes), parseError(status, bytesOf(JSON.stringify({ error: value })))].every(({ message }) => message !== ''),
      ),
    );
  });
});

describe('writeError', () => {
  it('writes it as Anthropic does', () => {
    const reply = writeError({ kind: 'overloaded', status: 503, message: 'Busy.', code: 'c', param: 'p' }, 'call-1');
    expect([reply.status, Object.fromEntries(reply.headers)]).toEqual([503, { 'content-type': 'application/json', 'request-id': 'call-1' }]);
    expect(JSON.parse(new TextDecoder().decode(reply.body))).toEqual({
      type: 'error',
      error: { type: 'overloaded_error', message: 'Busy.', details: { error_code: 'c', param: 'p' } },
      request_id: 'call-1',
    });
  });

  it.each<[NeutralErrorKind, number, string]>([
    ['quota', 402, 'billing_error'],
    ['quota', 429, 'rate_limit_error'],
    ['content_filter', 400, 'invalid_request_error'],
    ['timeout', 504, 'timeout_error'],
  ])('calls %s with %i a %s', (kind, status, type) => {
    expect(new TextDecoder().decode(writeError({ kind, status, message: 'M.' }, 'r').body)).toContain(`"error":{"type":"${type}","message":"M."}`);
  });

  it.each([
    [400, 400],
    [429, 429],
    [529, 529],
    [200, 500],
    [0, 500],
    [700, 500],
  ])('answers %i with %i', (status, expected) => {
    expect(errorStatus(status)).toBe(expected);
  });
});
