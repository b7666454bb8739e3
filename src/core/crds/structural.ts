import { z } from 'zod';

/** apiextensions.k8s.io/v1 JSONSchemaProps, as far as it is used. */
export interface StructuralSchema {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly allOf?: readonly StructuralSchema[];
  readonly not?: StructuralSchema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

/**
 * What an API server is told of what a schema takes: a structural schema (Kubernetes' "Structural schemas", apiextensions v1).
 * Keywords of its own stand in the schema's metadata, and have the last word.
 */
export function structural(schema: z.ZodType): StructuralSchema {
  return converted(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
}

interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
}

/** What JSON Schema has and structural schemas have not. Unknown fields are pruned, or refused where the client asks for it. */
const DROPPED = new Set(['$schema', '$defs', 'additionalProperties', 'propertyNames', 'const', 'anyOf']);

/** Stated of fields that say no more: the reader's convenience, and what an API server reads faster than a bound. */
const INT64 = { format: 'int64' };

function converted(schema: JsonSchema): StructuralSchema {
  return inOrder(convertedKeywords(schema));
}

function convertedKeywords(schema: JsonSchema): StructuralSchema {
  const { properties, items, additionalProperties } = schema;
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const map = !open && properties === undefined && typeof additionalProperties === 'object';
  return {
    ...Object.fromEntries(
      Object.entries(schema).filter(([keyword, value]) => !DROPPED.has(keyword) && !isBoundOfSafeIntegers(keyword, value) && !isSeveralTypes(keyword, value)),
    ),
    ...(schema['type'] === 'integer' ? INT64 : {}),
    ...(schema['const'] === undefined ? {} : { enum: [schema['const']] }),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, converted(property)])) }),
    ...(items === undefined ? {} : { items: converted(items) }),
    ...(map ? { additionalProperties: converted(additionalProperties) } : {}),
  };
}

const isBoundOfSafeIntegers = (keyword: string, value: unknown): boolean =>
  (keyword === 'minimum' && value === Number.MIN_SAFE_INTEGER) || (keyword === 'maximum' && value === Number.MAX_SAFE_INTEGER);

const isSeveralTypes = (keyword: string, value: unknown): boolean => keyword === 'type' && Array.isArray(value);

/** As people read: what it is, then what bounds it, then what is in it. */
const FIRST = ['description', 'type', 'format', 'default', 'enum'];
const LAST = ['x-kubernetes-validations', 'required', 'properties', 'additionalProperties', 'items'];

function inOrder(schema: StructuralSchema): StructuralSchema {
  const place = (keyword: string): number => (FIRST.includes(keyword) ? FIRST.indexOf(keyword) - FIRST.length : LAST.indexOf(keyword) + 1);
  return Object.fromEntries(Object.entries(schema).toSorted(([a], [b]) => place(a) - place(b)));
}
