import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEnforced, jsonSchemaOf, withoutConst } from './schema.ts';

describe('jsonSchemaOf', () => {
  it.each<[Record<string, unknown>, object]>([
    [
      { type: 'OBJECT', properties: { type: { type: 'STRING' }, min_items: { type: 'INTEGER' } }, propertyOrdering: ['type'], required: ['type'] },
      { type: 'object', properties: { type: { type: 'string' }, min_items: { type: 'integer' } }, required: ['type'] },
    ],
    [{ type: 'STRING', nullable: true }, { type: ['string', 'null'] }],
    [{ type: 'STRING', nullable: false }, { type: 'string' }],
    [
      { type: 'STRING', format: 'enum', enum: ['a'], nullable: true },
      { type: ['string', 'null'], enum: ['a', null] },
    ],
    [{ type: 'TYPE_UNSPECIFIED', description: 'd' }, { description: 'd' }],
    [
      { type: 'ARRAY', minItems: '2', max_items: 5, items: { type: 'NUMBER', minimum: 0.5 } },
      { type: 'array', minItems: 2, maxItems: 5, items: { type: 'number', minimum: 0.5 } },
    ],
    [
      { minItems: 3, maxItems: '', minLength: { toString: 1, valueOf: 1 } },
      { minItems: 3, maxItems: '', minLength: { toString: 1, valueOf: 1 } },
    ],
    [{ any_of: [{ type: 'STRING' }, { type: 'NULL' }] }, { anyOf: [{ type: 'string' }, { type: 'null' }] }],
    [
      { type: 'STRING', example: 'e', title: 't', default: 'x', pattern: null },
      { type: 'string', examples: ['e'], title: 't', default: 'x' },
    ],
    [
      { type: 'object', additionalProperties: { type: 'STRING' } },
      { type: 'object', additionalProperties: { type: 'string' } },
    ],
  ])('reads %j', (schema, expected) => {
    expect(jsonSchemaOf(schema)).toEqual(expected);
  });

  it('keeps names that are no names', () => {
    const schema = JSON.parse('{"properties":{"__proto__":{"type":"STRING"},"constructor":{"type":"STRING"}}}') as Record<string, unknown>;
    expect(JSON.stringify(jsonSchemaOf(schema))).toBe('{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}');
  });

  it('never throws', () => {
    const keyword = fc.constantFrom('type', 'nullable', 'enum', 'properties', 'items', 'anyOf', 'minItems', 'format', 'x', '__proto__');
    const { schema } = fc.letrec<{ readonly schema: unknown }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('schema'), { maxLength: 2 }),
        fc.dictionary(keyword, tie('schema'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(fc.property(fc.dictionary(keyword, schema), (value) => JSON.stringify([jsonSchemaOf(value), withoutConst(value), isEnforced(value)]).length > 0));
  });
});

describe('withoutConst', () => {
  it.each<[Record<string, unknown>, object]>([
    [{ const: 5 }, { enum: [5] }],
    [
      { properties: { const: { const: 'a' } }, anyOf: [{ const: 1 }, { items: { const: null } }] },
      { properties: { const: { enum: ['a'] } }, anyOf: [{ enum: [1] }, { items: { enum: [null] } }] },
    ],
    [{ enum: [{ const: 1 }] }, { enum: [{ const: 1 }] }],
  ])('writes %j', (schema, expected) => {
    expect(withoutConst(schema)).toEqual(expected);
  });
});

describe('isEnforced', () => {
  it.each<[Record<string, unknown>, boolean]>([
    [{ type: 'object', properties: { pattern: { type: 'string', format: 'date' } }, required: ['pattern'], additionalProperties: false }, true],
    [{ $schema: 'x', $defs: { a: { const: 1, default: 1 } }, anyOf: [{ $ref: '#/$defs/a' }, { type: 'array', minItems: 1 }] }, true],
    [{ type: 'string', pattern: '^a' }, false],
    [{ properties: { a: { items: { oneOf: [{ minLength: 1 }] } } } }, false],
    [{ $defs: { a: { multipleOf: 2 } } }, false],
    [{ allOf: [{}] }, false],
  ])('of %j is %s', (schema, expected) => {
    expect(isEnforced(schema)).toBe(expected);
  });
});
