import { FaultLog } from '../../fields.ts';
import type { IntegerBounds } from '../../fields.ts';
import { LossLog } from '../../losses.ts';
import { isObject } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** Names of the caller's that are repeated in a message; others may be content in disguise. */
const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** A name of the caller's in quotes, if it is one that can be repeated. */
export function quoted(name: string | undefined): string {
  return name !== undefined && PLAIN_NAME.test(name) ? `"${name}"` : 'of an unknown kind';
}

/** What is found while a request is read: the first fault, and what has no neutral form. */
export class RequestLog {
  readonly faults = new FaultLog();
  readonly losses = new LossLog();

  invalid(param: string, message: string): void {
    this.faults.add('invalid_value', param, message);
  }
}

/**
 * Reads an object's members by type and remembers which were asked for, so that what nobody asked for is told as lost.
 * Null counts as absent, as OpenAI takes it. What has the wrong type is a fault that names its path, and reads as absent.
 */
export class ObjectReader {
  readonly path: string;
  readonly log: RequestLog;
  readonly #object: JsonObject;
  readonly #asked = new Set<string>();

  constructor(object: JsonObject, path: string, log: RequestLog) {
    this.#object = object;
    this.path = path;
    this.log = log;
  }

  /** The path of a member: `messages[0].content`. */
  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** A member's value whatever its type; `undefined` where it is absent or null. */
  value(name: string): unknown {
    this.#asked.add(name);
    return this.#object[name] ?? undefined;
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  string(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'string') return value;
    return this.#wrong(name, 'a string');
  }

  /** A string that must be there. */
  required(name: string): string {
    const value = this.string(name);
    if (value === undefined) this.log.invalid(this.at(name), `${this.at(name)} is missing. Send it as a string.`);
    return value ?? '';
  }

  /** One of several words. */
  word<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.string(name);
    if (value === undefined) return undefined;
    const word = words.find((candidate) => candidate === value);
    return word ?? this.#wrong(name, `one of ${words.join(', ')}`);
  }

  number(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
    return this.#wrong(name, 'a number');
  }

  integer(name: string, { min, max }: IntegerBounds): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value + 0;
    return this.#wrong(name, `a whole number from ${min} to ${max}`);
  }

  boolean(name: string): boolean | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.#wrong(name, 'true or false');
  }

  /** An object to be read member by member. */
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

  array(name: string): readonly unknown[] {
    const value = this.value(name);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value as readonly unknown[];
    this.#wrong(name, 'an array');
    return [];
  }

  /** An array's items, each an object. */
  objects(name: string): readonly ObjectReader[] {
    return this.array(name).flatMap((item, index) => {
      const path = `${this.at(name)}[${index}]`;
      if (isObject(item)) return [new ObjectReader(item, path, this.log)];
      this.log.invalid(path, `${path} must be an object.`);
      return [];
    });
  }

  /** An array's items, each a string. */
  strings(name: string): readonly string[] {
    const items = this.array(name);
    const strings = items.filter((item) => typeof item === 'string');
    if (strings.length < items.length) this.#wrong(name, 'an array of strings');
    return strings;
  }

  /** An object whose values are all of one type. */
  record(name: string, type: 'string'): Readonly<Record<string, string>> | undefined;
  record(name: string, type: 'number'): Readonly<Record<string, number>> | undefined;
  record(name: string, type: 'string' | 'number'): JsonObject | undefined {
    const value = this.json(name);
    if (value === undefined || Object.values(value).every((member) => typeof member === type)) return value;
    return this.#wrong(name, `an object of ${type}s`);
  }

  /** Members whose absence elsewhere changes no answer. */
  ignore(names: readonly string[]): void {
    for (const name of names) this.#asked.add(name);
  }

  /** Goes on without a member where it is there. */
  drop(name: string, message: string): void {
    if (this.has(name)) this.log.losses.dropped(this.at(name), message);
  }

  /** Refuses a member where it is there. */
  refuse(name: string, message: string): void {
    if (this.has(name)) this.log.losses.refused(this.at(name), message);
  }

  /** Tells of each member that nobody asked for. */
  dropRest(): void {
    for (const [name, value] of Object.entries(this.#object)) {
      if (this.#asked.has(name) || value === null) continue;
      const param = this.at(PLAIN_NAME.test(name) ? name : '*');
      this.log.losses.dropped(param, `${param} has no meaning beyond this API and was left out.`);
    }
  }

  #wrong(name: string, wanted: string): undefined {
    this.log.invalid(this.at(name), `${this.at(name)} must be ${wanted}.`);
    return undefined;
  }
}
