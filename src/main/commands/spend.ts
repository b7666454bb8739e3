import { setTimeout as delay } from 'node:timers/promises';
import type { SpendGrouping } from '../../core/call/index.ts';
import type { SpendReport, SpendTable } from '../../shell/spending/index.ts';
import { EXIT } from '../exit-codes.ts';
import { painter } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { spendCsv, spendView, tableView } from '../views/spend.ts';
import { DEFAULT_ADMIN, isRecord, openBooks, periodParameters } from './books.ts';
import type { Books, BooksFlags, PeriodFlags } from './books.ts';

export interface SpendFlags extends BooksFlags, PeriodFlags {
  /** `undefined`: what people look for first. */
  readonly by?: SpendGrouping;
  readonly format?: 'table' | 'json' | 'csv';
  readonly watch: boolean;
  /** As `--format json`. */
  readonly json: boolean;
}

const WATCH_MS = 1000;

/** Who spent what: from the server that runs, a controller or a single process, or from the books where none does at `usualAdmin`. */
export async function spend(flags: SpendFlags, terminal: Terminal, usualAdmin: URL = DEFAULT_ADMIN): Promise<number> {
  do {
    const books = await openBooks(flags, usualAdmin);
    try {
      const text = await shown(flags, books, terminal);
      terminal.out(flags.watch && terminal.interactive ? `\u001b[2J\u001b[H${text}\n` : `${text}\n`);
    } finally {
      await books.close();
    }
    if (flags.watch) await delay(WATCH_MS);
  } while (flags.watch);
  return EXIT.ok;
}

async function shown(flags: SpendFlags, books: Books, terminal: Terminal): Promise<string> {
  const format = flags.format ?? (flags.json ? 'json' : 'table');
  // A CSV is one table.
  const by = flags.by ?? (format === 'csv' ? 'workload' : undefined);
  const parameters = periodParameters(flags);
  if (by !== undefined) parameters.set('by', by);
  const { warnings } = books;
  const answer = by === undefined ? await books.ask('/spend', parameters, isReport) : await books.ask('/spend', parameters, isTable);
  if (format === 'json') return JSON.stringify({ ...answer, warnings }, undefined, 2);
  const paint = painter(terminal.colour);
  if (!('by' in answer)) return spendView(answer, warnings, paint);
  return format === 'csv' ? spendCsv(answer) : tableView(answer, warnings, paint);
}

function isReport(value: unknown): value is SpendReport {
  return isRecord(value) && isRecord(value['totals']) && ['byWorkload', 'byModel', 'byProvider', 'budgets'].every((part) => Array.isArray(value[part]));
}

function isTable(value: unknown): value is SpendTable {
  return isRecord(value) && typeof value['by'] === 'string' && Array.isArray(value['rows']);
}
