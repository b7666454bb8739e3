type Schema = Readonly<Record<string, unknown>>;

/** A schema that Anthropic's decoder takes, and whether it cannot enforce all that the original says. */
export interface DecoderSchema {
  readonly schema: Schema;
  readonly isRelaxed: boolean;
}

const STRING_FORMATS: ReadonlySet<unknown> = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid']);

/** Keywords that are taken over as they are. `$schema` constrains nothing. */
const PLAIN: ReadonlySet<string> = new Set(['$ref', '$schema', 'const', 'description', 'enum', 'required', 'title', 'type']);
const LISTS: ReadonlyMap<string, string> = new Map([
  ['anyOf', 'anyOf'],
  ['oneOf', 'anyOf'],
  ['allOf', 'allOf'],
]);
const MAPS: ReadonlySet<string> = new Set(['$defs', 'definitions', 'properties']);

/** Deepest nesting of schemas that is read; callers' bodies are shallower. */
const MAX_DEPTH = 128;

/**
 * Fits a JSON Schema to what Anthropic decodes by: no bounds on numbers, lengths or patterns, every object closed. What
 * cannot be enforced is told the model in the description. Source: Claude API docs, "Structured outputs", JSON Schema
 * limitations; `lib/transform-json-schema` of `@anthropic-ai/sdk`.
 */
export function decoderSchema(schema: Schema): DecoderSchema {
  const fitting = new Fitting();
  return { schema: fitting.fit(schema, 0), isRelaxed: fitting.isRelaxed };
}

class Fitting {
  isRelaxed = false;

  fit(schema: Schema, depth: number): Schema {
    const kept: [string, unknown][] = [];
    const told: [string, unknown][] = [];
    for (const [keyword, value] of Object.entries(schema)) {
      const fitted = this.#keyword(keyword, value, depth);
      if (fitted === undefined) told.push([keyword, value]);
      else if (fitted !== 'gone') kept.push(fitted);
    }
    if (isObjectSchema(schema)) kept.push(['additionalProperties', false]);
    return Object.fromEntries(told.length === 0 ? kept : this.#tell(kept, told));
  }

  /** The keyword as it can stand; `gone` where the caller writes it by itself; `undefined` where it can only be told. */
  #keyword(keyword: string, value: unknown, depth: number): [string, unknown] | 'gone' | undefined {
    const list = LISTS.get(keyword);
    if (list !== undefined && Array.isArray(value)) {
      this.isRelaxed ||= list !== keyword;
      return [list, value.map((item) => this.#inner(item, depth))];
    }
    if (MAPS.has(keyword) && isSchema(value))
      return [keyword, Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.#inner(inner, depth)]))];
    if (keyword === 'items' && isSchema(value)) return [keyword, this.#inner(value, depth)];
    if (keyword === 'additionalProperties') {
      this.isRelaxed ||= value !== false;
      return 'gone';
    }
    const stands = PLAIN.has(keyword) || (keyword === 'format' && STRING_FORMATS.has(value)) || (keyword === 'minItems' && (value === 0 || value === 1));
    return stands ? [keyword, value] : undefined;
  }

  #inner(value: unknown, depth: number): unknown {
    return isSchema(value) && depth < MAX_DEPTH ? this.fit(value, depth + 1) : value;
  }

  #tell(kept: readonly [string, unknown][], told: readonly [string, unknown][]): [string, unknown][] {
    this.isRelaxed = true;
    const own = kept.find(([keyword]) => keyword === 'description')?.[1];
    const limits = told.map(([keyword, value]) => `${keyword}: ${JSON.stringify(value)}`).join(', ');
    const description = typeof own === 'string' && own !== '' ? `${own} (${limits})` : limits;
    return [...kept.filter(([keyword]) => keyword !== 'description'), ['description', description]];
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isObjectSchema({ type, properties, additionalProperties }: Schema): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || properties !== undefined || additionalProperties !== undefined;
}
