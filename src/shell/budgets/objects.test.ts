import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallHold, CallRecord, KeptObject } from '../../core/call/index.ts';
import type { Granted, LimitSpec } from '../../core/ledger/index.ts';
import { booksFile } from './folder.ts';
import { openBudgets } from './open.ts';
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

let folder: string;
let recovered: CallRecord[];
let now: number;
const clock = { epochMs: () => now, monotonicMs: () => performance.now() };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-objects-'));
  recovered = [];
  now = 1_000_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (boot: string | null = 'this run'): Promise<OpenedBudgets> =>
  openBudgets({ folder, clock, limits: [LIMIT], boot, events: { failed: () => undefined, recovered: (record) => void recovered.push(record) } });

/** What a kill leaves: a copy of the folder, as it is, for the next process. */
function killed(): void {
  const copy = mkdtempSync(join(tmpdir(), 'airmesh-objects-'));
  cpSync(folder, copy, { recursive: true });
  rmSync(join(copy, 'lock'));
  folder = copy;
}

const file = (id: string, more: Partial<KeptObject> = {}): KeptObject => ({
  provider: 'shop/openai',
  kind: 'file',
  id,
  workload: 'shop/alpha',
  at: 1,
  ...more,
});
const batch = (id: string, holds: readonly string[]): KeptObject => file(id, { kind: 'batch', open: { endpointPath: '/chat/completions', holds } });

const holdOf = (granted: Granted): CallHold => ({
  id: granted.id,
  at: now,
  namespace: 'shop',
  workload: 'alpha',
  rule: 'shop/all#chat',
  provider: 'shop/openai',
  model: 'gpt-4.1',
  operation: 'batches',
  stream: false,
  priceSource: 'test',
  holds: granted.holds,
  heldNanoUsd: granted.holds[0]?.amount ?? 0n,
  estimate: { nanoUsd: 1n, inputTokens: 1, outputTokens: 0 },
});

const admit = (opened: OpenedBudgets, id: string, nanoUsd: bigint): Promise<{ readonly kind: string }> =>
  opened.budgets.admit(
    {
      id,
      at: now,
      now: clock.monotonicMs(),
      accounts: [{ limit: LIMIT.id, subject: 'shop/alpha' }],
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
    },
    holdOf,
  );

const settle = (opened: OpenedBudgets, id: string, nanoUsd: bigint): void => {
  const hold = opened.budgets.batchHold(id);
  if (hold === undefined) return;
  const { holds: _holds, estimate: _estimate, ...call } = hold;
  opened.budgets.settle(id, { kind: 'actual', actual: { nanoUsd, tokens: 2, outputTokens: 1 } }, (settled) => ({
    ...call,
    endedAt: now,
    ending: 'finished',
    status: 200,
    servedModel: undefined,
    usage: { inputTokens: 1, outputTokens: 1 },
    estimated: false,
    costNanoUsd: nanoUsd,
    chargedNanoUsd: nanoUsd,
    posted: settled.posted,
    shrunkToTokens: undefined,
  }));
};

const figures = (opened: OpenedBudgets): { readonly posted: bigint; readonly pending: bigint } => {
  const { posted = 0n, pending = 0n } = opened.budgets.views()[0] ?? {};
  return { posted, pending };
};

