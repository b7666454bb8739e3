import { close, constants, fdatasync, fsync, open, write } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** What the journal asks of the file system while it runs; nothing of it blocks the event loop. Tests put faults in its place. */
export interface JournalFiles {
  /** Makes a file of zeros, durable: writing inside a file's length costs one flush instead of two. */
  allocate(path: string, bytes: number): Promise<void>;
  /** Opens for writes that are durable when they return. */
  open(path: string): Promise<JournalFile>;
  /** Durable. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface JournalFile {
  /** Writes all of it at a position. */
  write(bytes: Buffer, position: number): Promise<void>;
  close(): Promise<void>;
}

const ZEROS_AT_ONCE_BYTES = 1024 * 1024;

const openAsync = promisify(open);
const closeAsync = promisify(close);
const fsyncAsync = promisify(fsync);
const fdatasyncAsync = promisify(fdatasync);

export const nodeFiles: JournalFiles = {
  async allocate(path, bytes) {
    const descriptor = await openAsync(path, constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY, 0o600);
    try {
      const zeros = Buffer.alloc(Math.min(bytes, ZEROS_AT_ONCE_BYTES));
      for (let position = 0; position < bytes; position += zeros.length) {
        await writeAll(descriptor, zeros.subarray(0, Math.min(zeros.length, bytes - position)), position);
      }
      await fdatasyncAsync(descriptor);
    } finally {
      await closeAsync(descriptor);
    }
    await syncFolder(dirname(path));
  },
  async open(path) {
    const descriptor = await openAsync(path, constants.O_WRONLY | (constants.O_DSYNC ?? constants.O_SYNC));
    return { write: (bytes, position) => writeAll(descriptor, bytes, position), close: () => closeAsync(descriptor) };
  },
  async rename(from, to) {
    await rename(from, to);
    await syncFolder(dirname(to));
  },
  remove: unlink,
};

/** One write may take a part only: a disk that fills up does so before it fails. */
function writeAll(descriptor: number, bytes: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const from = (done: number): void => {
      write(descriptor, bytes, done, bytes.length - done, position + done, (error, count) => {
        if (error !== null) reject(error);
        else if (done + count >= bytes.length) resolve();
        else if (count === 0) reject(Object.assign(new Error('nothing could be written'), { code: 'ENOSPC' }));
        else from(done + count);
      });
    };
    from(0);
  });
}

/** A file's name is as durable as its folder. */
async function syncFolder(folder: string): Promise<void> {
  const descriptor = await openAsync(folder, constants.O_RDONLY);
  try {
    await fsyncAsync(descriptor);
  } finally {
    await closeAsync(descriptor);
  }
}
