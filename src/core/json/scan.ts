import { plainRunEnd, utf8SequenceWidth } from './text.ts';

/** Deepest nesting of arrays and objects that is read. */
export const MAX_JSON_DEPTH = 128;

/** Most values (keys count as well) in one document: 300,000 token ids of an embeddings call pass, memory stays bounded. */
export const MAX_JSON_VALUES = 1_000_000;

/** What is wrong with a document, and where. The message never quotes it. */
export interface JsonFault {
  /** Bytes before the fault. */
  readonly offset: number;
  /** A sentence. */
  readonly message: string;
}

/** Numbers that a tape holds for each value: where it starts, where it ends, and the index of the value after it and its parts. */
export const TAPE_STRIDE = 3;

export type Scanned = { readonly ok: true; readonly tape: Int32Array } | { readonly ok: false; readonly error: JsonFault };

/**
 * Checks a whole document against RFC 8259 and UTF-8 and notes where its values are. Object members lie on the tape as
 * key, value, key, value. Duplicate keys are found when an object is read (`JsonDocument.members`).
 */
export function scanJson(bytes: Uint8Array): Scanned {
  const scanner = new Scanner(bytes);
  return scanner.document() ? { ok: true, tape: scanner.tape } : { ok: false, error: scanner.fault };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const LITERALS: Readonly<Record<number, readonly number[]>> = {
  0x74: [0x74, 0x72, 0x75, 0x65],
  0x66: [0x66, 0x61, 0x6c, 0x73, 0x65],
  0x6e: [0x6e, 0x75, 0x6c, 0x6c],
};
/** The bytes that may follow a backslash: `" \ / b f n r t u`. */
const ESCAPED = new Set([QUOTE, BACKSLASH, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74, 0x75]);

class Scanner {
  tape: Int32Array;
  fault: JsonFault = { offset: 0, message: '' };
  readonly #bytes: Uint8Array;
  #position = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.tape = new Int32Array(Math.min(64 + (bytes.length >> 4), 1 << 16) * TAPE_STRIDE);
  }

  document(): boolean {
    const bytes = this.#bytes;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return this.#fail('The document begins with a byte order mark; send plain UTF-8');
    this.#whitespace();
    if (this.#position === bytes.length) return this.#fail('The document is empty');
    if (!this.#value(0)) return false;
    this.#whitespace();
    if (this.#position !== bytes.length) return this.#fail('Something follows the end of the document');
    this.tape = this.tape.subarray(0, this.#count * TAPE_STRIDE);
    return true;
  }

  #value(depth: number): boolean {
    const start = this.#position;
    const byte = this.#bytes[start];
    const node = this.#open(start);
    if (node < 0) return false;
    let read: boolean;
    if (byte === QUOTE) read = this.#string();
    else if (byte === OPEN_BRACE) read = this.#object(depth + 1);
    else if (byte === OPEN_BRACKET) read = this.#array(depth + 1);
    else if (byte === 0x74 || byte === 0x66 || byte === 0x6e) read = this.#literal(LITERALS[byte] as readonly number[]);
    else read = this.#number();
    if (!read) return false;
    this.#close(node);
    return true;
  }

  #object(depth: number): boolean {
    if (depth > MAX_JSON_DEPTH) return this.#fail(`The document is nested more than ${MAX_JSON_DEPTH} levels deep`);
    this.#position++;
    this.#whitespace();
    if (this.#take(CLOSE_BRACE)) return true;
    for (;;) {
      if (this.#bytes[this.#position] !== QUOTE) return this.#fail('A key in double quotes is expected');
      const key = this.#open(this.#position);
      if (key < 0 || !this.#string()) return false;
      this.#close(key);
      this.#whitespace();
      if (!this.#take(COLON)) return this.#fail('A colon is expected after a key');
      this.#whitespace();
      if (!this.#value(depth)) return false;
      this.#whitespace();
      if (this.#take(CLOSE_BRACE)) return true;
      if (!this.#take(COMMA)) return this.#fail('A comma or a closing brace is expected');
      this.#whitespace();
    }
  }

  #array(depth: number): boolean {
    if (depth > MAX_JSON_DEPTH) return this.#fail(`The document is nested more than ${MAX_JSON_DEPTH} levels deep`);
    this.#position++;
    this.#whitespace();
    if (this.#take(CLOSE_BRACKET)) return true;
    for (;;) {
      if (!this.#value(depth)) return false;
      this.#whitespace();
      if (this.#take(CLOSE_BRACKET)) return true;
      if (!this.#take(COMMA)) return this.#fail('A comma or a closing bracket is expected');
      this.#whitespace();
    }
  }

  #string(): boolean {
    const bytes = this.#bytes;
    let at = this.#position + 1;
    for (;;) {
      at = plainRunEnd(bytes, at);
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#position = at + 1;
        return true;
      }
      if (byte === undefined) return this.#failAt(at, 'A string is not closed');
      if (byte === BACKSLASH) {
        const escaped = bytes[at + 1];
        if (escaped === undefined || !ESCAPED.has(escaped)) return this.#failAt(at, 'A backslash begins no known escape');
        if (escaped === 0x75 && !this.#hexDigits(at + 2)) return this.#failAt(at, 'Four hexadecimal digits are expected after \\u');
        at += escaped === 0x75 ? 6 : 2;
      } else if (byte < 0x20) {
        return this.#failAt(at, 'A control character in a string must be escaped');
      } else {
        const width = utf8SequenceWidth(bytes, at);
        if (width === 0) return this.#failAt(at, 'A string is not valid UTF-8');
        at += width;
      }
    }
  }

  #hexDigits(from: number): boolean {
    for (let at = from; at < from + 4; at++) {
      const byte = this.#bytes[at] ?? 0;
      if (!(isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66))) return false;
    }
    return true;
  }

  #number(): boolean {
    const bytes = this.#bytes;
    let at = this.#position;
    if (bytes[at] === MINUS) at++;
    const first = bytes[at] ?? 0;
    if (!isDigit(first)) return this.#failAt(at, at === this.#position ? 'A value is expected' : 'A digit is expected after a minus sign');
    at = first === ZERO ? at + 1 : this.#digitsEnd(at);
    if (bytes[at] === POINT) {
      const end = this.#digitsEnd(at + 1);
      if (end === at + 1) return this.#failAt(end, 'A digit is expected after a decimal point');
      at = end;
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      const from = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS ? at + 2 : at + 1;
      const end = this.#digitsEnd(from);
      if (end === from) return this.#failAt(end, 'A digit is expected in an exponent');
      at = end;
    }
    this.#position = at;
    return true;
  }

  #digitsEnd(from: number): number {
    let at = from;
    while (isDigit(this.#bytes[at] ?? 0)) at++;
    return at;
  }

  #literal(literal: readonly number[]): boolean {
    for (let index = 1; index < literal.length; index++) {
      if (this.#bytes[this.#position + index] !== literal[index]) return this.#fail('A value is expected');
    }
    this.#position += literal.length;
    return true;
  }

  #whitespace(): void {
    const bytes = this.#bytes;
    let at = this.#position;
    for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[++at]);
    this.#position = at;
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.#position] !== byte) return false;
    this.#position++;
    return true;
  }

  #open(start: number): number {
    const node = this.#count;
    if (node === MAX_JSON_VALUES) {
      this.#fail(`The document has more than ${MAX_JSON_VALUES} values`);
      return -1;
    }
    if ((node + 1) * TAPE_STRIDE > this.tape.length) {
      const larger = new Int32Array(this.tape.length * 2);
      larger.set(this.tape);
      this.tape = larger;
    }
    this.tape[node * TAPE_STRIDE] = start;
    this.#count = node + 1;
    return node;
  }

  #close(node: number): void {
    this.tape[node * TAPE_STRIDE + 1] = this.#position;
    this.tape[node * TAPE_STRIDE + 2] = this.#count;
  }

  #fail(message: string): false {
    return this.#failAt(this.#position, message);
  }

  #failAt(offset: number, message: string): false {
    this.fault = { offset, message: `${message} (byte ${offset}).` };
    return false;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}
