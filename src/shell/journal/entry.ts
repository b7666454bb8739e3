import { crc32 } from 'node:zlib';

/** Length, checksum of what follows the header, sequence number. */
const HEADER_BYTES = 16;

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

/** Entries up to the first that is not whole: a torn write, or the end. `end` is where the next entry goes. */
export function decodeEntries(bytes: Buffer): { readonly entries: JournalEntry[]; readonly end: number; readonly torn: boolean } {
  const entries: JournalEntry[] = [];
  let offset = 0;
  while (offset + HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32BE(offset);
    const next = offset + HEADER_BYTES + length;
    if (length === 0) return { entries, end: offset, torn: false };
    if (next > bytes.length || crc32(bytes.subarray(offset + 8, next)) !== bytes.readUInt32BE(offset + 4)) return { entries, end: offset, torn: true };
    entries.push({ sequence: Number(bytes.readBigUInt64BE(offset + 8)), payload: bytes.subarray(offset + HEADER_BYTES, next) });
    offset = next;
  }
  return { entries, end: offset, torn: false };
}
