import type { JsonNode } from '../../json/index.ts';
import { Fields } from '../fields.ts';
import type { IntegerBounds } from '../fields.ts';

/*
 * Google's servers read bodies as protocol buffers in JSON: each field may be written as `maxOutputTokens` or as
 * `max_output_tokens`, and one item may stand where a list is expected.
 * Source: Protocol Buffers, "ProtoJSON Format"; curl examples of the Gemini API.
 */

/** `maxOutputTokens` as the schema itself spells it: `max_output_tokens`. */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `max_output_tokens` as JSON spells it: `maxOutputTokens`. */
export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** How an object's own members spell a field; as JSON does where it is absent. */
export function spelling(members: { readonly has: (name: string) => boolean }, name: string): string {
  const snake = snakeCase(name);
  return !members.has(name) && members.has(snake) ? snake : name;
}

/** Reads a message's fields by their names in JSON. A field that comes in both spellings is a fault: readers differ in which they take. */
export class ProtoFields {
  readonly fields: Fields;

  constructor(fields: Fields) {
    this.fields = fields;
  }

  /** The path of a field as the caller spelled it: `generation_config.maxOutputTokens`. */
  at(name: string): string {
    return this.fields.at(spelling(this.fields.members, name));
  }

  node(name: string): JsonNode | undefined {
    return this.fields.node(this.#spelled(name));
  }

  boolean(name: string): boolean | undefined {
    return this.fields.boolean(this.#spelled(name));
  }

  integer(name: string, bounds: IntegerBounds): number | undefined {
    return this.fields.integer(this.#spelled(name), bounds);
  }

  string(name: string, maxBytes: number): string | undefined {
    return this.fields.string(this.#spelled(name), maxBytes);
  }

  stringNode(name: string): JsonNode | undefined {
    return this.fields.stringNode(this.#spelled(name));
  }

  object(name: string): ProtoFields | undefined {
    const object = this.fields.object(this.#spelled(name));
    return object === undefined ? undefined : new ProtoFields(object);
  }

  /** A list's items, or the one item that stands for a list; empty where it is absent. */
  items(name: string): readonly JsonNode[] {
    const node = this.node(name);
    if (node === undefined) return [];
    return this.fields.document.kind(node) === 'array' ? this.fields.document.items(node) : [node];
  }

  /** A list's items as messages. */
  objects(name: string): readonly ProtoFields[] {
    const { document, faults } = this.fields;
    const node = this.node(name);
    const isList = node !== undefined && document.kind(node) === 'array';
    return this.items(name).flatMap((item, index) => {
      const path = isList ? `${this.at(name)}[${index}]` : this.at(name);
      if (document.kind(item) === 'object') return [new ProtoFields(new Fields(document, item, path, faults))];
      faults.add('invalid_value', path, `${path} must be an object.`);
      return [];
    });
  }

  /** The names, as JSON spells them, of the fields that are there and not null. */
  names(): readonly string[] {
    return [...this.fields.members.keys()].filter((name) => this.fields.node(name) !== undefined).map(camelCase);
  }

  #spelled(name: string): string {
    const { members, faults } = this.fields;
    const snake = snakeCase(name);
    if (snake === name || !members.has(snake)) return name;
    if (members.has(name)) faults.add('invalid_value', this.fields.at(name), `${this.fields.at(name)} comes twice, as ${name} and as ${snake}. Send it once.`);
    return snake;
  }
}
