import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallHold, CallRecord, RecordQuery, SpendQuery } from '../../../core/call/index.ts';
import { Books } from './books.ts';
import { entryText } from './entry.ts';

const HOLD: CallHold = {
  id: 'call-1',
  at: 1000,
  namespace: 'shop',
  workload: 'checkout',
  rule: 'shop/all#0',
  provider: 'shop/relay',
  model: 'gpt-4.1',
  operation: 'chat',
  stream: false,
  priceSource: 'test',
  holds: [{ limit: 'shop/life', subject: '', windowStart: 0, amount: 100n }],
  heldNanoUsd: 100n,
  estimate: { nanoUsd: 50n, inputTokens: 1, outputTokens: 0 },
};

const { holds: _holds, estimate: _estimate, ...CALL } = HOLD;
const RECORD: CallRecord = {
  ...CALL,
  endedAt: 2000,
  ending: 'finished',
  status: 200,
  servedModel: 'gpt-4.1',
  usage: { inputTokens: 7, outputTokens: 3 },
  estimated: false,
  costNanoUsd: 60n,
  chargedNanoUsd: 60n,
  posted: [{ limit: 'shop/life', subject: '', windowStart: 0, amount: 60n }],
  shrunkToTokens: undefined,
};

const hold = entryText({ kind: 'hold', hold: HOLD });
const settle = entryText({ kind: 'settle', record: RECORD });

let folder: string;
let books: Books;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-books-'));
  books = new Books(join(folder, 'ledger.db'));
});

afterEach(() => {
  books.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a call', () => {
  it.each<[what: string, steps: readonly (readonly string[])[], held: number, posted: bigint]>([
    ['in flight', [[hold]], 1, 0n],
    ['that ended', [[hold], [settle]], 0, 60n],
    ['that ended within a step', [[hold, settle]], 0, 60n],
    // A full disk kept its end from the journal, which has only its beginning to give back.
    ['whose end came before its beginning', [[settle], [hold]], 0, 60n],
  ])('%s', (_what, steps, held, posted) => {
    steps.forEach((entries, index) => books.apply(entries, index + 1));
    const state = books.state();
    expect([state.holds.length, state.posted.reduce((sum, { amount }) => sum + amount, 0n), state.appliedSequence]).toEqual([held, posted, steps.length]);
  });
});

describe('what was spent', () => {
  const settled = (id: string, changes: Partial<CallRecord>): string => entryText({ kind: 'settle', record: { ...RECORD, id, ...changes } });
  const ENTRIES = [
    settled('1', { posted: [...RECORD.posted, { limit: 'shop/all#0/requestsPerMinute', subject: '', windowStart: 0, amount: 1n }] }),
    settled('2', { workload: 'payroll', endedAt: 86_400_000, posted: [{ limit: 'shop/each', subject: 'shop/payroll', windowStart: 0, amount: 60n }] }),
    settled('3', { namespace: 'lab', endedAt: 2000, costNanoUsd: 5n, posted: [] }),
  ];
  const SPENT: readonly (readonly [query: SpendQuery, rows: readonly (readonly [key: string, cost: string])[]])[] = [
    [
      { by: 'workload', sinceMs: 0 },
      [
        ['shop/checkout', '60'],
        ['shop/payroll', '60'],
        ['lab/checkout', '5'],
      ],
    ],
    [
      { by: 'namespace', sinceMs: 0 },
      [
        ['shop', '120'],
        ['lab', '5'],
      ],
    ],
    [
      { by: 'day', sinceMs: 0 },
      [
        ['1970-01-01', '65'],
        ['1970-01-02', '60'],
      ],
    ],
    [
      { by: 'budget', sinceMs: 0 },
      [
        ['shop/each', '60'],
        ['shop/life', '60'],
      ],
    ],
    [
      { by: 'subject', sinceMs: 0 },
      [
        ['shop/each shop/payroll', '60'],
        ['shop/life', '60'],
      ],
    ],
    [{ by: 'model', sinceMs: 0, untilMs: 86_400_000 }, [['gpt-4.1', '65']]],
    [{ by: 'budget', sinceMs: 86_400_000 }, [['shop/each', '60']]],
  ];

  it.each(SPENT)('by %j', (query, rows) => {
    books.apply(ENTRIES, 3);
    expect(books.spend(query).map(({ key, costNanoUsd }) => [key, costNanoUsd])).toEqual(rows);
  });

  it('is the same in the books of an older version, whose records are read page by page as well', () => {
    books.apply(ENTRIES, 3);
    books.close();
    const path = join(folder, 'ledger.db');
    const older = new DatabaseSync(path);
    older.exec('DROP TABLE subjects; DROP INDEX records_by_ending; ALTER TABLE records DROP COLUMN ended; PRAGMA user_version = 4');
    older.close();
    books = new Books(path);
    for (const [query, rows] of SPENT) expect(books.spend(query).map(({ key, costNanoUsd }) => [key, costNanoUsd])).toEqual(rows);
    const ids = (query: RecordQuery): string[] => books.records(query).map(({ id }) => id);
    expect(ids({ sinceMs: 0, count: 2 })).toEqual(['1', '3']);
    expect(ids({ sinceMs: 0, count: 2, after: { endedAt: 2000, id: '3' } })).toEqual(['2']);
    expect(ids({ sinceMs: 2001, untilMs: 86_400_000, count: 2 })).toEqual([]);
  });
});

it('books go on after a step that failed, whatever it was', () => {
  expect(() => books.delivered(['call-1', Symbol() as unknown as string])).toThrow();
  expect(() => books.apply(['not an entry'], 1)).toThrow();
  books.apply([hold, settle], 1);
  books.delivered(['call-1']);
  expect(books.state()).toMatchObject({ appliedSequence: 1, holds: [] });
});
