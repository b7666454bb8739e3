import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallHold, CallRecord } from '../../core/call/index.ts';
import type { Granted, LimitSpec, ReserveCommand, Settled } from '../../core/ledger/index.ts';
import { decodeEntries, encodeEntry } from '../journal/entry.ts';
import { acceptLoss, openBudgets } from './open.ts';
import type { OpenedBudgets } from './open.ts';

const LIMIT: LimitSpec = {
  kind: 'budget',
  id: 'shop/life',
  unit: 'usd',
  limit: 1000n,
  window: { kind: 'lifetime' },
  mode: 'Strict',
  nearLimit: 'Reject',
  floorOutputTokens: 1,
  waitMs: 0,
};
const clock = { epochMs: () => 1_000_000, monotonicMs: () => performance.now() };

let folder: string;
let recovered: CallRecord[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-budgets-'));
  recovered = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (limits: readonly LimitSpec[] = [LIMIT], boot = 'this run'): Promise<OpenedBudgets> =>
  openBudgets({ folder, clock, limits, boot, events: { failed: () => undefined, recovered: (record) => void recovered.push(record) } });

const reserve = (id: string, nanoUsd: bigint): ReserveCommand => ({
  id,
  at: clock.epochMs(),
  now: clock.monotonicMs(),
  accounts: [{ limit: LIMIT.id, subject: 'shop/checkout' }],
  quote: {
    fixedNanoUsd: nanoUsd,
    outputNanoUsdPerMillion: 0n,
    inputTokens: 1,
    choices: 1,
    outputCap: 0,
    capIsDefault: false,
    estimate: { nanoUsd, tokens: 1 },
  },
  profile: 'test',
});

const describeHold = (granted: Granted): CallHold => ({
  id: granted.id,
  at: clock.epochMs(),
  namespace: 'shop',
  workload: 'checkout',
  rule: 'shop/all#chat',
  provider: 'shop/relay',
  model: 'gpt-4.1',
  operation: 'chat',
  stream: false,
  priceSource: 'test',
  holds: granted.holds,
  heldNanoUsd: granted.holds[0]?.amount ?? 0n,
  estimate: { nanoUsd: 1n, inputTokens: 1, outputTokens: 0 },
});

const recordOf = (settled: Settled, nanoUsd: bigint): CallRecord => {
  const {
    holds: _holds,
    estimate: _estimate,
    ...call
  } = describeHold({ kind: 'granted', id: settled.id, holds: settled.posted, outputCap: 0, shrunk: false, observed: [] });
  return {
    ...call,
    endedAt: clock.epochMs(),
    ending: 'finished',
    status: 200,
    servedModel: 'gpt-4.1',
    usage: { inputTokens: 7, outputTokens: 3 },
    estimated: false,
    costNanoUsd: nanoUsd,
    chargedNanoUsd: nanoUsd,
    posted: settled.posted,
    shrunkToTokens: undefined,
  };
};

async function spend(opened: OpenedBudgets, id: string, nanoUsd: bigint): Promise<string> {
  const decision = await opened.budgets.admit(reserve(id, nanoUsd), describeHold);
  if (decision.kind === 'granted')
    opened.budgets.settle(id, { kind: 'actual', actual: { nanoUsd, tokens: 10, outputTokens: 3 } }, (settled) => recordOf(settled, nanoUsd));
  return decision.kind;
}

/** What a kill leaves: a copy of the folder, as it is, for the next process. */
function killed(): void {
  const copy = mkdtempSync(join(tmpdir(), 'airmesh-budgets-'));
  cpSync(folder, copy, { recursive: true });
  rmSync(join(copy, 'lock'));
  folder = copy;
}

/** What a power cut may leave at worst: nothing that was written after the last flush. */
function powerCut(synced: number): void {
  killed();
  const journal = join(folder, 'journal');
  for (const name of readdirSync(journal).filter((file) => file.startsWith('journal-'))) {
    const bytes = readFileSync(join(journal, name));
    const keep = decodeEntries(bytes).entries.filter(({ sequence }) => sequence <= synced);
    writeFileSync(join(journal, name), Buffer.concat(keep.map((entry) => encodeEntry(entry))));
  }
}

const posted = (opened: OpenedBudgets): bigint => opened.budgets.views()[0]?.posted ?? 0n;

describe('openBudgets', () => {
  it('knows after a restart what was spent, and in the records', async () => {
    const first = await open();
    for (let call = 0; call < 5; call++) expect(await spend(first, `call-${call}`, 100n)).toBe('granted');
    await first.close();
    const second = await open();
    expect(posted(second)).toBe(500n);
    expect(recovered).toEqual([]);
    expect(await second.budgets.spend({ by: 'workload', sinceMs: 0 })).toMatchObject([
      { key: 'shop/checkout', requests: 5, inputTokens: 35, costNanoUsd: '500' },
    ]);
    expect(await second.budgets.records({ sinceMs: 0, count: 10 })).toHaveLength(5);
    expect(await spend(second, 'more', 501n)).toBe('refused');
    await second.close();
  });

  it('charges the whole hold of a call that was in flight when the process died, once', async () => {
    const first = await open();
    await first.budgets.admit(reserve('lost', 300n), describeHold);
    // Closed without a settlement, as a kill leaves it.
    await first.close();
    const second = await open();
    expect(posted(second)).toBe(300n);
    expect(recovered).toMatchObject([{ id: 'lost', ending: 'lost', chargedNanoUsd: 300n, estimated: true }]);
    await second.close();
    const third = await open();
    expect(posted(third)).toBe(300n);
    expect(recovered).toHaveLength(1);
    await third.close();
  });

  it('settles one reservation once', async () => {
    const opened = await open();
    await spend(opened, 'once', 100n);
    opened.budgets.settle('once', { kind: 'actual', actual: { nanoUsd: 100n, tokens: 10, outputTokens: 3 } }, (settled) => recordOf(settled, 100n));
    expect(posted(opened)).toBe(100n);
    expect(await opened.budgets.records({ sinceMs: 0, count: 10 })).toHaveLength(1);
    await opened.close();
  });

  it('refuses a folder that another process uses', async () => {
    const opened = await open();
    await expect(open()).rejects.toThrow(new RegExp(`in use by process ${process.pid}`));
    await opened.close();
  });

  it('takes over the lock of a process that is gone', async () => {
    writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: 2 ** 22 - 1, started: '1' }));
    const opened = await open();
    await opened.close();
  });

  it('keeps a damaged ledger aside, and refuses strict budgets until a person decides', async () => {
    const first = await open();
    await spend(first, 'one', 100n);
    await first.close();
    const file = join(folder, 'ledger.db');
    writeFileSync(file, Buffer.concat([Buffer.from('not a database at all '), readFileSync(file).subarray(22)]));
    const second = await open();
    expect(second.warnings.join()).toContain('damaged');
    expect(readdirSync(folder).some((name) => name.startsWith('ledger.db.damaged-'))).toBe(true);
    expect(await spend(second, 'two', 1n)).toBe('unavailable');
    await second.close();
    expect(acceptLoss(folder)).toContain('damaged');
    const third = await open();
    expect(third.warnings).toEqual([]);
    expect(await spend(third, 'three', 1n)).toBe('granted');
    await third.close();
  });

  it('leaves a ledger of a newer version alone', async () => {
    const first = await open();
    await first.close();
    const database = new DatabaseSync(join(folder, 'ledger.db'));
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expect(open()).rejects.toThrow(/newer version of Airmesh \(schema 99/);
    expect(readdirSync(folder).some((name) => name.includes('damaged'))).toBe(false);
    await expect(open()).rejects.toThrow(/newer version/); // The lock was released.
  });

  it('reads a journal whose last entry was torn, and goes on', async () => {
    const first = await open();
    await spend(first, 'one', 100n);
    await first.close();
    const journal = join(folder, 'journal');
    const [segment] = readdirSync(journal);
    const bytes = readFileSync(join(journal, segment ?? ''));
    bytes.write('torn', bytes.indexOf(0, 16) + 1000);
    writeFileSync(join(journal, segment ?? ''), bytes);
    const second = await open();
    expect(posted(second)).toBe(100n);
    expect(await spend(second, 'two', 100n)).toBe('granted');
    await second.close();
  });
});

