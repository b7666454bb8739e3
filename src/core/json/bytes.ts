/** Code units handed to `String.fromCharCode` at once; engines limit the arguments of a call. */
const CODE_UNITS_AT_ONCE = 4096;

/** Texts up to this length are mostly ASCII names, which are built byte by byte without a buffer. */
const SHORT_TEXT_BYTES = 64;

/** Writes text as UTF-8. A lone surrogate becomes U+FFFD, as it has no encoding. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[length++] = unit;
    } else if (unit < 0x800) {
      bytes[length++] = 0xc0 | (unit >> 6);
      bytes[length++] = 0x80 | (unit & 0x3f);
    } else {
      const point = text.codePointAt(index) as number;
      if (point > 0xffff) {
        index++;
        bytes[length++] = 0xf0 | (point >> 18);
        bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
      } else {
        bytes[length++] = 0xe0 | ((point >= 0xd800 && point <= 0xdfff ? 0xfffd : point) >> 12);
      }
      const rest = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
      bytes[length++] = 0x80 | ((rest >> 6) & 0x3f);
      bytes[length++] = 0x80 | (rest & 0x3f);
    }
  }
  return bytes.slice(0, length);
}

/** Reads UTF-8 that is known to be valid. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  let at = start;
  if (end - start <= SHORT_TEXT_BYTES) {
    for (; at < end && (bytes[at] as number) < 0x80; at++) text += String.fromCharCode(bytes[at] as number);
    if (at === end) return text;
  }
  const units = new Uint16Array(Math.min(end - at, CODE_UNITS_AT_ONCE) + 1);
  while (at < end) {
    let count = 0;
    while (at < end && count < CODE_UNITS_AT_ONCE) {
      const point = codePointAt(bytes, at);
      if (point > 0xffff) {
        units[count++] = 0xd800 + ((point - 0x10000) >> 10);
        units[count++] = 0xdc00 + ((point - 0x10000) & 0x3ff);
      } else {
        units[count++] = point;
      }
      at += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    }
    text += String.fromCharCode(...units.subarray(0, count));
  }
  return text;
}

/** `JSON.stringify` as bytes. The value must have a JSON form; functions and `undefined` are a bug of the caller. */
export function encodeJson(value: unknown): Uint8Array {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError('A value without a JSON form cannot be written into a body.');
  return encodeUtf8(text);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const first = parts[0];
  if (parts.length === 1 && first !== undefined) return first;
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Where `needle` begins in `bytes[from, end)`, or -1. Hops natively by its first byte, so choose needles that begin with a rare one. */
export function indexOfBytes(bytes: Uint8Array, needle: Uint8Array, from = 0, end = bytes.length): number {
  const first = needle[0];
  if (first === undefined) return from <= end ? from : -1;
  const last = end - needle.length;
  for (let at = bytes.indexOf(first, from); at !== -1 && at <= last; at = bytes.indexOf(first, at + 1)) {
    let matched = 1;
    while (matched < needle.length && bytes[at + matched] === needle[matched]) matched++;
    if (matched === needle.length) return at;
  }
  return -1;
}

function codePointAt(bytes: Uint8Array, index: number): number {
  const lead = bytes[index] as number;
  if (lead < 0x80) return lead;
  const second = (bytes[index + 1] as number) & 0x3f;
  if (lead < 0xe0) return ((lead & 0x1f) << 6) | second;
  const third = (bytes[index + 2] as number) & 0x3f;
  if (lead < 0xf0) return ((lead & 0x0f) << 12) | (second << 6) | third;
  return ((lead & 0x07) << 18) | (second << 12) | (third << 6) | ((bytes[index + 3] as number) & 0x3f);
}
