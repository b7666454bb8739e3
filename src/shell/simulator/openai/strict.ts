import { isObject } from '../api.ts';

/**
 * What OpenAI refuses in a schema that was sent with `strict: true`; `undefined` where it takes it.
 * Source: OpenAI, "Structured Outputs", supported schemas.
 */
export function strictProblem(schema: unknown, context: readonly string[] = []): string | undefined {
  if (!isObject(schema)) return undefined;
  const where = `In context=(${context
    .map((name) => `'${name}', `)
    .join('')
    .trimEnd()})`;
  const { properties, required } = schema;
  if (schema['type'] === 'object' || isObject(properties)) {
    if (schema['additionalProperties'] !== false) return `${where}, 'additionalProperties' is required to be supplied and to be false.`;
    const names: readonly unknown[] = Array.isArray(required) ? required : [];
    const missing = Object.keys(isObject(properties) ? properties : {}).find((name) => !names.includes(name));
    if (missing !== undefined)
      return `${where}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
  }
  return nested(schema)
    .map(([name, inner]) => strictProblem(inner, [...context, ...name]))
    .find((problem) => problem !== undefined);
}

function nested(schema: Readonly<Record<string, unknown>>): readonly (readonly [path: readonly string[], schema: unknown])[] {
  const maps = ['properties', '$defs', 'definitions'].flatMap((name) => {
    const inner = schema[name];
    return isObject(inner) ? Object.entries(inner).map(([key, value]) => [[name, key], value] as const) : [];
  });
  const lists = ['anyOf'].flatMap((name) => {
    const inner = schema[name];
    return Array.isArray(inner) ? inner.map((value: unknown, index) => [[name, String(index)], value] as const) : [];
  });
  return [...maps, ...lists, [['items'], schema['items']]];
}
