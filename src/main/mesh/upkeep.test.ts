import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SILENT_LOGGER } from '../../shell/telemetry/index.ts';
import { Upkeep, stateFolderUse } from './upkeep.ts';

describe('the upkeep of a state folder', () => {
  let upkeep: Upkeep | undefined;
  let use = { used: 0, free: 100 };
  const said: string[] = [];
  const forgotten: number[] = [];
  const start = (delivers: boolean): Upkeep =>
    (upkeep = new Upkeep({
      opened: { budgets: { forget: async (beforeMs) => void forgotten.push(beforeMs) } },
      use: () => use,
      delivers,
      logger: { ...SILENT_LOGGER, warn: (event) => void said.push(event) },
    }));

  beforeEach(() => {
    vi.useFakeTimers();
    said.length = 0;
    forgotten.length = 0;
  });
  afterEach(() => {
    upkeep?.stop();
    vi.useRealTimers();
  });

  it.each([
    [79, true, undefined],
    [80, true, 'the state folder is 80 % full, of records that no controller has been told yet: have one answer, before calls that budgets count are refused'],
    [99, false, 'the state folder is 99 % full, make room on its disk, before calls that budgets count are refused'],
  ])('at %i %% (delivers: %s)', (used, delivers, problem) => {
    use = { used, free: 100 - used };
    expect(start(delivers).problem()).toBe(problem);
  });

  it('says once that there is little room, and again when there is little again', () => {
    use = { used: 90, free: 10 };
    start(true);
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual(['state.nearly_full']);
    use = { used: 10, free: 90 };
    vi.advanceTimersByTime(60_000);
    use = { used: 90, free: 10 };
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual(['state.nearly_full', 'state.nearly_full']);
  });

  it('forgets at the start, and each hour', () => {
    start(true);
    vi.advanceTimersByTime(2 * 3_600_000);
    expect(forgotten).toHaveLength(3);
    expect(forgotten[0]).toBeLessThanOrEqual(Date.now() - 90 * 86_400_000);
  });
});

it('a state folder’s use is that of its books and its journal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-use-'));
  mkdirSync(join(folder, 'journal'));
  writeFileSync(join(folder, 'ledger.db'), Buffer.alloc(1000));
  writeFileSync(join(folder, 'journal', '1.log'), Buffer.alloc(200));
  expect(stateFolderUse(folder)).toEqual({ used: 1200, free: expect.any(Number) });
  rmSync(folder, { recursive: true });
});
