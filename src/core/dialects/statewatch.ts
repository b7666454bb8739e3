import { JsonWatcher, parseJson } from '../json/index.ts';
import { isObjectId } from './state.ts';
import type { FoundObject, StateKind, StateWatcher } from './state.ts';

/** Longest id, time or usage that is read out of an answer. */
const MAX_VALUE_BYTES = 16 * 1024;

const NO_KEYS: ReadonlySet<string> = new Set();

/** Where an answer's object says what it is. */
export interface ObjectPaths {
  readonly kind: StateKind;
  /** The object's id, in its full form. */
  readonly id: string;
  /** The id as it is known by, of what stands there: without a collection's name, say. */
  readonly idOf?: (text: string) => string;
  readonly expires?: { readonly path: string; readonly read: (value: unknown) => number | undefined };
  readonly tokens?: { readonly path: string; readonly read: (value: unknown) => number | undefined };
  /** Other objects that belong to its owner, by the path of their ids. */
  readonly related: ReadonlyMap<string, StateKind>;
}

/**
 * Finds the object that a JSON answer describes while it passes. Told as soon as the id is whole, and again when more
 * of it is known.
 */
export class ObjectWatcher implements StateWatcher {
  readonly #paths: ObjectPaths;
  readonly #found: (object: FoundObject) => void;
  readonly #watcher: JsonWatcher;
  #object: FoundObject | undefined;
  #more: Pick<FoundObject, 'expiresAtS' | 'tokens'> = {};

  constructor(paths: ObjectPaths, found: (object: FoundObject) => void) {
    this.#paths = paths;
    this.#found = found;
    const wanted = [paths.id, paths.expires?.path, paths.tokens?.path, ...paths.related.keys()].filter((path) => path !== undefined);
    const maxPathDepth = Math.max(...wanted.map(depthOf));
    this.#watcher = new JsonWatcher({
      paths: new Set(wanted),
      maxPathDepth,
      maxValueBytes: MAX_VALUE_BYTES,
      textKeys: NO_KEYS,
      found: (path, value) => this.#value(path, value),
    });
  }

  push(chunk: Uint8Array, _endOfStream: boolean): void {
    this.#watcher.push(chunk);
  }

  #value(path: string, bytes: Uint8Array | undefined): void {
    const value = bytes === undefined ? undefined : valueOf(bytes);
    const { kind, id, idOf, expires, tokens, related } = this.#paths;
    if (path === id) this.#named(kind, typeof value === 'string' ? (idOf?.(value) ?? value) : '');
    else if (path === expires?.path) this.#known('expiresAtS', expires.read(value));
    else if (path === tokens?.path) this.#known('tokens', tokens.read(value));
    const other = related.get(path);
    if (other !== undefined && typeof value === 'string' && isObjectId(value)) this.#found({ kind: other, id: value });
  }

  #named(kind: StateKind, id: string): void {
    if (!isObjectId(id)) return;
    this.#object = { kind, id, ...this.#more };
    this.#found(this.#object);
  }

  #known(what: 'expiresAtS' | 'tokens', value: number | undefined): void {
    if (value === undefined) return;
    this.#more = { ...this.#more, [what]: value };
    if (this.#object !== undefined) this.#found({ ...this.#object, ...this.#more });
  }
}

/** How many objects and arrays stand around a value: `output[].id` has three. */
function depthOf(path: string): number {
  return path.split(/\.|(?=\[\])/).length;
}

/** A watcher that finds nothing. */
export const NOTHING_WATCHED: StateWatcher = { push: () => undefined };

/** A JSON value of a provider's, small as it is; `undefined` where it is none. */
export function valueOf(bytes: Uint8Array): unknown {
  const parsed = parseJson(bytes);
  if (!parsed.ok) return undefined;
  const { root } = parsed.value;
  switch (parsed.value.kind(root)) {
    case 'string':
      return parsed.value.text(root);
    case 'number':
      return parsed.value.integer(root);
    default:
      return undefined;
  }
}

/** Seconds since the epoch, given as such. */
export function secondsOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

/** Seconds since the epoch of a time by RFC 3339. */
export function secondsOfTime(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
}
