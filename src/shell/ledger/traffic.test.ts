/** How much is said between a processor and the ledger service, over gRPC, while calls are admitted. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LIMIT, SOON, TestService } from './service.test-support.ts';
import type { TestProcessor } from './service.test-support.ts';

const AMPLE = { ...LIMIT, limit: 10n ** 15n, waitMs: 60_000 };
const COST = 1_000_000n;
const CALL_MS = 1_000;

let service: TestService;
let processor: TestProcessor;

async function start(): Promise<void> {
  service = await TestService.start({ limits: [AMPLE] });
  processor = await service.processor('p', undefined, [AMPLE]);
  await vi.waitFor(() => expect(processor.holder.lease).toBeGreaterThan(0), SOON);
}
afterEach(() => service.close());

const messages = (): number => processor.link.traffic.sent + processor.link.traffic.received;

/** Calls at that pace, by the service's clock: how many could be admitted at once, and how many waited. */
async function callAt(perSecond: number, seconds: number): Promise<{ atOnce: number; waited: number }> {
  const { clock } = service;
  const open: { readonly id: string; readonly endsAt: number }[] = [];
  const counts = { atOnce: 0, waited: 0 };
  const began = clock.monotonicMs();
  for (let made = 0; made < perSecond * seconds;) {
    const now = clock.monotonicMs();
    while (open[0] !== undefined && open[0].endsAt <= now) processor.settle(open.shift()?.id ?? '', COST / 2n);
    for (; made < Math.min(perSecond * seconds, ((now - began) / 1_000) * perSecond); made += 1) {
      const { id, outcome } = processor.reserve(COST);
      open.push({ id, endsAt: now + CALL_MS });
      if (outcome.kind === 'granted') counts.atOnce += 1;
      else counts.waited += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return counts;
}

describe('a processor that has a slice', () => {
  it('admits a thousand calls without a word', async () => {
    await start();
    const { id } = processor.reserve(1_000n * COST);
    await vi.waitFor(() => expect(processor.decided.get(id)?.kind).toBe('granted'), SOON);
    processor.settle(id, 0n);
    await vi.waitFor(() => expect([...processor.holder.slices()][0]?.atHand).toBeGreaterThanOrEqual(2_000n * COST), SOON);
    service.clock.rate = 0;
    const before = messages();
    for (let made = 0; made < 1_000; made += 1) {
      const { id: call, outcome } = processor.reserve(COST);
      expect(outcome.kind).toBe('granted');
      processor.settle(call, COST);
    }
    expect(messages()).toBe(before);
  });

  it('says and hears less than one message in a hundred calls at 24 calls a second, and none waits', async () => {
    await start();
    service.clock.rate = 20;
    await callAt(24, 40);
    const before = messages();
    const { atOnce, waited } = await callAt(24, 75);
    expect([atOnce, waited]).toEqual([24 * 75, 0]);
    expect(messages() - before).toBeLessThan(atOnce / 100);
  });
});
