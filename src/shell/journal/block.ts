import { crc32 } from 'node:zlib';

/**
 * A segment is a header and then blocks. A block is what one write carried: whole or torn, never half right, since one
 * checksum covers all its entries. The next block is written only after the former is durable, so a block that cannot
 * be read is a torn tail if nothing follows it, and damage if something does.
 *
 * Segment header: magic, u32 version, u64 number of the first entry, u32 CRC-32 of these.
 * Block: u32 magic, u32 length of the body, u32 CRC-32 of what follows, u64 number of the first entry, u32 entries, body.
 * Body: u32 length and payload, for each entry. All big-endian.
 */
export const SEGMENT_HEADER_BYTES = 24;
export const BLOCK_HEADER_BYTES = 24;
export const ENTRY_HEADER_BYTES = 4;

/** An entry holds figures and names; a larger one is a bug. */
export const MAX_ENTRY_BYTES = 64 * 1024;
/** What one write carries at most. */
export const MAX_BLOCK_BYTES = 1024 * 1024;

/** A newer one is refused: its meaning is unknown here. */
export const JOURNAL_VERSION = 1;

const SEGMENT_MAGIC = Buffer.from('AIRMESHJ');
export const BLOCK_MAGIC = Buffer.from([0xa1, 0x4d, 0x42, 0x6b]);

export interface JournalEntry {
  readonly sequence: number;
  readonly payload: Buffer;
}

export function encodeSegmentHeader(firstSequence: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(header);
  header.writeUInt32BE(JOURNAL_VERSION, 8);
  header.writeBigUInt64BE(BigInt(firstSequence), 12);
  header.writeUInt32BE(crc32(header.subarray(0, 20)), 20);
  return header;
}

/** The version that wrote a segment; `undefined` where there is no header (a segment that was never begun). */
export function segmentVersion(header: Buffer): number | undefined {
  if (header.length < SEGMENT_HEADER_BYTES || !header.subarray(0, 8).equals(SEGMENT_MAGIC)) return undefined;
  return crc32(header.subarray(0, 20)) === header.readUInt32BE(20) ? header.readUInt32BE(8) : undefined;
}

/** What a block of these payloads takes, without its header. */
export function bodyLength(payloads: readonly Buffer[]): number {
  return payloads.reduce((sum, payload) => sum + ENTRY_HEADER_BYTES + payload.length, 0);
}

export function encodeBlock(firstSequence: number, payloads: readonly Buffer[]): Buffer {
  const length = bodyLength(payloads);
  const block = Buffer.allocUnsafe(BLOCK_HEADER_BYTES + length);
  BLOCK_MAGIC.copy(block);
  block.writeUInt32BE(length, 4);
  block.writeBigUInt64BE(BigInt(firstSequence), 12);
  block.writeUInt32BE(payloads.length, 20);
  let offset = BLOCK_HEADER_BYTES;
  for (const payload of payloads) {
    offset = block.writeUInt32BE(payload.length, offset);
    offset += payload.copy(block, offset);
  }
  block.writeUInt32BE(crc32(block.subarray(12)), 8);
  return block;
}

export interface BlockHeader {
  readonly length: number;
  readonly checksum: number;
  readonly firstSequence: number;
  readonly count: number;
}

/** `undefined` where no block begins. */
export function decodeBlockHeader(bytes: Buffer, offset = 0): BlockHeader | undefined {
  if (offset + BLOCK_HEADER_BYTES > bytes.length || BLOCK_MAGIC.compare(bytes, offset, offset + 4) !== 0) return undefined;
  const length = bytes.readUInt32BE(offset + 4);
  if (length > MAX_BLOCK_BYTES) return undefined;
  return {
    length,
    checksum: bytes.readUInt32BE(offset + 8),
    firstSequence: Number(bytes.readBigUInt64BE(offset + 12)),
    count: bytes.readUInt32BE(offset + 20),
  };
}

export interface Block {
  readonly firstSequence: number;
  /** The number after the last entry's. */
  readonly nextSequence: number;
  /** Where the next block begins. */
  readonly end: number;
  readonly entries: readonly JournalEntry[];
}

/** The block at `offset`; `undefined` where none is whole there. */
export function decodeBlock(bytes: Buffer, offset: number): Block | undefined {
  const header = decodeBlockHeader(bytes, offset);
  if (header === undefined) return undefined;
  const end = offset + BLOCK_HEADER_BYTES + header.length;
  if (end > bytes.length || crc32(bytes.subarray(offset + 12, end)) !== header.checksum) return undefined;
  const entries: JournalEntry[] = [];
  let position = offset + BLOCK_HEADER_BYTES;
  for (let index = 0; index < header.count; index++) {
    const length = bytes.readUInt32BE(position);
    position += ENTRY_HEADER_BYTES;
    entries.push({ sequence: header.firstSequence + index, payload: bytes.subarray(position, position + length) });
    position += length;
  }
  return { firstSequence: header.firstSequence, nextSequence: header.firstSequence + header.count, end, entries };
}
