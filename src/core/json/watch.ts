import { concatBytes, decodeUtf8 } from './bytes.ts';
import { MAX_JSON_DEPTH } from './scan.ts';

/** What a watcher looks for. Paths join keys with `.` and mark array items by `[]`: `usage`, `output[].type`. */
export interface WatchedValues {
  /** Values whose bytes are handed to `found`, in their order. */
  readonly paths: ReadonlySet<string>;
  /** Most steps of a path: `usage` has one, `output[].type` three. */
  readonly maxPathDepth: number;
  /** Values that are longer are passed over, and `found` gets `undefined`. */
  readonly maxValueBytes: number;
  readonly found: (path: string, value: Uint8Array | undefined) => void;
  /** Keys whose string values are generated text, at whatever depth; their bytes are summed. */
  readonly textKeys: ReadonlySet<string>;
}

/** Keys that are longer match nothing. */
const MAX_KEY_BYTES = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** 1 for the bytes of numbers, commas and white space. */
const QUIET = new Uint8Array(256).map((_, byte) => ('0123456789.-+eE, \t\r\n'.includes(String.fromCharCode(byte)) ? 1 : 0));

/**
 * Finds chosen values of a document that arrives in pieces, keeping no more than the value that is being read. Tells the
 * document's end (that of its outermost object or array), but checks it no further: it reads what providers wrote.
 */
export class JsonWatcher {
  /** `broken`: brackets that do not match, nesting too deep, or something after the end. */
  state: 'open' | 'complete' | 'broken' = 'open';
  /** Bytes of the strings under the text keys. */
  textBytes = 0;
  readonly #wanted: WatchedValues;
  readonly #maxPathDepth: number;
  /** For each open container: whether it is an object, and its path where that is short enough to matter. */
  readonly #objects: boolean[] = [];
  readonly #paths: (string | undefined)[] = [];
  #inString = false;
  #escaped = false;
  #isKey = false;
  #expectsKey = false;
  #isText = false;
  readonly #key = new Uint8Array(MAX_KEY_BYTES);
  #keyLength = 0;
  #capturePath: string | undefined;
  #captureDepth = 0;
  #captured: Uint8Array[] = [];
  #capturedBytes = 0;

  constructor(wanted: WatchedValues) {
    this.#wanted = wanted;
    this.#maxPathDepth = wanted.maxPathDepth;
  }

