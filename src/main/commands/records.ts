import type { RecordPage } from '../../shell/spending/index.ts';
import { EXIT } from '../exit-codes.ts';
import { csvLine } from '../terminal/csv.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { RECORD_COLUMNS, recordCells } from '../views/records.ts';
import type { WrittenRecord } from '../views/records.ts';
import { DEFAULT_ADMIN, isRecord, openBooks, periodParameters } from './books.ts';
import type { BooksFlags, PeriodFlags } from './books.ts';

export interface RecordsFlags extends BooksFlags, PeriodFlags {
  readonly format: 'csv' | 'jsonl';
}

/** Every call's record, those first that ended first, page by page: what is written meanwhile waits for nothing. */
export async function records(flags: RecordsFlags, terminal: Terminal, usualAdmin: URL = DEFAULT_ADMIN): Promise<number> {
  const books = await openBooks(flags, usualAdmin);
  try {
    const parameters = periodParameters(flags);
    if (flags.format === 'csv') terminal.out(`${csvLine(RECORD_COLUMNS)}\n`);
    for (;;) {
      const page = await books.ask('/records', parameters, isPage);
      const lines = page.records.map((record) => (flags.format === 'csv' ? csvLine(recordCells(record)) : JSON.stringify(record)));
      if (lines.length > 0) terminal.out(`${lines.join('\n')}\n`);
      if (page.next === null) return EXIT.ok;
      parameters.set('after', page.next);
    }
  } finally {
    await books.close();
  }
}

/** As JSON has it. */
type WrittenPage = Pick<RecordPage, 'next'> & { readonly records: readonly WrittenRecord[] };

function isPage(value: unknown): value is WrittenPage {
  return isRecord(value) && Array.isArray(value['records']) && (value['next'] === null || typeof value['next'] === 'string');
}