describe('damage', () => {
  it('of a journal that the books have not caught up with: strict budgets are refused until a person decides', async () => {
    const first = await open();
    for (const id of ['one', 'two', 'three']) expect(await spend(first, id, 100n)).toBe('granted');
    await first.budgets.admit(reserve('last', 100n), describeHold);
    killed();
    rmSync(join(folder, 'ledger.db'));
    for (const suffix of ['-wal', '-shm']) rmSync(join(folder, `ledger.db${suffix}`), { force: true });
    const [segment = ''] = readdirSync(join(folder, 'journal')).filter((name) => name.startsWith('journal-'));
    const bytes = readFileSync(join(folder, 'journal', segment));
    const middle = decodeEntries(bytes).entries[3];
    bytes.write('?', bytes.indexOf(middle?.payload ?? '') + 5);
    writeFileSync(join(folder, 'journal', segment), bytes);
    await first.close();
    const second = await open();
    expect(second.warnings.join()).toMatch(
      /the journal is damaged: .*journal-\d+\.log goes on at entry \d+; 4 was expected\. Strict budgets are refused until you run: airmesh ledger accept-loss/,
    );
    expect(await spend(second, 'four', 1n)).toBe('unavailable');
    await second.close();
    expect(acceptLoss(folder)).toContain('the journal is damaged');
    const third = await open();
    expect(third.warnings).toEqual([]);
    await third.close();
  });

  it('is not what a place is that cannot be read: nothing is put aside', async () => {
    const path = join(folder, 'ledger.db');
    mkdirSync(path);
    await expect(open()).rejects.toMatchObject({ fault: 'place' });
    expect(readdirSync(folder)).toEqual(['ledger.db', 'lock.db']);
  });
});

