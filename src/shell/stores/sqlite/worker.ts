/** The thread that owns the database: nothing on the loop that serves Envoy waits for it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { CallRecord } from '../../../core/call/index.ts';
import { Books } from './books.ts';
import type { SpendGrouping } from './books.ts';
import { NewerSchema } from './schema.ts';

/** Asked of the thread. Entries come as the journal holds them. */
export type BooksCommand =
  | { readonly kind: 'state' }
  | { readonly kind: 'apply'; readonly entries: readonly string[]; readonly appliedSequence: number }
  | { readonly kind: 'spend'; readonly by: SpendGrouping; readonly sinceMs: number }
  | { readonly kind: 'records'; readonly count: number }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'forget'; readonly beforeMs: number; readonly nowMs: number }
  | { readonly kind: 'object'; readonly workload: string; readonly of: string; readonly id: string }
  | { readonly kind: 'objectIds'; readonly workload: string; readonly of: string; readonly provider: string }
  | { readonly kind: 'undelivered'; readonly count: number }
  | { readonly kind: 'delivered'; readonly records: readonly Pick<CallRecord, 'id' | 'endedAt'>[] }
  | { readonly kind: 'close' };

export type BooksReply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly fault: BooksFault; readonly error: string };

/** `newer`: another version's. `place`: the file may be well, but cannot be read or written where it is. */
export type BooksFault = 'newer' | 'place' | 'damaged';

/** What the thread is started with. */
export interface BooksPlace {
  readonly path: string;
  readonly delivers: boolean;
}

/** The first message: whether the file could be opened. */
export type BooksOpened = { readonly opened: true } | { readonly opened: false; readonly fault: BooksFault; readonly error: string };

const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread');

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * SQLITE_PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL and CANTOPEN: they say nothing of what the file holds.
 * Source: sqlite.org/rescode.html; extended codes have them in the low byte.
 */
const PLACE_CODES = new Set([3, 5, 6, 7, 8, 10, 13, 14]);

function faultOf(error: unknown): BooksFault {
  if (error instanceof NewerSchema) return 'newer';
  const code = (error as { readonly errcode?: number }).errcode;
  return code !== undefined && PLACE_CODES.has(code & 0xff) ? 'place' : 'damaged';
}

function run(books: Books, command: BooksCommand): unknown {
  switch (command.kind) {
    case 'state':
      return books.state();
    case 'apply':
      return books.apply(command.entries, command.appliedSequence);
    case 'spend':
      return books.spend(command.by, command.sinceMs);
    case 'records':
      return books.records(command.count);
    case 'forget':
      return books.forget(command.beforeMs, command.nowMs);
    case 'object':
      return books.object(command.workload, command.of, command.id);
    case 'objectIds':
      return books.objectIds(command.workload, command.of, command.provider);
    case 'undelivered':
      return books.undelivered(command.count);
    case 'delivered':
      return books.delivered(command.records);
    case 'checkpoint':
      return books.checkpoint();
    case 'close':
      return books.close();
  }
}

try {
  const { path, delivers } = workerData as BooksPlace;
  const books = new Books(path, delivers);
  port.on('message', ({ id, command }: { id: number; command: BooksCommand }) => {
    try {
      port.postMessage({ id, ok: true, value: run(books, command) } satisfies BooksReply);
    } catch (error) {
      port.postMessage({ id, ok: false, fault: faultOf(error), error: messageOf(error) } satisfies BooksReply);
    }
    if (command.kind === 'close') port.close();
  });
  port.postMessage({ opened: true } satisfies BooksOpened);
} catch (error) {
  port.postMessage({ opened: false, fault: faultOf(error), error: messageOf(error) } satisfies BooksOpened);
}
