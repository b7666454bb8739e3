/** Code units handed to `String.fromCharCode` at once; engines limit the arguments of a call. */
const CODE_UNITS_AT_ONCE = 4096;

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
  let units: number[] = [];
  for (let index = start; index < end; ) {
    const [point, width] = codePointAt(bytes, index);
    index += width;
    if (point > 0xffff) units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
    else units.push(point);
    if (units.length >= CODE_UNITS_AT_ONCE) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
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

function codePointAt(bytes: Uint8Array, index: number): [point: number, width: number] {
  const lead = bytes[index] as number;
  if (lead < 0x80) return [lead, 1];
  const next = (offset: number): number => (bytes[index + offset] ?? 0) & 0x3f;
  if (lead < 0xe0) return [((lead & 0x1f) << 6) | next(1), 2];
  if (lead < 0xf0) return [((lead & 0x0f) << 12) | (next(1) << 6) | next(2), 3];
  return [((lead & 0x07) << 18) | (next(1) << 12) | (next(2) << 6) | next(3), 4];
}
