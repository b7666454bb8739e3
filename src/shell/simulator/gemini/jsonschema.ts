import { isObject } from '../api.ts';
import type { GeminiSchema } from './schema.ts';

/** A schema in Google's form as a JSON Schema: types in lower case, numbers as numbers. */
export function jsonSchemaOf(schema: GeminiSchema): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(schema).flatMap(([name, value]) => memberOf(name, value)));
}

function memberOf(name: string, value: unknown): readonly (readonly [string, unknown])[] {
  switch (name) {
    case 'type':
      return [[name, String(value).toLowerCase()]];
    case 'properties':
      return [
        [name, isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, isObject(inner) ? jsonSchemaOf(inner) : {}])) : {}],
      ];
    case 'items':
      return isObject(value) ? [[name, jsonSchemaOf(value)]] : [];
    case 'anyOf':
      return [[name, Array.isArray(value) ? value.map((inner: unknown) => (isObject(inner) ? jsonSchemaOf(inner) : {})) : []]];
    case 'propertyOrdering':
    case 'nullable':
    case 'example':
      return [];
    default:
      return [[name, /^(?:min|max)(?:Items|Length|Properties)$/.test(name) ? Number(value) : value]];
  }
}
