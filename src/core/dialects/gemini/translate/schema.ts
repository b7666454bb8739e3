import { isObject } from '../../values.ts';
import type { JsonObject } from '../../values.ts';
import { camelCase } from '../protojson.ts';

/*
 * Gemini has two languages for schemas: a subset of OpenAPI 3.0 with types in capitals (`Schema`), and JSON Schema.
 * Source: `Schema` and the comments at `responseJsonSchema` of `@google/genai`.
 */

/** Keywords that count something, which the wire has as strings: `"minItems": "2"`. */
const COUNTS: ReadonlySet<string> = new Set(['maxItems', 'maxLength', 'maxProperties', 'minItems', 'minLength', 'minProperties']);

const COUNT = /^\d{1,15}$/;

/** Keywords that hold one schema, several, or several by name. */
const ONE: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not']);
const SEVERAL: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const NAMED: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);

/** Keywords that answers are held to, and those that hold nothing to anything. */
const ENFORCED: ReadonlySet<string> = new Set([
  '$anchor',
  '$defs',
  '$id',
  '$ref',
  'additionalProperties',
  'anyOf',
  'description',
  'enum',
  'format',
  'items',
  'maxItems',
  'maximum',
  'minItems',
  'minimum',
  'oneOf',
  'prefixItems',
  'properties',
  'propertyOrdering',
  'required',
  'title',
  'type',
]);
const IDLE: ReadonlySet<string> = new Set(['$comment', '$schema', 'const', 'default', 'deprecated', 'example', 'examples', 'readOnly', 'writeOnly']);

/** A `Schema` as JSON Schema. */
export function jsonSchemaOf(schema: JsonObject): JsonObject {
  const isNullable = schema['nullable'] === true;
  return Object.fromEntries(Object.entries(schema).flatMap(([keyword, value]) => jsonKeyword(camelCase(keyword), value, isNullable)));
}

function jsonKeyword(keyword: string, value: unknown, isNullable: boolean): readonly (readonly [keyword: string, value: unknown])[] {
  if (value === null) return [];
  switch (keyword) {
    case 'type':
      return typeof value === 'string' && value !== 'TYPE_UNSPECIFIED' ? [['type', isNullable ? [value.toLowerCase(), 'null'] : value.toLowerCase()]] : [];
    case 'nullable':
    case 'propertyOrdering':
      return [];
    case 'format':
      // Marks a string with choices, which JSON Schema tells by the choices.
      return value === 'enum' ? [] : [['format', value]];
    case 'enum':
      return [['enum', isNullable && Array.isArray(value) ? [...(value as readonly unknown[]), null] : value]];
    case 'example':
      return [['examples', [value]]];
    default:
      if (COUNTS.has(keyword) && typeof value === 'string' && COUNT.test(value)) return [[keyword, Number(value)]];
      return [[keyword, within(keyword, value, jsonSchemaOf)]];
  }
}

/** A JSON Schema for an answer's format, which Gemini takes without `const`: one choice says the same. */
export function withoutConst(schema: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => (keyword === 'const' ? ['enum', [value]] : [keyword, within(keyword, value, withoutConst)])),
  );
}

/** Whether an answer is held to all of a schema: what is not on Google's list it reads and passes over. `const` is written as `enum`. */
export function isEnforced(schema: JsonObject): boolean {
  return Object.entries(schema).every(([keyword, value]) => (ENFORCED.has(keyword) ? schemasIn(keyword, value).every(isEnforced) : IDLE.has(keyword)));
}

/** The schemas that a keyword holds. */
function schemasIn(keyword: string, value: unknown): readonly JsonObject[] {
  const schemas: JsonObject[] = [];
  within(keyword, value, (schema) => {
    schemas.push(schema);
    return schema;
  });
  return schemas;
}

/** Applies a change to the schemas that a keyword holds. */
function within(keyword: string, value: unknown, change: (schema: JsonObject) => JsonObject): unknown {
  const changed = (inner: unknown): unknown => (isObject(inner) ? change(inner) : inner);
  if (ONE.has(keyword)) return changed(value);
  if (SEVERAL.has(keyword) && Array.isArray(value)) return value.map(changed);
  if (NAMED.has(keyword) && isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, changed(inner)]));
  return value;
}
