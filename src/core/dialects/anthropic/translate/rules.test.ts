import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generationOf } from './generation.ts';
import { ToolIds } from './ids.ts';
import { inputOf, JsonText, stringify } from './jsontext.ts';
import { decoderSchema } from './schema.ts';
import { readCallSeal, readSeal, writeCallSeal, writeSeal } from './seals.ts';

describe('generationOf', () => {
  const budget = { thinking: 'budget', canDisableThinking: true, sampling: true };
  const adaptive = { thinking: 'adaptive', effort: true, format: true };
  it.each([
    ['claude-3-5-haiku-20241022', { ...budget, effort: false, bothSampling: true, format: false }],
    ['claude-opus-4-20250514', { ...budget, effort: false, bothSampling: true, format: false }],
    ['claude-opus-4-1-20250805', { ...budget, effort: false, bothSampling: false, format: true }],
    ['claude-sonnet-4.5', { ...budget, effort: false, bothSampling: false, format: true }],
    ['us.anthropic.claude-haiku-4-5-20251001-v1:0', { ...budget, effort: false, format: true }],
    ['claude-opus-4-5-20251101', { ...budget, effort: true }],
    ['claude-sonnet-4-6', { ...adaptive, sampling: true, canDisableThinking: true }],
    ['claude-opus-4-8', { ...adaptive, sampling: false, canDisableThinking: true }],
    ['claude-opus-5', { ...adaptive, sampling: false, canDisableThinking: true }],
    ['claude-opus-5-5', { ...adaptive, sampling: false, canDisableThinking: false }],
    ['claude-haiku-5-5', { ...adaptive, sampling: false, canDisableThinking: true }],
    ['claude-fable-5', { ...adaptive, sampling: false, canDisableThinking: false }],
    ['claude-mythos-preview', { ...adaptive, sampling: false, canDisableThinking: false }],
    ['MiniMax-M2', { ...budget, effort: false, bothSampling: true }],
  ])('knows %s', (model, expected) => {
    expect(generationOf(model)).toMatchObject(expected);
  });
});

describe('ToolIds', () => {
  it('gives each id one that Anthropic takes, and no two the same', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('a:b', 'id_a_3ab', 'id_a_3ab_', 'a_b', '', 'é')), { maxLength: 8 }),
        (ids) => {
          const names = new ToolIds(ids);
          const written = ids.map((id) => names.of(id));
          expect(new Set(written).size).toBe(ids.length);
          for (const [index, id] of ids.entries()) {
            expect(written[index]).toMatch(/^[a-zA-Z0-9_-]+$/);
            expect(names.of(id)).toBe(written[index]);
            if (/^[a-zA-Z0-9_-]+$/.test(id)) expect(written[index]).toBe(id);
          }
        },
      ),
    );
  });
});

describe('seals', () => {
  it('come back with the origin that they had', () => {
    fc.assert(
      fc.property(fc.constantFrom('openai', 'gemini', 'anthropic' as const), fc.string({ minLength: 1 }), (origin, data) => {
        const seal = { origin: origin as 'openai', data };
        if (origin === 'anthropic' && data.startsWith('airmesh')) return;
        expect([readSeal(writeSeal(seal)), readCallSeal(writeCallSeal(seal))]).toEqual([seal, seal]);
      }),
    );
    expect([readSeal(''), readCallSeal('EmwKAhgB')]).toEqual([undefined, undefined]);
  });
});

describe('stringify', () => {
  it('is that of JSON, but for texts that stay as they are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(stringify(value)).toBe(JSON.stringify(value));
      }),
    );
    expect(stringify({ a: undefined, b: [undefined, new JsonText('1e400')], c: 'x' })).toBe('{"b":[null,1e400],"c":"x"}');
  });

  it.each([
    ['', '{}'],
    [' {"a":1} ', ' {"a":1} '],
    ['{"a":', '{"arguments":"{\\"a\\":"}'],
    ['null', '{"arguments":"null"}'],
  ])('takes the arguments %j for %j', (given, input) => {
    expect(inputOf(given).text).toBe(input);
  });
});

describe('decoderSchema', () => {
  const object = (properties: object, more: object = {}): object => ({ type: 'object', properties, ...more, additionalProperties: false });
  it.each<[object, object, boolean]>([
    [object({ a: { type: 'string', format: 'date' } }, { required: ['a'] }), object({ a: { type: 'string', format: 'date' } }, { required: ['a'] }), false],
    [{ type: 'object', properties: { a: { type: 'object', properties: {} } } }, object({ a: object({}) }), false],
    [{ type: 'object', additionalProperties: { type: 'string' } }, { type: 'object', additionalProperties: false }, true],
    [{ type: 'string', pattern: '^a', description: 'D' }, { type: 'string', description: 'D (pattern: "^a")' }, true],
    [{ type: 'string', format: 'iban' }, { type: 'string', description: 'format: "iban"' }, true],
    [
      { type: 'array', items: { type: 'number', minimum: 0 }, minItems: 1 },
      { type: 'array', items: { type: 'number', description: 'minimum: 0' }, minItems: 1 },
      true,
    ],
    [{ type: 'array', minItems: 2 }, { type: 'array', description: 'minItems: 2' }, true],
    [
      { oneOf: [{ type: 'null' }, { $ref: '#/$defs/a' }], $defs: { a: { enum: [1, 2] } } },
      { anyOf: [{ type: 'null' }, { $ref: '#/$defs/a' }], $defs: { a: { enum: [1, 2] } } },
      true,
    ],
    [{ anyOf: [{ const: 1 }, true], title: 'T' }, { anyOf: [{ const: 1 }, true], title: 'T' }, false],
    [{ type: ['object', 'null'], properties: {} }, { type: ['object', 'null'], properties: {}, additionalProperties: false }, false],
    [
      JSON.parse('{"properties":{"__proto__":{"type":"string","maxLength":1}}}') as object,
      JSON.parse('{"properties":{"__proto__":{"type":"string","description":"maxLength: 1"}},"additionalProperties":false}') as object,
      true,
    ],
  ])('makes of %j %j', (schema, expected, isRelaxed) => {
    const made = decoderSchema(schema as Record<string, unknown>);
    expect([JSON.parse(JSON.stringify(made.schema)), made.isRelaxed]).toEqual([expected, isRelaxed]);
  });

  it('takes any JSON for a schema without harm', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('type', 'properties', 'items', 'anyOf', 'additionalProperties', 'required', '$defs', '__proto__'), fc.jsonValue()),
        (schema) => typeof decoderSchema(schema).isRelaxed === 'boolean',
      ),
    );
  });
});
