import { textMatching } from './pattern.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Below this depth only what is required is filled in, so that recursive schemas end. */
const MAX_OPTIONAL_DEPTH = 4;
/** A schema that requires itself without end has no value at all. */
const MAX_DEPTH = 32;

const FORMATS: Readonly<Record<string, string>> = {
  date: '2024-02-29',
  'date-time': '2024-02-29T12:00:00Z',
  time: '12:00:00Z',
  duration: 'P1D',
  email: 'mesh@example.com',
  hostname: 'mesh.example.com',
  uri: 'https://example.com/mesh',
  ipv4: '127.0.0.1',
  ipv6: '::1',
  uuid: '6f2d1c1e-0000-4000-8000-000000000000',
};

/** A value that a JSON Schema accepts: the same for the same schema and seed; `variant` tells several of one kind apart. */
export function sample(schema: Schema, seed: number, variant = 0): unknown {
  return new Sampler(schema, seed).value(schema, variant, 0);
}

class Sampler {
  readonly #root: Schema;
  readonly #seed: number;

  constructor(root: Schema, seed: number) {
    this.#root = root;
    this.#seed = seed;
  }

  value(schema: unknown, variant: number, depth: number): unknown {
    if (!isObject(schema) || depth > MAX_DEPTH) return null;
    const { $ref: reference, anyOf, oneOf, allOf, ...rest } = schema;
    if (typeof reference === 'string') return this.value({ ...rest, ...this.#resolve(reference) }, variant, depth + 1);
    if (Array.isArray(allOf))
      return this.value(
        allOf.reduce<Schema>((whole, part) => merged(whole, this.#resolved(part)), { ...schema, allOf: undefined }),
        variant,
        depth + 1,
      );
    const branch = firstOf(anyOf) ?? firstOf(oneOf);
    if (branch !== undefined) return this.value(merged(rest, this.#resolved(branch)), variant, depth + 1);
    if ('const' in schema) return schema['const'];
    if (Array.isArray(schema['enum'])) return schema['enum'][variant % schema['enum'].length];
    return this.#typed(schema, variant, depth);
  }

  #typed(schema: Schema, variant: number, depth: number): unknown {
    switch (typeOf(schema)) {
      case 'string':
        return text(schema, variant);
      case 'integer':
      case 'number':
        return number(schema, (this.#seed + variant) % 100);
      case 'boolean':
        return true;
      case 'null':
        return null;
      case 'array':
        return this.#array(schema, variant, depth);
      default:
        return this.#object(schema, variant, depth);
    }
  }

  #array({ prefixItems, items, minItems, maxItems }: Schema, variant: number, depth: number): unknown[] {
    const first = Array.isArray(prefixItems) ? prefixItems.map((item) => this.value(item, variant, depth + 1)) : [];
    const least = typeof minItems === 'number' ? minItems : depth < MAX_OPTIONAL_DEPTH && isObject(items) ? 1 : 0;
    const length = Math.min(Math.max(least, first.length), typeof maxItems === 'number' ? maxItems : Number.POSITIVE_INFINITY);
    return Array.from({ length }, (_, index) =>
      index < first.length ? first[index] : this.value(isObject(items) ? items : { type: 'string' }, variant + index, depth + 1),
    );
  }

  #object({ properties, required }: Schema, variant: number, depth: number): unknown {
    const needed: readonly unknown[] = Array.isArray(required) ? required : [];
    const known = isObject(properties) ? properties : {};
    const names = [...Object.keys(known), ...needed.filter((name): name is string => typeof name === 'string' && !(name in known))];
    const chosen = names.filter((name) => depth < MAX_OPTIONAL_DEPTH || needed.includes(name));
    return Object.fromEntries(chosen.map((name) => [name, this.value(known[name] ?? { type: 'string' }, variant, depth + 1)]));
  }

  #resolved(schema: unknown): Schema {
    if (!isObject(schema)) return {};
    return typeof schema['$ref'] === 'string' ? this.#resolve(schema['$ref']) : schema;
  }

  /** `#/$defs/Place`, within the document only. */
  #resolve(reference: string): Schema {
    const path = reference
      .replace(/^#\/?/, '')
      .split('/')
      .filter((name) => name !== '');
    const found = path.reduce<unknown>((place, name) => (isObject(place) ? place[name.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined), this.#root);
    return isObject(found) ? found : {};
  }
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstOf(branches: unknown): unknown {
  return Array.isArray(branches) ? branches[0] : undefined;
}

function merged(one: Schema, other: Schema): Schema {
  const properties = { ...(isObject(one['properties']) ? one['properties'] : {}), ...(isObject(other['properties']) ? other['properties'] : {}) };
  const required = [one['required'], other['required']].flatMap((names) => (Array.isArray(names) ? names : []));
  return { ...one, ...other, ...(Object.keys(properties).length > 0 ? { properties } : {}), ...(required.length > 0 ? { required } : {}) };
}

function typeOf({ type, items, prefixItems, properties }: Schema): unknown {
  if (Array.isArray(type)) return type.find((name) => name !== 'null') ?? 'null';
  if (type !== undefined) return type;
  return (items ?? prefixItems) !== undefined && properties === undefined ? 'array' : 'object';
}

function text({ format, pattern, minLength, maxLength }: Schema, variant: number): string {
  const formatted = typeof format === 'string' ? FORMATS[format] : undefined;
  const matching = typeof pattern === 'string' ? textMatching(pattern) : undefined;
  const word = formatted ?? matching ?? (variant === 0 ? 'mesh' : `mesh ${variant}`);
  const padded = typeof minLength === 'number' ? word.padEnd(minLength, 'h') : word;
  return typeof maxLength === 'number' ? padded.slice(0, maxLength) : padded;
}

function number({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema, wish: number): number {
  const step = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : 1;
  const isWhole = type === 'integer';
  const least = Math.max(numberOr(minimum, Number.NEGATIVE_INFINITY), numberOr(exclusiveMinimum, Number.NEGATIVE_INFINITY));
  const most = Math.min(numberOr(maximum, Number.POSITIVE_INFINITY), numberOr(exclusiveMaximum, Number.POSITIVE_INFINITY));
  const fits = (value: number): boolean =>
    value >= least &&
    value <= most &&
    value !== exclusiveMinimum &&
    value !== exclusiveMaximum &&
    (multipleOf === undefined || Number.isInteger(value / step)) &&
    (!isWhole || Number.isInteger(value));
  const candidates = [
    wish,
    Math.floor(wish / step) * step,
    Math.ceil(least / step) * step,
    (Math.floor(least / step) + 1) * step,
    Math.floor(most / step) * step,
    (Math.ceil(most / step) - 1) * step,
    (least + most) / 2,
  ];
  return candidates.find((value) => Number.isFinite(value) && fits(value)) ?? wish;
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
