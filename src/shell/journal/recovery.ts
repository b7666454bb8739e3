import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeEntries, findEntry, skippedFrom } from './entry.ts';
import type { JournalEntry } from './entry.ts';

const SEGMENT_NAME = /^journal-\d{16}(?:-\d+)?\.log$/;

export interface FoundSegment {
  readonly path: string;
  /** `undefined`: it holds nothing. */
  readonly lastSequence: number | undefined;
}

export interface Recovery {
  readonly segments: readonly FoundSegment[];
  /** Beyond what is applied; oldest first, without gaps, each once. */
  readonly entries: readonly JournalEntry[];
  /** Where entries are missing: the first that is not there. What comes behind it is not in `entries`. */
  readonly gap: string | undefined;
}

/**
 * Reads what a folder holds beyond what is applied (0: nothing is known of before), up to the first entry that is missing.
 * The end of a segment may be torn; an entry may stand in two segments, where a flush of the first failed.
 */
export function readJournal(folder: string, appliedSequence: number): Recovery {
  const segments: FoundSegment[] = [];
  const entries: JournalEntry[] = [];
  let gap: string | undefined;
  let last = appliedSequence === 0 ? undefined : appliedSequence;
  for (const name of readdirSync(folder)
    .filter((file) => SEGMENT_NAME.test(file))
    .toSorted()) {
    const path = join(folder, name);
    const read = entriesOf(readFileSync(path));
    segments.push({ path, lastSequence: read.at(-1)?.sequence });
    for (const entry of read) {
      if (gap !== undefined || (last !== undefined && entry.sequence <= last)) continue;
      const skipped = skippedFrom(entry);
      if (last !== undefined && (skipped ?? entry.sequence) > last + 1) {
        gap = `${path} goes on at entry ${entry.sequence}; ${last + 1} was expected`;
        continue;
      }
      last = entry.sequence;
      if (skipped === undefined) entries.push(entry);
    }
  }
  return { segments, entries, gap };
}

/** All that is whole, also behind what is not: damage, and a sector of zeros, look like an end. */
function entriesOf(bytes: Buffer): JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (let from: number | undefined = 0; from !== undefined;) {
    const read = decodeEntries(bytes, from);
    entries.push(...read.entries);
    from = findEntry(bytes, read.end + 1);
  }
  return entries;
}
