import { mkdtempSync, rmSync, statSync } from 'node:fs';
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

describe('books that nobody else has', () => {
  it('keep the sums of all days, and what windows that count have', () => {
    const DAY = 86_400_000;
    const posted = [
      { limit: 'shop/each', subject: 'a', windowStart: DAY, amount: 1n },
      { limit: 'shop/each', subject: 'b', windowStart: 2 * DAY, amount: 2n },
      { limit: 'shop/gone', subject: '', windowStart: DAY, amount: 3n },
      { limit: 'shop/life', subject: '', windowStart: 0, amount: 4n },
    ];
    books.apply([entryText({ kind: 'settle', record: { ...RECORD, endedAt: DAY, posted } })], 1);
    const windows = [
      { limit: 'shop/each', countsSinceMs: 2 * DAY },
      { limit: 'shop/life', countsSinceMs: 0 },
    ];
    const amounts = (): bigint[] => books.state().posted.map(({ amount }) => amount);
    books.forget({ beforeMs: 100 * DAY, nowMs: 100 * DAY, windows });
    expect(amounts()).toEqual([2n, 3n, 4n]);
    // Nobody knows how long a limit that is gone would count; longer than any, it does not.
    books.forget({ beforeMs: 0, nowMs: 500 * DAY, windows: [] });
    expect(amounts()).toEqual([4n]);
    for (const by of ['day', 'subject', 'model'] as const) expect(books.spend({ by, sinceMs: 0 }).length).toBeGreaterThan(0);
    expect(books.records({ sinceMs: 0, count: 10 })).toEqual([]);
  });
});

