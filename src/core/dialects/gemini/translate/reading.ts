import { FaultLog } from '../../fields.ts';
import { camelCase, spelling } from '../protojson.ts';
import { LossLog } from '../../losses.ts';
import { isObject } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** Names of the caller's that are repeated in a message; others may be content in disguise. */
const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** What is found while a request is read: the first fault, and what has no neutral form. */
export class RequestLog {
  readonly faults = new FaultLog();
  readonly losses = new LossLog();

  invalid(param: string, message: string): void {
    this.faults.add('invalid_value', param, message);
  }
}

/**
 * Reads a message's fields by type, in either spelling, and remembers which were asked for, so that what nobody asked for
 * is told as lost. Null counts as absent, a number may be written as a string, and one item may stand for a list, as Google
 * takes them. What has the wrong type is a fault that names its path, and reads as absent.
 */
export class ObjectReader {
  readonly path: string;
  readonly log: RequestLog;
  readonly #object: JsonObject;
  readonly #has: (name: string) => boolean;
  readonly #asked = new Set<string>();

  constructor(object: JsonObject, path: string, log: RequestLog) {
    this.#object = object;
    this.#has = (name) => Object.hasOwn(object, name);
    this.path = path;
    this.log = log;
  }

  /** The path of a field, as the caller spelled it: `contents[0].parts[1].inline_data`. */
  at(name: string): string {
    const spelled = spelling({ has: this.#has }, name);
    return this.path === '' ? spelled : `${this.path}.${spelled}`;
  }

  /** A field's value whatever its type; `undefined` where it is absent or null. */
  value(name: string): unknown {
    this.#asked.add(name);
    const spelled = spelling({ has: this.#has }, name);
    return this.#has(spelled) ? (this.#object[spelled] ?? undefined) : undefined;
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  string(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'string') return value;
    return this.#wrong(name, 'a string');
  }

  /** A string that must be there, and not empty. */
  required(name: string): string {
    const value = this.string(name) ?? '';
    if (value === '') this.log.invalid(this.at(name), `${this.at(name)} is missing. Send it as a string.`);
    return value;
  }

  number(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    return this.#wrong(name, 'a number');
  }

  integer(name: string): number | undefined {
    const number = this.number(name);
    if (number === undefined || Number.isSafeInteger(number)) return number;
    return this.#wrong(name, 'a whole number');
  }

  boolean(name: string): boolean | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.#wrong(name, 'true or false');
  }

  /** An object to be read field by field. */
  object(name: string): ObjectReader | undefined {
    const value = this.json(name);
    return value === undefined ? undefined : new ObjectReader(value, this.at(name), this.log);
  }

  /** An object to be taken whole, such as a JSON Schema. */
  json(name: string): JsonObject | undefined {
    const value = this.value(name);
    if (value === undefined || isObject(value)) return value;
    return this.#wrong(name, 'an object');
  }

  /** A list's items, each an object. */
  objects(name: string): readonly ObjectReader[] {
    const value = this.value(name);
    if (value === undefined) return [];
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.flatMap((item, index) => {
      const path = Array.isArray(value) ? `${this.at(name)}[${index}]` : this.at(name);
      if (isObject(item)) return [new ObjectReader(item, path, this.log)];
      this.log.invalid(path, `${path} must be an object.`);
      return [];
    });
  }

  /** A list's items, each a string; `undefined` where it is absent. */
  strings(name: string): readonly string[] | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.every((item) => typeof item === 'string') ? items : this.#wrong(name, 'an array of strings');
  }

  /** An object whose values are all strings. */
  record(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.json(name);
    if (value === undefined) return undefined;
    return Object.values(value).every((member) => typeof member === 'string')
      ? (value as Readonly<Record<string, string>>)
      : this.#wrong(name, 'an object of strings');
  }

  /** Fields whose absence elsewhere changes no answer, or that are judged elsewhere. */
  ignore(names: readonly string[]): void {
    for (const name of names) this.#asked.add(name);
  }

  /** Goes on without a field where it is there. */
  drop(name: string, message: string): void {
    if (this.has(name)) this.log.losses.dropped(this.at(name), message);
  }

  /** Refuses a field where it is there. */
  refuse(name: string, message: string): void {
    if (this.has(name)) this.log.losses.refused(this.at(name), message);
  }

  /** Tells of each field that nobody asked for. */
  dropRest(): void {
    for (const [name, value] of Object.entries(this.#object)) {
      if (this.#asked.has(camelCase(name)) || value === null) continue;
      const shown = PLAIN_NAME.test(name) ? name : '*';
      const param = this.path === '' ? shown : `${this.path}.${shown}`;
      this.log.losses.dropped(param, `${param} has no meaning beyond Gemini's API and was left out.`);
    }
  }

  #wrong(name: string, wanted: string): undefined {
    this.log.invalid(this.at(name), `${this.at(name)} must be ${wanted}.`);
    return undefined;
  }
}
