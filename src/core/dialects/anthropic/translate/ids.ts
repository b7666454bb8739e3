import { encodeUtf8 } from '../../../json/index.ts';

/** What Anthropic takes for the id of a tool call. Source: Anthropic's error for others, `String should match pattern '^[a-zA-Z0-9_-]+$'`. */
const VALID = /^[a-zA-Z0-9_-]+$/;

/**
 * Ids of tool calls within one request. Those that Anthropic takes stay; of the others every byte but letters, digits and
 * hyphens becomes `_` and two hexadecimal digits, so that equal ids stay equal, and different ones different.
 */
export class ToolIds {
  readonly #written = new Map<string, string>();
  readonly #taken: ReadonlySet<string>;

  /** `ids`: all of the request's, so that none that is written anew is one that is there. */
  constructor(ids: Iterable<string>) {
    this.#taken = new Set([...ids].filter((id) => VALID.test(id)));
  }

  of(id: string): string {
    if (VALID.test(id)) return id;
    let written = this.#written.get(id);
    if (written === undefined) {
      written = `id_${[...encodeUtf8(id)].map(escaped).join('')}`;
      while (this.#taken.has(written)) written += '_';
      this.#written.set(id, written);
    }
    return written;
  }
}

function escaped(byte: number): string {
  const letter = String.fromCharCode(byte);
  return /[a-zA-Z0-9-]/.test(letter) ? letter : `_${byte.toString(16).padStart(2, '0')}`;
}
