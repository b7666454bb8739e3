import { closeSync, constants, existsSync, fdatasync, fsync, open, openSync, renameSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A segment's size. It is filled with zeros first: flushing what was written inside a file's length touches no metadata. */
export const SEGMENT_BYTES = 4 * 1024 * 1024;

/** Zeros are written in pieces of this size. */
const FILL_BYTES = 64 * 1024;

const SPARE_NAME = 'spare.log';
const ZEROS = Buffer.alloc(FILL_BYTES);

const flushData = promisify(fdatasync);
const flushAll = promisify(fsync);
const openAsync = promisify(open);

/** One file of the journal: bytes go to the operating system at once, and to the disk by `sync`. */
export class Segment {
  readonly path: string;
  readonly #folder: string;
  readonly #descriptor: number;
  #offset = 0;
  /** The file's name is not known to be on disk yet. */
  #isNew = true;
  /** The last entry in it; 0 while it has none. */
  lastSequence = 0;

  private constructor(folder: string, path: string, descriptor: number) {
    this.#folder = folder;
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** Takes the spare where there is one; else fills a file now. Throws where the folder cannot be written, or less than that would be left of its disk. */
  static create(folder: string, firstSequence: number, leftBytes: number): Segment {
    const path = freeName(join(folder, `journal-${String(firstSequence).padStart(16, '0')}`));
    const spare = join(folder, SPARE_NAME);
    try {
      renameSync(spare, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      requireRoom(folder, leftBytes);
      fill(spare);
      renameSync(spare, path);
    }
    return new Segment(folder, path, openSync(path, constants.O_RDWR));
  }

  fits(bytes: number): boolean {
    return this.#offset + bytes <= SEGMENT_BYTES;
  }

  get used(): number {
    return this.#offset;
  }

  /** To the operating system: a kill of this process cannot undo it, a power cut can. Throws on an error; then nothing counts as written. */
  write(bytes: Buffer): void {
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written, bytes.length - written, this.#offset + written);
    this.#offset += bytes.length;
  }

  /** To the disk, in the runtime's thread pool. */
  async sync(): Promise<void> {
    await flushData(this.#descriptor);
    if (this.#isNew) await syncFolder(this.#folder);
    this.#isNew = false;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Fills the next segment ahead of time, off the event loop. What fails here is found again, and said, when it is needed. */
export async function prepareSpare(folder: string, leftBytes: number): Promise<void> {
  const path = join(folder, SPARE_NAME);
  const partial = `${path}.partial`;
  try {
    requireRoom(folder, leftBytes);
    const file = await openFile(partial, constants.O_CREAT | constants.O_WRONLY | constants.O_TRUNC, 0o600);
    try {
      for (let at = 0; at < SEGMENT_BYTES; at += FILL_BYTES) await file.write(ZEROS, 0, FILL_BYTES, at);
      await file.sync();
    } finally {
      await file.close();
    }
    renameSync(partial, path);
  } catch {
    removeSpare(folder);
  }
}

/** What a former process prepared may be half done. */
export function removeSpare(folder: string): void {
  for (const name of [SPARE_NAME, `${SPARE_NAME}.partial`]) {
    try {
      unlinkSync(join(folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** After a failed flush a second segment begins at the same entry. */
function freeName(stem: string): string {
  for (let copy = 0; ; copy++) {
    const path = copy === 0 ? `${stem}.log` : `${stem}-${copy}.log`;
    if (!existsSync(path)) return path;
  }
}

/** Others need room on the same disk, to make more. */
function requireRoom(folder: string, leftBytes: number): void {
  if (leftBytes === 0) return;
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= SEGMENT_BYTES + leftBytes) return;
  throw Object.assign(new Error(`ENOSPC: no space left beyond the ${leftBytes} bytes that are set aside`), { code: 'ENOSPC' });
}

function fill(path: string): void {
  const descriptor = openSync(path, constants.O_CREAT | constants.O_WRONLY | constants.O_TRUNC, 0o600);
  try {
    for (let at = 0; at < SEGMENT_BYTES; at += FILL_BYTES) writeSync(descriptor, ZEROS, 0, FILL_BYTES, at);
  } finally {
    closeSync(descriptor);
  }
}

/** A new file's name is as durable as its folder. */
async function syncFolder(folder: string): Promise<void> {
  const descriptor = await openAsync(folder, constants.O_RDONLY);
  try {
    await flushAll(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
