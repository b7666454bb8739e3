import { decodeUtf8 } from './bytes.ts';
import { JsonDocument, parseJson } from './document.ts';
import { MAX_JSON_DEPTH } from './scan.ts';

const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;

/** A JSON object in both forms: plain values, and the document for what reads bytes, made only when it is asked for. */
export class PlainObject {
  /** Its keys may be anything, so only fixed names are read from it, or its own entries. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly #bytes: Uint8Array;
  #document: JsonDocument | undefined;

  constructor(bytes: Uint8Array, value: Readonly<Record<string, unknown>>) {
    this.#bytes = bytes;
    this.value = value;
  }

  /** `undefined` where the document's stricter rules do not allow it (a name twice). */
  document(): JsonDocument | undefined {
    if (this.#document === undefined) {
      const parsed = parseJson(this.#bytes);
      if (parsed.ok) this.#document = parsed.value;
    }
    return this.#document;
  }
}

/**
 * Reads bytes as a JSON object by the engine's own parser, several times as fast as a document; `undefined` for anything
 * else, and for what nests deeper than a document may.
 */
export function parsePlainObject(bytes: Uint8Array): PlainObject | undefined {
  if (mayNestTooDeep(bytes) && !parseJson(bytes).ok) return undefined;
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? new PlainObject(bytes, value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Counts all openings, in texts as well: too many rather than too few. */
function mayNestTooDeep(bytes: Uint8Array): boolean {
  if (bytes.length <= 2 * MAX_JSON_DEPTH) return false;
  let openings = 0;
  for (const byte of bytes) if (byte === OPENING_BRACE || byte === OPENING_BRACKET) openings++;
  return openings > MAX_JSON_DEPTH;
}
