import { crc32 } from 'node:zlib';

/** Length, checksum of what follows the header, sequence number. */
const HEADER_BYTES = 16;

/** A larger one would be a bug: it holds figures and names only. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;

export interface JournalEntry {
  readonly sequence: number;
  readonly payload: Buffer;
}

/** An entry as bytes: u32 length, u32 CRC-32 of sequence and payload, u64 sequence, payload. Zero length marks the end. */
export function encodeEntry({ sequence, payload }: JournalEntry): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes.writeUInt32BE(payload.length, 0);
  bytes.writeBigUInt64BE(BigInt(sequence), 8);
  payload.copy(bytes, HEADER_BYTES);
  bytes.writeUInt32BE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** First byte of an entry that stands for others. What callers append is text, and never begins with it. */
const SKIP = 0;

/** Stands for the numbers of a range, both ends included, that could not be written; whoever appended them was told. */
export function encodeSkip(from: number, to: number): Buffer {
  const payload = Buffer.alloc(9, SKIP);
  payload.writeBigUInt64BE(BigInt(from), 1);
  return encodeEntry({ sequence: to, payload });
}

/** The first of the numbers that an entry stands for; `undefined` where it is an ordinary one. */
export const skippedFrom = ({ payload }: JournalEntry): number | undefined =>
  payload.length === 9 && payload[0] === SKIP ? Number(payload.readBigUInt64BE(1)) : undefined;

/** Entries from an offset up to the first that is not whole: a torn write, or the end. `end` is where the next entry goes. */
export function decodeEntries(bytes: Buffer, from = 0): { readonly entries: JournalEntry[]; readonly end: number; readonly torn: boolean } {
  const entries: JournalEntry[] = [];
  let offset = from;
  while (offset + HEADER_BYTES <= bytes.length) {
    if (bytes.readUInt32BE(offset) === 0) return { entries, end: offset, torn: false };
    const next = endOfEntry(bytes, offset);
    if (next === undefined) return { entries, end: offset, torn: true };
    entries.push({ sequence: Number(bytes.readBigUInt64BE(offset + 8)), payload: bytes.subarray(offset + HEADER_BYTES, next) });
    offset = next;
  }
  return { entries, end: offset, torn: false };
}

/** Where the next whole entry begins at or behind an offset: where there is one, what is unreadable before it is no torn end. */
export function findEntry(bytes: Buffer, from: number): number | undefined {
  for (let offset = from; offset + HEADER_BYTES < bytes.length; offset++) {
    if (bytes.readUInt32BE(offset) !== 0 && endOfEntry(bytes, offset) !== undefined) return offset;
  }
  return undefined;
}

/** `undefined`: there is no whole entry here. */
function endOfEntry(bytes: Buffer, offset: number): number | undefined {
  const length = bytes.readUInt32BE(offset);
  const end = offset + HEADER_BYTES + length;
  if (length > MAX_PAYLOAD_BYTES || end > bytes.length) return undefined;
  return crc32(bytes.subarray(offset + 8, end)) === bytes.readUInt32BE(offset + 4) ? end : undefined;
}
