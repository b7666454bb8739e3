import { decodeUtf8, encodeUtf8, indexOfBytes } from '../json/index.ts';
import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';

/** Most parts of one form. */
export const MAX_PARTS = 256;

/** Longest header block of a part. */
export const MAX_PART_HEADER_BYTES = 8192;

/** One field of a form. `start` and `end` enclose its value in the body. */
export interface Part {
  readonly name: string;
  readonly isFile: boolean;
  readonly start: number;
  readonly end: number;
}

const CR_LF = Uint8Array.of(0x0d, 0x0a);
const BLANK_LINE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a);
const HYPHEN = 0x2d;

/**
 * Finds a form's fields (RFC 7578). Strict where readers differ, so that no field can hide from one of them: the boundary
 * may stand nowhere but in delimiters, lines end in CR LF, headers are neither folded nor encoded. The error is a sentence.
 */
export function readMultipart(body: Uint8Array, boundary: string): Result<readonly Part[], string> {
  const delimiter = encodeUtf8(`--${boundary}`);
  const parts: Part[] = [];
  let at = indexOfBytes(body, delimiter);
  if (at !== 0) return err('The form must begin with the boundary that the content-type names.');
  for (;;) {
    const after = at + delimiter.length;
    if (body[after] === HYPHEN && body[after + 1] === HYPHEN) return finished(body, after + 2, parts);
    if (body[after] !== CR_LF[0] || body[after + 1] !== CR_LF[1]) return err('A boundary in the form is not followed by a line end.');
    if (parts.length === MAX_PARTS) return err(`The form has more than ${MAX_PARTS} fields.`);
    const next = indexOfBytes(body, delimiter, after);
    if (next === -1) return err('The form does not end with its closing boundary.');
    if (body[next - 2] !== CR_LF[0] || body[next - 1] !== CR_LF[1]) return err('The boundary of the form occurs within a field.');
    const part = readPart(body, after + 2, next - 2);
    if (!part.ok) return part;
    parts.push(part.value);
    at = next;
  }
}

function finished(body: Uint8Array, after: number, parts: readonly Part[]): Result<readonly Part[], string> {
  const rest = body.length - after;
  const ends = rest === 0 || (rest === 2 && body[after] === CR_LF[0] && body[after + 1] === CR_LF[1]);
  return ends ? ok(parts) : err('Something follows the closing boundary of the form.');
}

function readPart(body: Uint8Array, start: number, end: number): Result<Part, string> {
  const blank = indexOfBytes(body, BLANK_LINE, start, Math.min(end, start + MAX_PART_HEADER_BYTES));
  if (blank === -1) return err('A field of the form has no blank line after its headers.');
  const block = body.subarray(start, blank);
  if (!block.every((byte) => byte >= 0x20 || byte === 0x0d || byte === 0x0a || byte === 0x09)) return err('A header in the form holds a control character.');
  let disposition: string | undefined;
  for (const line of decodeLatin(block).split('\r\n')) {
    const colon = line.indexOf(':');
    const header = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!/^[a-z0-9-]+$/.test(header) || /[\r\n]/.test(line)) return err('A header in the form is malformed or folded.');
    if (header === 'content-transfer-encoding') return err('A field of the form is encoded (content-transfer-encoding). Send it as it is.');
    if (header !== 'content-disposition') continue;
    if (disposition !== undefined) return err('A field of the form has two content-disposition headers.');
    disposition = line.slice(colon + 1).trim();
  }
  const names = disposition === undefined ? undefined : readDisposition(disposition);
  if (names === undefined) return err('A field of the form needs one header content-disposition: form-data with one plain name.');
  return ok({ ...names, start: blank + BLANK_LINE.length, end });
}

/** `form-data; name="model"; filename="a.png"`, with quoted or bare values. Extended (`name*`) and repeated parameters are refused. */
function readDisposition(disposition: string): { readonly name: string; readonly isFile: boolean } | undefined {
  let rest = /^form-data(?=\s*;)/i.test(disposition) ? disposition.slice('form-data'.length) : undefined;
  const found = new Map<string, string>();
  while (rest !== undefined && rest.trim() !== '') {
    const parameter: RegExpExecArray | null = /^\s*;\s*([a-z]+\*?)=("(?:[^"\\]|\\.)*"|[^\s;",\\]+)/i.exec(rest);
    if (parameter === null) return undefined;
    const [whole, key = '', value = ''] = parameter;
    if (found.has(key.toLowerCase())) return undefined;
    found.set(key.toLowerCase(), value.startsWith('"') ? value.slice(1, -1) : value);
    rest = rest.slice(whole.length);
  }
  const name = found.get('name');
  if (name === undefined || name === '' || name.includes('\\') || found.has('name*')) return undefined;
  return { name, isFile: found.has('filename') || found.has('filename*') };
}

/** Header bytes as one character each: file names may be in any encoding, and are not read. */
function decodeLatin(block: Uint8Array): string {
  return Array.from(block, (byte) => String.fromCharCode(byte)).join('');
}

/** The text of a field, where it is short enough and plain ASCII; `undefined` otherwise. */
export function partText(body: Uint8Array, part: Part, maxBytes: number): string | undefined {
  if (part.end - part.start > maxBytes) return undefined;
  const value = body.subarray(part.start, part.end);
  return value.every((byte) => byte >= 0x20 && byte < 0x7f) ? decodeUtf8(value) : undefined;
}
