import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import { decodeUtf8 } from './bytes.ts';
import { scanJson, TAPE_STRIDE } from './scan.ts';
import type { JsonFault } from './scan.ts';

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** A value of a document: its place on the tape. Means nothing outside its document. */
export type JsonNode = number;

/** Longest number literal that is read as an integer; longer ones are no sensible counts. */
const MAX_INTEGER_LITERAL_BYTES = 64;

/** Checks a document. The fault names the byte. */
export function parseJson(bytes: Uint8Array): Result<JsonDocument, JsonFault> {
  const scanned = scanJson(bytes);
  return scanned.ok ? ok(new JsonDocument(bytes, scanned.tape)) : err(scanned.error);
}

/** A checked document whose parts are read when asked for. Keeps the bytes that it was made from. */
export class JsonDocument {
  readonly bytes: Uint8Array;
  readonly root: JsonNode = 0;
  readonly #tape: Int32Array;

  constructor(bytes: Uint8Array, tape: Int32Array) {
    this.bytes = bytes;
    this.#tape = tape;
  }

  /** Offset of the value's first byte. */
  start(node: JsonNode): number {
    return this.#tape[node * TAPE_STRIDE] as number;
  }

  /** Offset after the value's last byte. */
  end(node: JsonNode): number {
    return this.#tape[node * TAPE_STRIDE + 1] as number;
  }

  kind(node: JsonNode): JsonKind {
    switch (this.bytes[this.start(node)]) {
      case 0x7b:
        return 'object';
      case 0x5b:
        return 'array';
      case 0x22:
        return 'string';
      case 0x74:
      case 0x66:
        return 'boolean';
      case 0x6e:
        return 'null';
      default:
        return 'number';
    }
  }

  /** An object's members by decoded key, in their order. A key that comes twice is a fault: readers differ in which they take. */
  members(object: JsonNode): Result<ReadonlyMap<string, JsonNode>, JsonFault> {
    const members = new Map<string, JsonNode>();
    const after = this.#after(object);
    for (let key = object + 1; key < after; key = this.#after(key + 1)) {
      const name = this.text(key);
      if (members.has(name)) return err({ offset: this.start(key), message: `An object has a key twice (byte ${this.start(key)}).` });
      members.set(name, key + 1);
    }
    return ok(members);
  }

  /** The key of a member that `members` gave. */
  keyOf(value: JsonNode): JsonNode {
    return value - 1;
  }

  /** An array's values. */
  items(array: JsonNode): JsonNode[] {
    const items: JsonNode[] = [];
    const after = this.#after(array);
    for (let item = array + 1; item < after; item = this.#after(item)) items.push(item);
    return items;
  }

  /** Bytes of a string between its quotes, escapes as they are written. */
  rawLength(string: JsonNode): number {
    return this.end(string) - this.start(string) - 2;
  }

  /** A string's text, escapes decoded. A lone surrogate escape stays a lone surrogate. */
  text(string: JsonNode): string {
    const start = this.start(string) + 1;
    const end = this.end(string) - 1;
    const raw = decodeUtf8(this.bytes, start, end);
    return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  /** A number's value where that is an integer that JavaScript holds exactly, however it is written (`1e2`, `100.0`). */
  integer(number: JsonNode): number | undefined {
    const start = this.start(number);
    const end = this.end(number);
    if (end - start > MAX_INTEGER_LITERAL_BYTES) return undefined;
    const value = Number(decodeUtf8(this.bytes, start, end));
    // Adding zero turns -0 into 0.
    return Number.isSafeInteger(value) ? value + 0 : undefined;
  }

  isTrue(node: JsonNode): boolean {
    return this.bytes[this.start(node)] === 0x74;
  }

  isNull(node: JsonNode): boolean {
    return this.bytes[this.start(node)] === 0x6e;
  }

  #after(node: JsonNode): JsonNode {
    return this.#tape[node * TAPE_STRIDE + 2] as number;
  }
}