  push(chunk: Uint8Array): void {
    let captureFrom = 0;
    let at = 0;
    while (at < chunk.length && this.state !== 'broken') {
      if (this.#inString) {
        at = this.#stringPart(chunk, at);
        if (!this.#inString && this.#endsCapture()) {
          this.#keep(chunk, captureFrom, at);
          this.#release();
        }
        continue;
      }
      at = this.#quietEnd(chunk, at);
      if (at === chunk.length) break;
      const byte = chunk[at] as number;
      if (isScalarEnd(byte) && this.#endsCapture()) {
        this.#keep(chunk, captureFrom, at);
        this.#release();
      }
      if (this.#beginsCapture(byte)) captureFrom = at;
      const closes = byte === 0x7d || byte === 0x5d;
      this.#structure(byte);
      at++;
      if (closes && this.#endsCapture()) {
        this.#keep(chunk, captureFrom, at);
        this.#release();
      }
    }
    if (this.#capturePath !== undefined) this.#keep(chunk, captureFrom, chunk.length);
  }

  /** Skips what changes nothing: the numbers of an array that is too deep to be wanted (embeddings are megabytes of them). */
  #quietEnd(chunk: Uint8Array, from: number): number {
    if (this.#capturePath !== undefined || this.#objects.length <= this.#maxPathDepth || this.#inObject()) return from;
    let at = from;
    while (at < chunk.length && QUIET[chunk[at] as number] === 1) at++;
    return at;
  }

  /** Takes the bytes of a string up to its closing quote or the chunk's end; returns where it stopped. */
  #stringPart(chunk: Uint8Array, from: number): number {
    let at = from;
    if (this.#escaped) {
      this.#escaped = false;
      at++;
    }
    const start = at;
    for (;;) {
      const quote = chunk.indexOf(QUOTE, at);
      const end = quote === -1 ? chunk.length : quote;
      const odd = trailingBackslashes(chunk, start, end) % 2 === 1;
      if (quote !== -1 && odd) {
        at = quote + 1;
        continue;
      }
      this.#take(chunk, from, end);
      this.#escaped = quote === -1 && odd;
      if (quote === -1) return end;
      this.#inString = false;
      this.#isText = false;
      return quote + 1;
    }
  }

  #take(chunk: Uint8Array, from: number, end: number): void {
    if (this.#isText) this.textBytes += end - from;
    if (!this.#isKey) return;
    const length = end - from;
    if (this.#keyLength + length <= MAX_KEY_BYTES) this.#key.set(chunk.subarray(from, end), this.#keyLength);
    this.#keyLength += length;
  }

  #structure(byte: number): void {
    switch (byte) {
      case QUOTE:
        this.#inString = true;
        this.#isKey = this.#expectsKey;
        if (this.#isKey) this.#keyLength = 0;
        else this.#isText = this.#inObject() && this.#wanted.textKeys.has(this.#keyText());
        return;
      case 0x3a:
        this.#expectsKey = false;
        return;
      case 0x2c:
        this.#expectsKey = this.#inObject();
        return;
      case 0x7b:
      case 0x5b:
        this.#openContainer(byte === 0x7b);
        return;
      case 0x7d:
      case 0x5d:
        this.#closeContainer(byte === 0x7d);
        return;
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
        return;
      default:
        if (this.#objects.length === 0) this.state = 'broken';
    }
  }

  #openContainer(isObject: boolean): void {
    if (this.#objects.length >= MAX_JSON_DEPTH || this.state === 'complete') {
      this.state = 'broken';
      return;
    }
    const path = this.#valuePath();
    this.#objects.push(isObject);
    this.#paths.push(path);
    this.#expectsKey = isObject;
  }

  #closeContainer(isObject: boolean): void {
    this.#paths.pop();
    if (this.#objects.pop() !== isObject) this.state = 'broken';
    else if (this.#objects.length === 0) this.state = 'complete';
    this.#expectsKey = false;
  }

  /** The path of the value that begins now; `undefined` where it is too deep to be wanted. */
  #valuePath(): string | undefined {
    const depth = this.#objects.length;
    if (depth === 0) return '';
    if (depth > this.#maxPathDepth) return undefined;
    const parent = this.#paths[depth - 1];
    if (parent === undefined) return undefined;
    if (!this.#inObject()) return `${parent}[]`;
    return parent === '' ? this.#keyText() : `${parent}.${this.#keyText()}`;
  }

  #beginsCapture(byte: number): boolean {
    if (this.#capturePath !== undefined || this.#expectsKey || this.#objects.length === 0 || !isValueStart(byte)) return false;
    const path = this.#valuePath();
    if (path === undefined || !this.#wanted.paths.has(path)) return false;
    this.#capturePath = path;
    this.#captureDepth = this.#objects.length;
    return true;
  }

  #endsCapture(): boolean {
    return this.#capturePath !== undefined && this.#objects.length === this.#captureDepth;
  }

  #keep(chunk: Uint8Array, from: number, end: number): void {
    this.#capturedBytes += end - from;
    if (this.#capturedBytes > this.#wanted.maxValueBytes) this.#captured = [];
    else if (end > from) this.#captured.push(chunk.slice(from, end));
  }

  #release(): void {
    const fits = this.#capturedBytes <= this.#wanted.maxValueBytes;
    const path = this.#capturePath as string;
    const value = fits ? concatBytes(this.#captured) : undefined;
    this.#capturePath = undefined;
    this.#captured = [];
    this.#capturedBytes = 0;
    this.#wanted.found(path, value);
  }

  #inObject(): boolean {
    return this.#objects[this.#objects.length - 1] === true;
  }

  #keyText(): string {
    return this.#keyLength > MAX_KEY_BYTES ? '' : decodeUtf8(this.#key, 0, this.#keyLength);
  }
}

function trailingBackslashes(chunk: Uint8Array, start: number, end: number): number {
  let count = 0;
  while (end - count > start && chunk[end - count - 1] === BACKSLASH) count++;
  return count;
}

function isValueStart(byte: number): boolean {
  return byte > 0x20 && byte !== 0x2c && byte !== 0x3a && byte !== 0x7d && byte !== 0x5d;
}

/** Ends a number or a literal: white space, a comma or a closing bracket. */
function isScalarEnd(byte: number): boolean {
  return byte <= 0x20 || byte === 0x2c || byte === 0x7d || byte === 0x5d;
}
