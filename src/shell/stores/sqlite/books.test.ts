import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallHold, CallRecord } from '../../../core/call/index.ts';
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

it('books go on after a step that failed, whatever it was', () => {
  expect(() => books.delivered(['call-1', Symbol() as unknown as string])).toThrow();
  expect(() => books.apply(['not an entry'], 1)).toThrow();
  books.apply([hold, settle], 1);
  books.delivered(['call-1']);
  expect(books.state()).toMatchObject({ appliedSequence: 1, holds: [] });
});