describe('covers', () => {
  const BIG: LimitSpec = { ...LIMIT, limit: 1_000_000n };
  const pending = (opened: OpenedBudgets): bigint => opened.budgets.views()[0]?.pending ?? 0n;
  it('let calls go on before their holds are on the disk, and count as free', async () => {
    const opened = await open([BIG]);
    await spend(opened, 'first', 100n);
    await expect.poll(() => opened.budgets.durability().covered).toBe(800n);
    expect(pending(opened)).toBe(0n);
    const flushed = (): number => opened.budgets.durability().flushedSequence;
    const before = flushed();
    const decision = await opened.budgets.admit(reserve('second', 100n), describeHold);
    expect(decision.kind).toBe('granted');
    expect(flushed()).toBe(before);
    expect(pending(opened)).toBe(100n);
    await opened.close();
  });

  it('are void after a kill: everything that leaned on them was written', async () => {
    const opened = await open([BIG]);
    await spend(opened, 'first', 100n);
    await expect.poll(() => opened.budgets.durability().covered).toBe(800n);
    await opened.budgets.admit(reserve('lost', 100n), describeHold);
    killed();
    const second = await open([BIG]);
    expect(posted(second)).toBe(200n);
    expect(recovered.map(({ id }) => id)).toEqual(['lost']);
    await second.close();
    await opened.close();
  });

  it('are charged after a power cut, which covers every hold that it took back', async () => {
    const opened = await open([BIG]);
    const flushed = (): number => opened.budgets.durability().flushedSequence;
    await spend(opened, 'first', 100n);
    await expect.poll(() => opened.budgets.durability().covered).toBe(800n);
    const before = flushed();
    for (let call = 0; call < 8; call++) expect((await opened.budgets.admit(reserve(`covered-${call}`, 100n), describeHold)).kind).toBe('granted');
    powerCut(before);
    const second = await open([BIG], 'another run');
    expect(posted(second)).toBe(900n);
    // The settlement of the first call was not flushed either, and a strict budget posts its hold.
    expect(recovered.map(({ ending, chargedNanoUsd }) => [ending, chargedNanoUsd])).toEqual([
      ['lost', 100n],
      ['lost', 800n],
    ]);
    await second.close();
    recovered = [];
    const third = await open([BIG], 'a third run');
    expect(posted(third)).toBe(900n);
    expect(recovered).toEqual([]);
    await third.close();
    await opened.close();
  });

  it('never cover more than they hold: the ninth call waits for the disk', async () => {
    const opened = await open([BIG]);
    const flushed = (): number => opened.budgets.durability().flushedSequence;
    await spend(opened, 'first', 100n);
    await expect.poll(() => opened.budgets.durability().covered).toBe(800n);
    const before = flushed();
    await Promise.all(Array.from({ length: 8 }, (_, call) => opened.budgets.admit(reserve(`covered-${call}`, 100n), describeHold)));
    expect(flushed()).toBe(before);
    await opened.budgets.admit(reserve('ninth', 100n), describeHold);
    expect(flushed()).toBeGreaterThan(before);
    await opened.close();
  });

  it('are given back to calls that need the money', async () => {
    const opened = await open([BIG]);
    await spend(opened, 'first', 100n);
    await expect.poll(() => opened.budgets.durability().covered).toBe(800n);
    expect(await spend(opened, 'all the rest', 999_900n)).toBe('granted');
    expect(posted(opened)).toBe(1_000_000n);
    await opened.close();
  });

  it('are not made where a power cut cannot be told from a restart', async () => {
    const opened = await openBudgets({ folder, clock, limits: [BIG], boot: null, events: { failed: () => undefined, recovered: () => undefined } });
    const flushed = (): number => opened.budgets.durability().flushedSequence;
    await opened.budgets.admit(reserve('one', 100n), describeHold);
    const before = flushed();
    await opened.budgets.admit(reserve('two', 100n), describeHold);
    expect(flushed()).toBeGreaterThan(before);
    await opened.close();
  });
});
