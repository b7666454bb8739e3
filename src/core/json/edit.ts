import { concatBytes, encodeJson } from './bytes.ts';
import type { JsonDocument, JsonNode } from './document.ts';

/** What to do to an object's members. Values are JSON in bytes; a name that is set and removed is set. */
export interface ObjectEdit {
  readonly set: ReadonlyMap<string, Uint8Array>;
  readonly remove: ReadonlySet<string>;
}

interface Splice {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

const COMMA = Uint8Array.of(0x2c);
const COLON = Uint8Array.of(0x3a);
const NOTHING = new Uint8Array(0);

/**
 * Collects changes to a checked document and applies them at once; all bytes outside of them stay as they are.
 * Changes must not overlap: a value that is replaced or removed is not edited within.
 */
export class JsonEditor {
  readonly #document: JsonDocument;
  readonly #splices: Splice[] = [];

  constructor(document: JsonDocument) {
    this.#document = document;
  }

  /** Puts a JSON value in another's place. */
  replace(node: JsonNode, value: Uint8Array): void {
    this.#splices.push({ start: this.#document.start(node), end: this.#document.end(node), bytes: value });
  }

  /** Puts a JSON value before an array's others. */
  prepend(array: JsonNode, value: Uint8Array): void {
    const start = this.#document.start(array) + 1;
    const empty = this.#document.items(array).length === 0;
    this.#splices.push({ start, end: start, bytes: empty ? value : concatBytes([value, COMMA]) });
  }

  /** Replaces, adds (at the end) and removes members, each removal with the comma that parted it from its neighbour. */
  editObject(object: JsonNode, members: ReadonlyMap<string, JsonNode>, edit: ObjectEdit): void {
    const document = this.#document;
    let keptEnd = -1;
    let droppedStart = -1;
    let lastEnd = document.start(object) + 1;
    for (const [name, value] of members) {
      const keyStart = document.start(document.keyOf(value));
      const replacement = edit.set.get(name);
      lastEnd = document.end(value);
      if (replacement === undefined && edit.remove.has(name)) {
        if (droppedStart < 0) droppedStart = keyStart;
        continue;
      }
      if (droppedStart >= 0) this.#splices.push({ start: droppedStart, end: keyStart, bytes: NOTHING });
      droppedStart = -1;
      keptEnd = lastEnd;
      if (replacement !== undefined) this.replace(value, replacement);
    }
    const added = this.#added(members, edit.set, keptEnd >= 0);
    const start = droppedStart < 0 ? lastEnd : keptEnd >= 0 ? keptEnd : droppedStart;
    if (added.length > 0 || start < lastEnd) this.#splices.push({ start, end: lastEnd, bytes: added });
  }

  /** The document with all changes; the very same array where there are none. */
  finish(): Uint8Array {
    const { bytes } = this.#document;
    if (this.#splices.length === 0) return bytes;
    const parts: Uint8Array[] = [];
    let offset = 0;
    // Sorting is stable, so an insertion where a replaced value ends comes after it.
    for (const splice of this.#splices.toSorted((one, other) => one.start - other.start)) {
      parts.push(bytes.subarray(offset, splice.start), splice.bytes);
      offset = splice.end;
    }
    parts.push(bytes.subarray(offset));
    return concatBytes(parts);
  }

  #added(members: ReadonlyMap<string, JsonNode>, set: ObjectEdit['set'], follows: boolean): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const [name, value] of set) {
      if (members.has(name)) continue;
      if (follows || parts.length > 0) parts.push(COMMA);
      parts.push(encodeJson(name), COLON, value);
    }
    return parts.length === 0 ? NOTHING : concatBytes(parts);
  }
}
