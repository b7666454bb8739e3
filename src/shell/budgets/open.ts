import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallRecord, Clock, KeptObject } from '../../core/call/index.ts';
import type { LimitSpec } from '../../core/ledger/index.ts';
import { Journal, lockFolder } from '../journal/index.ts';
import { BooksClient, BooksUnusable } from '../stores/sqlite/index.ts';
import { Bookkeeper } from './bookkeeper.ts';
import type { BudgetEvents, DurableBudgets } from './durable.ts';
import { bootId, readBoot, writeBoot } from './boot.ts';
import { booksFile } from './folder.ts';
import { ObjectBook } from './objects.ts';
import { resumeLeased, resumeWhole } from './resume.ts';
import type { LeasedFrom } from './tenancy.ts';

export interface OpenOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly events: BudgetEvents;
  readonly limits: readonly LimitSpec[];
  /** Where limits are shared with other processes; absent where all of each limit is here. */
  readonly leasedFrom?: LeasedFrom;
  /** Where records go on to a ledger service: the most that the books may take of the disk; by default all but what else is kept there. */
  readonly maxBooksBytes?: number;
  /** What tells this run of the machine from the next, `null` where nothing does; by default as `bootId` has it. */
  readonly boot?: string | null;
}

/** Records of ended calls, to be had again until they are said to be delivered. */
export interface Outbox {
  next(count: number): Promise<readonly CallRecord[]>;
  delivered(ids: readonly string[]): Promise<void>;
  /** Told when there may be more. */
  onMore(listener: () => void): void;
}

export interface OpenedBudgets {
  readonly budgets: DurableBudgets;
  readonly objects: ObjectBook;
  /** Records for the ledger service, where there is one. */
  readonly outbox: Outbox;
  /** Batches that a former process left, to be looked after. */
  readonly openBatches: readonly KeptObject[];
  /** What a person should know: damage that was found, and what was done. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** The log of the books' commits: without room for it, nothing can be deleted either. */
const LOG_BYTES = 8 * 1024 * 1024;
/** Of the disk, what the journal needs (some segments and a spare), that log, and some to spare. */
const OTHER_FILES_BYTES = 32 * 1024 * 1024;
const LEAST_BOOKS_BYTES = 1024 * 1024;

/** Says that something was lost, until a person has accepted it. */
const LOSS_FILE = 'ledger-loss.txt';

/**
 * Opens the state folder and brings back what a former process knew: the books, then what the journal has beyond them,
 * then an end for every call that was in flight. Throws FolderInUse, BooksUnusable (newer, or in a place where they
 * cannot be used) and what the file system says.
 */
export async function openBudgets({ folder, clock, events, limits, leasedFrom, maxBooksBytes, boot = bootId() }: OpenOptions): Promise<OpenedBudgets> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const lock = lockFolder(folder);
  try {
    const warnings: string[] = [];
    const books = await openBooks(folder, warnings, leasedFrom !== undefined);
    const state = await books.state();
    const mostBytes = maxBooksBytes ?? mostBooksBytes(folder);
    const leftBytes = (): number => (leasedFrom === undefined ? 0 : LOG_BYTES + Math.max(0, mostBytes - statSync(booksFile(folder)).size));
    const { journal, entries, gap } = Journal.open(join(folder, 'journal'), state.appliedSequence, leftBytes);
    const wasPowerCut = boot === null || readBoot(folder) !== boot;
    // A power cut takes back what no flush had covered, and leaves such gaps; a restart takes back nothing.
    if (gap !== undefined && !wasPowerCut) recordLoss(folder, `the journal is damaged: ${gap}`, warnings);
    if (entries.length > 0) {
      await books.apply(
        entries.map(({ payload }) => payload.toString('utf8')),
        entries.at(-1)?.sequence ?? 0,
      );
      journal.release(await books.checkpoint());
    }
    // Not before: what the journal has must find its place, also where the books were full.
    if (leasedFrom !== undefined) await books.limit(mostBytes);
    const found = entries.length > 0 ? await books.state() : state;
    // A batch goes on at its provider while nobody is here.
    const bound = new Set(found.openBatches.flatMap(({ open }) => open?.holds ?? []));
    const bookkeeper = new Bookkeeper({ journal, books, onFailure: (what, error) => events.failed(what, error) });
    const parts = { bookkeeper, clock, events, unacceptedLoss: lossIn(folder), useCovers: boot !== null };
    const former = { ...found, bound, wasPowerCut };
    const budgets = leasedFrom === undefined ? resumeWhole(parts, limits, former) : resumeLeased(parts, limits, former, leasedFrom);
    budgets.restoreBatchHolds(found.holds.filter(({ id }) => bound.has(id)));
    await bookkeeper.synced();
    if (boot !== null) writeBoot(folder, boot);
    return {
      budgets,
      objects: new ObjectBook(budgets),
      outbox: {
        next: (count) => bookkeeper.undelivered(count),
        delivered: (ids) => bookkeeper.delivered(ids),
        onMore: (listener) => (bookkeeper.onApplied = listener),
      },
      openBatches: found.openBatches,
      warnings,
      close: async () => {
        await budgets.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A damaged file is kept aside, never repaired over: what it held is for a person to decide upon. */
async function openBooks(folder: string, warnings: string[], delivers: boolean): Promise<BooksClient> {
  const path = booksFile(folder);
  try {
    return await open(path, delivers);
  } catch (error) {
    if (!(error instanceof BooksUnusable) || error.fault !== 'damaged' || !existsSync(path)) throw error;
    const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
    // First, so that nobody begins anew without a word where this process ends in between.
    recordLoss(folder, `the ledger ${path} was damaged (${error.message}) and is kept as ${aside}`, warnings);
    for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    return open(path, delivers);
  }
}

async function open(path: string, delivers: boolean): Promise<BooksClient> {
  const books = await BooksClient.open(path, delivers);
  chmodSync(path, 0o600);
  return books;
}

/** On a disk that is full to the last byte, nothing could be deleted either. */
function mostBooksBytes(folder: string): number {
  const { blocks, bsize } = statfsSync(folder);
  return Math.max(LEAST_BOOKS_BYTES, blocks * bsize - OTHER_FILES_BYTES);
}

function recordLoss(folder: string, what: string, warnings: string[]): void {
  writeFileSync(join(folder, LOSS_FILE), `${what}\n`, { flag: 'a', mode: 0o600 });
  warnings.push(`${what}. Strict budgets are refused until you run: airmesh ledger accept-loss`);
}

function lossIn(folder: string): string | undefined {
  const path = join(folder, LOSS_FILE);
  return existsSync(path)
    ? `what was spent before is not known (${readFileSync(path, 'utf8').trim()}); run "airmesh ledger accept-loss" and start again`
    : undefined;
}

/** A person decided to go on without what was lost. Returns what it was; `undefined` where nothing was. */
export function acceptLoss(folder: string): string | undefined {
  const path = join(folder, LOSS_FILE);
  if (!existsSync(path)) return undefined;
  const loss = readFileSync(path, 'utf8').trim();
  rmSync(path);
  return loss;
}
