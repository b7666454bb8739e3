/** Source: RFC 4648, section 4; section 5 has `-` and `_` for the last two. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Bytes turned into text at once, a multiple of three; the arguments of a call are limited. */
const BYTES_AT_ONCE = 3 * 1024;

const CODES = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));

/** Six bits by the letter that means them; 64 for what is no letter. */
const SEXTETS = new Uint8Array(256).fill(64);
for (const [sextet, code] of CODES.entries()) SEXTETS[code] = sextet;
SEXTETS[0x2d] = 62;
SEXTETS[0x5f] = 63;

export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += BYTES_AT_ONCE) text += encodePart(bytes.subarray(start, start + BYTES_AT_ONCE));
  return text;
}

/** The bytes of base64 in either alphabet, padded or not; `undefined` for what is none. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const letters = text.replace(/={1,2}$/, '');
  if (letters.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((letters.length * 3) / 4));
  let length = 0;
  let held = 0;
  let bits = 0;
  for (let index = 0; index < letters.length; index++) {
    const sextet = SEXTETS[letters.charCodeAt(index)] ?? 64;
    if (sextet === 64) return undefined;
    held = ((held << 6) | sextet) & 0xfff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length++] = (held >> bits) & 0xff;
  }
  return bytes;
}

/** Base64 as every provider takes it: Google takes the other alphabet, and no padding, as well. */
export function standardBase64(text: string): string {
  const plain = /[-_]/.test(text) ? text.replaceAll('-', '+').replaceAll('_', '/') : text;
  const lacking = plain.length % 4;
  return lacking < 2 ? plain : plain + '='.repeat(4 - lacking);
}

function encodePart(bytes: Uint8Array): string {
  const codes = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(0x3d);
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(from, from + 3);
    codes[to] = CODES[first >> 2] as number;
    codes[to + 1] = CODES[((first & 0x03) << 4) | (second >> 4)] as number;
    if (from + 1 < bytes.length) codes[to + 2] = CODES[((second & 0x0f) << 2) | (third >> 6)] as number;
    if (from + 2 < bytes.length) codes[to + 3] = CODES[third & 0x3f] as number;
  }
  return String.fromCharCode(...codes);
}
