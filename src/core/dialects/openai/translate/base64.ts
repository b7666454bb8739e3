const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The six bits of each character's code, -1 for what is no digit of base64. */
const DIGITS = new Int8Array(128).fill(-1);
for (const [bits, digit] of [...ALPHABET].entries()) DIGITS[digit.charCodeAt(0)] = bits;

/** Writes bytes in base64 with padding. Source: RFC 4648, section 4. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3);
    const bits = (first << 16) | (second << 8) | third;
    const rest = bytes.length - at;
    text += digit(bits >> 18) + digit(bits >> 12) + (rest > 1 ? digit(bits >> 6) : '=') + (rest > 2 ? digit(bits) : '=');
  }
  return text;
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

function digit(bits: number): string {
  return ALPHABET.charAt(bits & 0x3f);
}