describe('books of a processor that tells a ledger service', () => {
  const record = (number: number): CallRecord => ({ ...RECORD, id: `air_${String(number).padStart(32, '0')}`, endedAt: 2000 + number });
  const size = (suffix = ''): number => statSync(join(folder, `ledger.db${suffix}`)).size;
  const kept = (): CallRecord[] => books.records({ sinceMs: 0, count: 100_000 });

  beforeEach(() => {
    books.close();
    books = new Books(join(folder, 'ledger.db'), true);
  });

  it('keep what it does not have, and of the rest the latest', () => {
    for (let number = 0; number < 6_000; number += 500) {
      const records = Array.from({ length: 500 }, (_, index) => record(number + index));
      books.apply(
        records.map((each) => entryText({ kind: 'settle', record: each })),
        number + 1,
      );
      // The first of each step is told last of all.
      books.delivered(records.slice(1).map(({ id }) => id));
    }
    const untold = books.undelivered(100).map(({ id }) => id);
    expect(untold).toEqual(Array.from({ length: 12 }, (_, step) => record(step * 500).id));
    const ids = kept().map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(untold));
    expect(ids).toHaveLength(2_000 + 8 + 4);
    expect(ids.at(-1)).toBe(record(5_999).id);
    expect(books.spend({ by: 'workload', sinceMs: 0 })).toMatchObject([{ requests: 6_000 }]);
    books.delivered(untold);
    expect(kept()).toHaveLength(2_000);
  });

  it('keep what was there before anybody was told, and what comes while nobody is', () => {
    const deliverAll = (): void => books.delivered(books.undelivered(10_000).map(({ id }) => id));
    const reopen = (delivers: boolean): void => {
      books.close();
      books = new Books(join(folder, 'ledger.db'), delivers);
    };
    const settle = (from: number, count: number): void =>
      books.apply(
        Array.from({ length: count }, (_, index) => entryText({ kind: 'settle', record: record(from + index) })),
        from + count,
      );
    reopen(false);
    settle(0, 100);
    reopen(true);
    settle(100, 3_000);
    deliverAll();
    expect(kept()).toHaveLength(100 + 2_000);
    reopen(false);
    settle(3_100, 50);
    reopen(true);
    settle(3_150, 2_500);
    deliverAll();
    expect(kept()).toHaveLength(100 + 2_000 + 50 + 2_000);
  });

  it('stay small, however many calls there are, and though each comes by itself', () => {
    for (let number = 0; number < 4_000; number++) {
      const { posted, ...each } = record(number);
      books.apply([entryText({ kind: 'hold', hold: { ...HOLD, id: each.id } })], 2 * number + 1);
      books.apply([entryText({ kind: 'settle', record: { ...each, posted } })], 2 * number + 2);
      if (number % 5 === 4) books.delivered(books.undelivered(5).map(({ id }) => id));
    }
    expect(books.undelivered(1)).toEqual([]);
    expect(size() + size('-wal')).toBeLessThan(12 * 1024 * 1024);
  });

  it('stay small, however many days and accounts there are', () => {
    const DAY = 86_400_000;
    const sizes: number[] = [];
    let sequence = 0;
    for (let day = 1; day <= 60; day++) {
      const endedAt = day * DAY + 1000;
      const records = Array.from({ length: 500 }, (_, index): CallRecord => {
        const subject = `user ${day} ${index}`.padEnd(60, '.');
        const posted = [
          { limit: 'shop/each', subject, windowStart: day * DAY, amount: 60n },
          { limit: 'shop/all#0/requestsPerMinute', subject: '', windowStart: endedAt + index * 1000, amount: 1n },
          { limit: 'shop/life', subject: '', windowStart: 0, amount: 60n },
        ];
        return { ...record(sequence * 500 + index), model: `model ${day} ${index % 50}`, endedAt: endedAt + index, posted };
      });
      books.apply(
        records.map((each) => entryText({ kind: 'settle', record: each })),
        ++sequence,
      );
      books.delivered(records.map(({ id }) => id));
      const nowMs = endedAt + 2 * 3_600_000;
      const windows = [
        { limit: 'shop/each', countsSinceMs: day * DAY },
        { limit: 'shop/all#0/requestsPerMinute', countsSinceMs: nowMs - 3_600_000 },
        { limit: 'shop/life', countsSinceMs: 0 },
      ];
      books.forget({ beforeMs: nowMs - 90 * DAY, nowMs, windows });
      books.checkpoint();
      sizes.push(size());
    }
    expect(sizes.at(-1)).toBeLessThan(1.2 * (sizes[9] ?? 0));
    // Four days' records are kept, and so are their sums; of accounts what counts.
    expect(books.spend({ by: 'day', sinceMs: 0 })).toHaveLength(4);
    expect(books.spend({ by: 'subject', sinceMs: 0 })).toHaveLength(4 * 500 + 1);
    const { posted } = books.state();
    expect(posted.filter(({ limit }) => limit === 'shop/each')).toHaveLength(500);
    expect(posted.filter(({ limit }) => limit.includes('#'))).toEqual([]);
    expect(posted.filter(({ limit }) => limit === 'shop/life')).toEqual([{ limit: 'shop/life', subject: '', windowStart: 0, amount: 60n * 500n * 60n }]);
  });

  it('are full at their limit, and have room again when records were told', () => {
    books.limit(2 * 1024 * 1024);
    let number = 0;
    const settleSome = (): void =>
      books.apply(
        Array.from({ length: 50 }, () => entryText({ kind: 'settle', record: { ...record(number++), rule: 'r'.repeat(800) } })),
        number,
      );
    expect(() => {
      for (;;) settleSome();
    }).toThrow('full');
    expect(size()).toBeLessThanOrEqual(2 * 1024 * 1024);
    expect(books.undelivered(1)).toHaveLength(1);
    books.delivered(books.undelivered(100_000).map(({ id }) => id));
    books.forget({ beforeMs: Number.MAX_SAFE_INTEGER, nowMs: 0, windows: [] });
    settleSome();
    expect(books.undelivered(100)).toHaveLength(50);
  });

  it('go on after a step that failed, whatever it was', () => {
    expect(() => books.delivered(['call-1', Symbol() as unknown as string])).toThrow();
    expect(() => books.apply(['not an entry'], 1)).toThrow();
    books.apply([hold, settle], 1);
    books.delivered(['call-1']);
    expect(books.state()).toMatchObject({ appliedSequence: 1, holds: [] });
  });
});
