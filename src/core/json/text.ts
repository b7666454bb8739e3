/** 1 for bytes that stand for themselves in a JSON string: ASCII but control characters, the quote and the backslash. */
const PLAIN = new Uint8Array(256).map((_, byte) => (byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c ? 1 : 0));

/** Plain bytes after which a run is taken to be long and read four bytes at a time (images in base64). */
const LONG_RUN_BYTES = 64;

/** The first offset at or after `from` whose byte is not plain; the length of `bytes` where all are. */
export function plainRunEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  const near = Math.min(bytes.length, from + LONG_RUN_BYTES);
  while (at < near && PLAIN[bytes[at] as number] === 1) at++;
  if (at < near || at === bytes.length) return at;
  at = plainWordsEnd(bytes, at);
  while (at < bytes.length && PLAIN[bytes[at] as number] === 1) at++;
  return at;
}

/**
 * Skips whole aligned words of plain bytes. Borrows between bytes only raise false alarms, which the
 * caller settles bytewise; a byte from 0x80 on keeps its high bit in at least one of the two comparisons.
 */
function plainWordsEnd(bytes: Uint8Array, from: number): number {
  const base = bytes.byteOffset;
  const firstByte = (base + from + 3) & ~3;
  const count = (base + bytes.length - firstByte) >> 2;
  if (count <= 0) return from;
  for (let at = from; at < firstByte - base; at++) if (PLAIN[bytes[at] as number] !== 1) return at;
  const words = new Int32Array(bytes.buffer, firstByte, count);
  let index = 0;
  for (; index < count; index++) {
    const word = words[index] as number;
    const quotes = word ^ 0x22222222;
    const backslashes = word ^ 0x5c5c5c5c;
    if ((((word - 0x20202020) | (quotes - 0x01010101) | (backslashes - 0x01010101)) & 0x80808080) !== 0) break;
  }
  return firstByte - base + index * 4;
}

/** The bytes of the well-formed UTF-8 sequence at `at` (RFC 3629: no overlong forms, no surrogates), or 0. For leads from 0x80 on. */
export function utf8SequenceWidth(bytes: Uint8Array, at: number): 0 | 2 | 3 | 4 {
  const lead = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  if (lead >= 0xc2 && lead <= 0xdf) return isContinuation(second) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const low = lead === 0xe0 ? 0xa0 : 0x80;
    const high = lead === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && isContinuation(bytes[at + 2] ?? 0) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const low = lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high && isContinuation(bytes[at + 2] ?? 0) && isContinuation(bytes[at + 3] ?? 0) ? 4 : 0;
  }
  return 0;
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf;
}
