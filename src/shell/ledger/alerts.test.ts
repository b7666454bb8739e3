/** Thresholds are told once, whichever controller tells: over a real service that is started again on the same books. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SqliteStore } from '../stores/sqlite/index.ts';
import { SOON, SharedStore, TestService, TroubledStore, granted } from './service.test-support.ts';
import type { TestProcessor } from './service.test-support.ts';

let folder: string;
const opened: { close(): Promise<void> | void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-alerts-'));
});
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
  rmSync(folder, { recursive: true });
});

/** A controller on the books in the folder, at the port of the one before. */
async function start(before?: TestService): Promise<TestService> {
  const books = await SqliteStore.open(join(folder, 'ledger.db'));
  const service = await TestService.start({
    store: new TroubledStore(new SharedStore(books)),
    ...(before === undefined ? {} : { port: before.port, authority: before.authority }),
  });
  opened.push(books, service);
  return service;
}

async function stop(service: TestService): Promise<void> {
  service.host.close();
  await service.server.close(100);
  await service.store.shared.books.close();
}

async function spend(processor: TestProcessor, amount: bigint): Promise<void> {
  processor.settle(await granted(processor, amount), amount);
}

it('each threshold is told once, over restarts of the controller', async () => {
  const told: number[][] = [];
  let service = await start();
  const processor = await service.processor('p');
  const { clock } = service;
  // 500,000 and 800,000 of a million are told; what comes between and after is not told again.
  for (const [amounts, reached] of [
    [[510_000n], [50]],
    [[100_000n], []],
    [[200_000n], [80]],
    [[190_000n], [100]],
  ] as const) {
    for (const amount of amounts) await spend(processor, amount);
    const sum = 510_000n + [100_000n, 200_000n, 190_000n].slice(0, told.length).reduce((total, amount) => total + amount, 0n);
    // So that all is booked.
    clock.pass(15_000);
    await vi.waitFor(() => expect(service.host.figures()[0]?.posted).toBe(sum), SOON);
    const percents = (): number[] => service.told.of('threshold').map(({ percent }) => percent);
    await vi.waitFor(() => expect(percents()).toEqual(reached), SOON);
    // Nor does it say more when all is stored.
    const { beat } = await service.store.pulse();
    await vi.waitFor(async () => expect((await service.store.pulse()).beat).toBeGreaterThan(beat), SOON);
    expect(percents()).toEqual(reached);
    told.push([...reached]);
    await stop(service);
    service = await start(service);
    await vi.waitFor(() => expect(service.host.term).toBeDefined(), SOON);
  }
  expect(told.flat()).toEqual([50, 80, 100]);
});
