import { z } from 'zod';

/** A condition for the API server to judge: apiextensions.k8s.io/v1, `x-kubernetes-validations`. */
export interface CelRule {
  /** In CEL; `self` is the value that the schema is for. */
  readonly rule: string;
  readonly message: string;
}

const KEYWORD = 'x-kubernetes-validations';

/**
 * One condition in two languages: `check` judges what files hold, `rule` what an API server is given, and both say `message`.
 * The API server estimates what a rule can cost at most from the bounds of all that it looks at, so those have bounds.
 */
export function judged<Schema extends z.ZodType>(schema: Schema, message: string, rule: string, check: (value: z.output<Schema>) => boolean): Schema {
  return withRule(schema.refine(check, message), { rule, message });
}

/** A condition that only the API server judges so early; of files, `compile` does, which knows more. */
export function withRule<Schema extends z.ZodType>(schema: Schema, rule: CelRule): Schema {
  const rules = schema.meta()?.[KEYWORD];
  return schema.meta({ [KEYWORD]: [...(Array.isArray(rules) ? rules : []), rule] });
}

/** CEL for "exactly one of these fields is there"; each must be one that CEL can see. */
export const exactlyOne = (fields: readonly string[]): string => `[${fields.map((field) => `has(self.${field})`).join(', ')}].filter(there, there).size() == 1`;

export const hasExactlyOne = (value: object): boolean => Object.values(value).filter((part) => part !== undefined).length === 1;

/** A text as CEL writes it. */
export const quoted = (text: string): string => JSON.stringify(text);

/**
 * What a value of several types is to the API server. Structural schemas know no unions (but for integer or string), and CEL
 * does not look into what has no type. Keywords that concern one type let all others pass, so those of each type stand side
 * by side; a type that is none of them is refused by bounds that nothing of it can keep.
 */
export function untyped(keywords: Readonly<Record<string, unknown>>, refused: readonly (keyof typeof IMPOSSIBLE)[]): Readonly<Record<string, unknown>> {
  return { 'x-kubernetes-preserve-unknown-fields': true, ...keywords, ...Object.assign({}, ...refused.map((type) => IMPOSSIBLE[type])) };
}

const IMPOSSIBLE = {
  array: { minItems: 1, maxItems: 0 },
  object: { minProperties: 1, maxProperties: 0 },
  number: { minimum: 1, maximum: 0 },
  boolean: { not: { enum: [true, false] } },
} as const;

/** Items of a list that are known by their name: the API server refuses one that is there twice, and merges the lists of several appliers. */
export const byName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] } as const;
