import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BLOCK_MAGIC, JOURNAL_VERSION, SEGMENT_HEADER_BYTES, decodeBlock, segmentVersion } from './block.ts';
import type { Block } from './block.ts';
import { JournalFailure } from './failure.ts';

export interface Segment {
  readonly path: string;
  readonly firstSequence: number;
}

const NAME = /^segment-(\d{16})\.journal$/;

export function segmentPath(folder: string, firstSequence: number): string {
  return join(folder, `segment-${String(firstSequence).padStart(16, '0')}.journal`);
}

/** In the order of their entries. */
export function listSegments(folder: string): Segment[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const digits = NAME.exec(name)?.[1];
      return digits === undefined ? [] : [{ path: join(folder, name), firstSequence: Number(digits) }];
    })
    .toSorted((left, right) => left.firstSequence - right.firstSequence);
}

/** The header alone. Throws where a newer version wrote it. `false`: the segment was never begun. */
export function hasHeader(path: string): boolean {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, header, 0, header.length, 0);
  } finally {
    closeSync(descriptor);
  }
  const version = segmentVersion(header);
  if (version !== undefined && version > JOURNAL_VERSION) {
    throw new JournalFailure(`${path} was written by a newer version of Airmesh (journal ${version}; this one knows ${JOURNAL_VERSION}); use that version, or another state folder`, undefined);
  }
  return version !== undefined;
}

export interface SegmentScan {
  /** Whole blocks, in order. Old ones of a reused file are left out: their numbers are before `fromSequence`. */
  readonly blocks: readonly Block[];
  /** Where the next block goes. */
  readonly end: number;
  /** Something between whole blocks cannot be read. */
  readonly damaged: boolean;
}

/** Reads all whole blocks from a number on, also behind a place that cannot be read. */
export function scanSegment(path: string, fromSequence: number): SegmentScan {
  const bytes = readFileSync(path);
  const blocks: Block[] = [];
  let next = fromSequence;
  let damaged = false;
  let end = SEGMENT_HEADER_BYTES;
  for (let offset = end; ;) {
    const block = decodeBlock(bytes, offset);
    if (block !== undefined && block.firstSequence >= next) {
      if (offset !== end || block.firstSequence > next) damaged = true;
      blocks.push(block);
      next = block.nextSequence;
      offset = block.end;
      end = offset;
      continue;
    }
    const candidate = bytes.indexOf(BLOCK_MAGIC, offset + 1);
    if (candidate === -1) return { blocks, end, damaged };
    offset = candidate;
  }
}