describe('whose what is', () => {
  it('outlives a kill right after a caller could be told', async () => {
    const first = await open();
    first.objects.keep(file('file-1', { tokens: 7 }));
    first.objects.keep(file('file-2'));
    first.objects.forget(file('file-2'));
    killed();
    const second = await open();
    expect(await second.objects.find('shop/alpha', 'file', 'file-1')).toEqual(file('file-1', { tokens: 7 }));
    expect(await second.objects.find('shop/alpha', 'file', 'file-2')).toBeUndefined();
    await second.close();
    await first.close();
  });

  it('is nobody else’s, and stays its first owner’s', async () => {
    const opened = await open();
    opened.objects.keep(file('file-1'));
    expect(await opened.objects.find('shop/beta', 'file', 'file-1')).toBeUndefined();
    expect(await opened.objects.find('shop/alpha', 'response', 'file-1')).toBeUndefined();
    opened.objects.keep(file('file-1', { workload: 'shop/beta' }));
    await opened.close();
    const again = await open();
    expect(await again.objects.find('shop/beta', 'file', 'file-1')).toBeUndefined();
    expect(await again.objects.find('shop/alpha', 'file', 'file-1')).toBeDefined();
    await again.close();
  });

  it('is known beyond what fits into memory, and listed by kind and provider', async () => {
    const opened = await open();
    for (let index = 0; index < 20_100; index++) opened.objects.keep(file(`file-${index}`));
    opened.objects.keep(file('file-other', { provider: 'shop/other' }));
    expect(await opened.objects.find('shop/alpha', 'file', 'file-0')).toEqual(file('file-0'));
    const ids = await opened.objects.idsOf('shop/alpha', 'file', 'shop/openai');
    expect(ids.size).toBe(20_100);
    expect(ids.has('file-other')).toBe(false);
    await opened.close();
  });

  it('is forgotten when its provider has forgotten it, but for a batch that is open', async () => {
    const opened = await open();
    for (let index = 0; index < 2_500; index++) opened.objects.keep(file(`old-${index}`, { expiresAt: now + 10 }));
    opened.objects.keep({ ...batch('batch_1', ['b1']), expiresAt: now + 10 });
    opened.objects.keep(file('file-2'));
    await opened.close();
    now += 11;
    const later = await open();
    await later.budgets.forget(0);
    expect(await later.objects.idsOf('shop/alpha', 'file', 'shop/openai')).toEqual(new Set(['file-2']));
    expect(await later.objects.find('shop/alpha', 'batch', 'batch_1')).toBeDefined();
    await later.close();
  });

  it('has a place in the books of an older version', async () => {
    const path = booksFile(folder);
    await (await open()).close();
    const database = new DatabaseSync(path);
    database.exec('DROP TABLE objects; DROP TABLE leases; DROP TABLE lease_limits; DROP TABLE lease_posts; DROP TABLE undelivered; DROP TABLE subjects;');
    database.exec('DROP INDEX records_by_ending; ALTER TABLE records DROP COLUMN ended; PRAGMA user_version = 2;');
    database.close();
    const opened = await open();
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([]);
    opened.objects.keep(file('file-1'));
    expect(await opened.objects.idsOf('shop/alpha', 'file', 'shop/openai')).toEqual(new Set(['file-1']));
    await opened.close();
  });
});

describe('an open batch', () => {
  it('keeps its hold over a restart, and over a kill, and settles once', async () => {
    const first = await open();
    expect(await admit(first, 'b1', 600n)).toMatchObject({ kind: 'granted' });
    first.objects.keep(batch('batch_1', ['b1']));
    await first.close();
    const second = await open();
    expect(figures(second)).toEqual({ posted: 0n, pending: 600n });
    expect(second.openBatches).toEqual([batch('batch_1', ['b1'])]);
    expect(await admit(second, 'b2', 500n)).toMatchObject({ kind: 'refused' });
    killed();
    const third = await open('another run');
    expect(figures(third)).toEqual({ posted: 0n, pending: 600n });
    expect(recovered).toEqual([]);
    settle(third, 'b1', 100n);
    settle(third, 'b1', 100n);
    third.objects.keep({ ...batch('batch_1', []), open: undefined } as unknown as KeptObject);
    expect(figures(third)).toEqual({ posted: 100n, pending: 0n });
    await third.close();
    const fourth = await open('another run');
    expect(figures(fourth)).toEqual({ posted: 100n, pending: 0n });
    expect(fourth.openBatches).toEqual([]);
    await fourth.close();
    await second.close();
  });

  it('whose settlement was written and whose end was not is not settled again', async () => {
    const first = await open();
    await admit(first, 'b1', 600n);
    first.objects.keep(batch('batch_1', ['b1']));
    settle(first, 'b1', 100n);
    await first.close();
    const second = await open();
    expect(second.openBatches).toHaveLength(1);
    expect(second.budgets.batchHold('b1')).toBeUndefined();
    expect(figures(second)).toEqual({ posted: 100n, pending: 0n });
    await second.close();
  });

  it('that nobody heard the name of is charged what was held', async () => {
    const first = await open();
    await admit(first, 'b1', 600n);
    killed();
    const second = await open();
    expect(figures(second)).toEqual({ posted: 600n, pending: 0n });
    expect(recovered).toMatchObject([{ id: 'b1', ending: 'lost' }]);
    await second.close();
    await first.close();
  });
});
