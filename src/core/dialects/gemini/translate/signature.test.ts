import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_SIGNATURE, readSeal, writeSeal } from './signature.ts';
import type { Seal } from './signature.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('seals', () => {
  it.each<[string | undefined, Seal]>([
    [undefined, {}],
    ['', {}],
    [NO_SIGNATURE, {}],
    ['CtwBAXL', { signature: { origin: 'gemini', data: 'CtwBAXL' } }],
    [base64('airmesh:anthropic:signature:Eq=='), { signature: { origin: 'anthropic', data: 'Eq==' } }],
    [base64('airmesh:openai:redacted:gA'), { redacted: { origin: 'openai', data: 'gA' } }],
    // In the other alphabet and without padding, as clients write bytes.
    [base64('airmesh:openai:redacted:gA').replace(/=+$/, ''), { redacted: { origin: 'openai', data: 'gA' } }],
    // What only looks like ours is Google's.
    [base64('airmesh:mistral:signature:x'), { signature: { origin: 'gemini', data: base64('airmesh:mistral:signature:x') } }],
    [base64('airmesh:openai:signature:é'), { signature: { origin: 'gemini', data: base64('airmesh:openai:signature:é') } }],
    [`${base64('airmesh:openai:').slice(0, 12)}!`, { signature: { origin: 'gemini', data: `${base64('airmesh:openai:').slice(0, 12)}!` } }],
  ])('reads %j', (text, seal) => {
    expect(readSeal(text)).toEqual(seal);
  });

  it('come back as they were', () => {
    const data = fc.string({ minLength: 1, maxLength: 20 });
    const seal = fc
      .tuple(fc.constantFrom('anthropic' as const, 'openai' as const), fc.constantFrom('signature' as const, 'redacted' as const), data)
      .map(([origin, kind, text]): Seal => ({ [kind]: { origin, data: text } }));
    const own = fc.base64String({ minLength: 4 }).map((text): Seal => ({ signature: { origin: 'gemini', data: text } }));
    fc.assert(
      fc.property(fc.oneof(seal, own), (value) => {
        expect(readSeal(writeSeal(value))).toEqual(value);
      }),
    );
    expect(writeSeal({})).toBeUndefined();
  });
});
