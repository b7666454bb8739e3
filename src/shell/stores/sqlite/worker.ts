/** The thread that owns the database: nothing on the loop that serves Envoy waits for it. */
import type { RecordQuery, SpendQuery } from '../../../core/call/index.ts';
import { Books } from './books.ts';
import type { Retention } from './books.ts';
import { codeOf } from './codes.ts';
import { NewerSchema } from './schema.ts';
import { serve } from './serve.ts';

/** Asked of the thread. Entries come as the journal holds them. */
export type BooksCommand =
  | { readonly kind: 'state' }
  | { readonly kind: 'apply'; readonly entries: readonly string[]; readonly appliedSequence: number }
  | { readonly kind: 'spend'; readonly query: SpendQuery }
  | { readonly kind: 'records'; readonly query: RecordQuery }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'forget'; readonly retention: Retention }
  | { readonly kind: 'object'; readonly workload: string; readonly of: string; readonly id: string }
  | { readonly kind: 'objectIds'; readonly workload: string; readonly of: string; readonly provider: string }
  | { readonly kind: 'undelivered'; readonly count: number }
  | { readonly kind: 'delivered'; readonly ids: readonly string[] }
  | { readonly kind: 'limit'; readonly maxBytes: number }
  | { readonly kind: 'close' };

/** `newer`: another version's. `full`: there is no more room. `place`: the file may be well, but cannot be read or written where it is. */
export type BooksFault = 'newer' | 'full' | 'place' | 'damaged';

/** What the thread is started with. */
export interface BooksPlace {
  readonly path: string;
  readonly delivers: boolean;
}

const SQLITE_FULL = 13;

/**
 * SQLITE_PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR and CANTOPEN: they say nothing of what the file holds.
 * Source: sqlite.org/rescode.html.
 */
const PLACE_CODES = new Set([3, 5, 6, 7, 8, 10, 14]);

function faultOf(error: unknown): BooksFault {
  if (error instanceof NewerSchema) return 'newer';
  const code = codeOf(error);
  if (code === SQLITE_FULL) return 'full';
  return code !== undefined && PLACE_CODES.has(code) ? 'place' : 'damaged';
}

function run(books: Books, command: BooksCommand): unknown {
  switch (command.kind) {
    case 'state':
      return books.state();
    case 'apply':
      return books.apply(command.entries, command.appliedSequence);
    case 'spend':
      return books.spend(command.query);
    case 'records':
      return books.records(command.query);
    case 'forget':
      return books.forget(command.retention);
    case 'object':
      return books.object(command.workload, command.of, command.id);
    case 'objectIds':
      return books.objectIds(command.workload, command.of, command.provider);
    case 'undelivered':
      return books.undelivered(command.count);
    case 'delivered':
      return books.delivered(command.ids);
    case 'checkpoint':
      return books.checkpoint();
    case 'limit':
      return books.limit(command.maxBytes);
    case 'close':
      return books.close();
  }
}

serve(({ path, delivers }: BooksPlace) => {
  const books = new Books(path, delivers);
  return (command: BooksCommand) => run(books, command);
}, faultOf);
