import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, KeptObject } from '../../core/call/index.ts';
import { Ledger } from '../../core/ledger/index.ts';
import type { LimitSpec } from '../../core/ledger/index.ts';
import { Journal, lockFolder } from '../journal/index.ts';
import { BooksClient, BooksUnusable } from '../stores/sqlite/index.ts';
import { DurableBudgets } from './durable.ts';
import type { BudgetEvents } from './durable.ts';
import { bootId, readBoot, writeBoot } from './boot.ts';
import { booksFile } from './folder.ts';
import { ObjectBook } from './objects.ts';

export interface OpenOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly events: BudgetEvents;
  readonly limits: readonly LimitSpec[];
  /** What tells this run of the machine from the next, `null` where nothing does; by default as `bootId` has it. */
  readonly boot?: string | null;
}

export interface OpenedBudgets {
  readonly budgets: DurableBudgets;
  readonly objects: ObjectBook;
  /** Batches that a former process left, to be looked after. */
  readonly openBatches: readonly KeptObject[];
  /** What a person should know: damage that was found, and what was done. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** Says that something was lost, until a person has accepted it. */
const LOSS_FILE = 'ledger-loss.txt';

/**
 * Opens the state folder and brings back what a former process knew: the books, then what the journal has beyond them,
 * then an end for every call that was in flight. Throws FolderInUse, BooksUnusable (newer, or in a place where they
 * cannot be used) and what the file system says.
 */
export async function openBudgets({ folder, clock, events, limits, boot = bootId() }: OpenOptions): Promise<OpenedBudgets> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const lock = lockFolder(folder);
  try {
    const warnings: string[] = [];
    const books = await openBooks(folder, warnings);
    const state = await books.state();
    const { journal, entries, gap } = Journal.open(join(folder, 'journal'), state.appliedSequence);
    const wasPowerCut = boot === null || readBoot(folder) !== boot;
    // A power cut takes back what no flush had covered, and leaves such gaps; a restart takes back nothing.
    if (gap !== undefined && !wasPowerCut) recordLoss(folder, `the journal is damaged: ${gap}`, warnings);
    if (entries.length > 0)
      await books.apply(
        entries.map(({ payload }) => payload.toString('utf8')),
        entries.at(-1)?.sequence ?? 0,
      );
    const { posted, holds, covers, openBatches } = entries.length > 0 ? await books.state() : state;
    const ledger = new Ledger();
    const budgets = new DurableBudgets({ ledger, journal, books, clock, events, unacceptedLoss: lossIn(folder), useCovers: boot !== null });
    const configured = budgets.configure(limits);
    if (!configured.ok) throw new Error(configured.error.map(({ limit, field, message }) => `${limit} ${field}: ${message}`).join('; '));
    const at = clock.epochMs();
    const known = new Set(limits.map(({ id }) => id));
    for (const window of posted) if (known.has(window.limit)) ledger.restorePosted(window, at);
    for (const hold of holds) ledger.restoreHold({ id: hold.id, holds: hold.holds }, at);
    for (const cover of covers) ledger.restoreHold({ id: cover.id, holds: [cover.hold] }, at);
    // A batch goes on at its provider while nobody is here.
    const bound = new Set(openBatches.flatMap(({ open }) => open?.holds ?? []));
    budgets.restoreBatchHolds(holds.filter(({ id }) => bound.has(id)));
    budgets.recover(holds.filter(({ id }) => !bound.has(id)));
    budgets.recoverCovers(covers, wasPowerCut);
    await budgets.synced();
    if (boot !== null) writeBoot(folder, boot);
    return {
      budgets,
      objects: new ObjectBook(budgets),
      openBatches,
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
async function openBooks(folder: string, warnings: string[]): Promise<BooksClient> {
  const path = booksFile(folder);
  try {
    return await open(path);
  } catch (error) {
    if (!(error instanceof BooksUnusable) || error.fault !== 'damaged' || !existsSync(path)) throw error;
    const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
    // First, so that nobody begins anew without a word where this process ends in between.
    recordLoss(folder, `the ledger ${path} was damaged (${error.message}) and is kept as ${aside}`, warnings);
    for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    return open(path);
  }
}

async function open(path: string): Promise<BooksClient> {
  const books = await BooksClient.open(path);
  chmodSync(path, 0o600);
  return books;
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
