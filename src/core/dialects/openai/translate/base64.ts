import { decodeUtf8, encodeUtf8 } from '../../../json/index.ts';

/** The character's code of each six bits. */
const CODES = encodeUtf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 0x3d;

/** The six bits of each character's code, -1 for what is no digit of base64. */
const DIGITS = new Int8Array(128).fill(-1);
for (const [bits, code] of CODES.entries()) DIGITS[code] = bits;

/** Writes bytes in base64 with padding. Source: RFC 4648, section 4. */
export function encodeBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PADDING);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const digits = Math.min(bytes.length - at, 3) + 1;
    for (let place = 0; place < digits; place++) text[length + place] = CODES[(bits >> (18 - 6 * place)) & 0x3f] ?? PADDING;
    length += 4;
  }
  return decodeUtf8(text);
}

/** Reads base64 with or without padding; `undefined` where a character is no digit of it. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let count = 0;
  let length = 0;
  for (let at = 0; at < digits.length; at++) {
    const value = DIGITS[digits.charCodeAt(at)] ?? -1;
    if (value < 0) return undefined;
    bits = ((bits << 6) | value) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[length++] = (bits >> count) & 0xff;
    }
  }
  return bytes;
}
