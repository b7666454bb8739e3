import type { JsonDocument, JsonNode } from '../json/index.ts';
import type { RequestFault } from './types.ts';

/** A number's bounds, inclusive. */
export interface IntegerBounds {
  readonly min: number;
  readonly max: number;
}

/** Remembers the first fault of a request; later ones would only confuse. */
export class FaultLog {
  first: RequestFault | undefined;

  add(code: RequestFault['code'], param: string | undefined, message: string): void {
    this.first ??= { code, param, message };
  }
}

/**
 * Reads an object's members by type. Null counts as absent, as providers take it. What has the wrong type is noted as a
 * fault that names its path, and reads as absent. Never quotes a value.
 */
export class Fields {
  readonly document: JsonDocument;
  readonly faults: FaultLog;
  readonly path: string;
  readonly members: ReadonlyMap<string, JsonNode>;

  constructor(document: JsonDocument, object: JsonNode, path: string, faults: FaultLog) {
    this.document = document;
    this.faults = faults;
    this.path = path;
    const members = document.members(object);
    this.members = members.ok ? members.value : new Map<string, JsonNode>();
    if (!members.ok)
      faults.add('invalid_json', path === '' ? undefined : path, `${path === '' ? 'The body' : path}: ${members.error.message} Send each key once.`);
  }

  /** The path of a member: `messages[0].content`. */
  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** The value of a member that is there and not null. */
  node(name: string): JsonNode | undefined {
    const node = this.members.get(name);
    return node === undefined || this.document.isNull(node) ? undefined : node;
  }

  boolean(name: string): boolean | undefined {
    const node = this.#typed(name, 'boolean', 'true or false');
    return node === undefined ? undefined : this.document.isTrue(node);
  }

  integer(name: string, { min, max }: IntegerBounds): number | undefined {
    const node = this.#typed(name, 'number', 'a whole number');
    if (node === undefined) return undefined;
    const value = this.document.integer(node);
    if (value !== undefined && value >= min && value <= max) return value;
    this.faults.add('invalid_value', this.at(name), `${this.at(name)} must be a whole number from ${min} to ${max}.`);
    return undefined;
  }

  /** A string of at most `maxBytes` in the body. */
  string(name: string, maxBytes: number): string | undefined {
    const node = this.#typed(name, 'string', 'a string');
    if (node === undefined) return undefined;
    if (this.document.rawLength(node) <= maxBytes) return this.document.text(node);
    this.faults.add('invalid_value', this.at(name), `${this.at(name)} is longer than ${maxBytes} bytes.`);
    return undefined;
  }

  /** A string whose text is not needed. */
  stringNode(name: string): JsonNode | undefined {
    return this.#typed(name, 'string', 'a string');
  }

  object(name: string): Fields | undefined {
    const node = this.#typed(name, 'object', 'an object');
    return node === undefined ? undefined : new Fields(this.document, node, this.at(name), this.faults);
  }

  /** An array's items; empty where it is absent. */
  items(name: string): readonly JsonNode[] {
    const node = this.#typed(name, 'array', 'an array');
    return node === undefined ? [] : this.document.items(node);
  }

  /** An array's items as objects. */
  objects(name: string): readonly Fields[] {
    return this.items(name).flatMap((item, index) => {
      const path = `${this.at(name)}[${index}]`;
      if (this.document.kind(item) === 'object') return [new Fields(this.document, item, path, this.faults)];
      this.faults.add('invalid_value', path, `${path} must be an object.`);
      return [];
    });
  }

  #typed(name: string, kind: ReturnType<JsonDocument['kind']>, wanted: string): JsonNode | undefined {
    const node = this.node(name);
    if (node === undefined || this.document.kind(node) === kind) return node;
    this.faults.add('invalid_value', this.at(name), `${this.at(name)} must be ${wanted}.`);
    return undefined;
  }
}
