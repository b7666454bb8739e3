import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CallRecord } from '../../core/call/index.ts';
import { ALL_PERMITTED } from './ports.ts';
import { LIMIT, SOON, TestService, openFiles } from './service.test-support.ts';
import { RecordLink } from './uploader.ts';
import type { Outbox } from './uploader.ts';

const ALL = { sinceMs: 0, count: 100_000 };
let service: TestService;

afterEach(() => service.close());

function record(id: string, changes: Partial<CallRecord> = {}): CallRecord {
  return {
    id,
    at: 1_000,
    endedAt: 2_000,
    namespace: 'shop',
    workload: 'checkout',
    rule: 'r',
    provider: 'openai',
    model: 'gpt',
    operation: 'chat',
    stream: false,
    priceSource: undefined,
    ending: 'finished',
    status: 200,
    servedModel: undefined,
    usage: { inputTokens: 1, outputTokens: 2 },
    estimated: false,
    costNanoUsd: 5n,
    chargedNanoUsd: 5n,
    heldNanoUsd: 9n,
    posted: [{ limit: LIMIT.id, subject: '', windowStart: 0, amount: 5n, lease: 1 }],
    shrunkToTokens: undefined,
    ...changes,
  };
}

/** Records that wait, in memory. */
class Waiting implements Outbox {
  records: CallRecord[];
  isBroken = false;
  readonly asked: number[] = [];

  constructor(records: readonly CallRecord[]) {
    this.records = [...records];
  }

  async next(count: number): Promise<readonly CallRecord[]> {
    if (this.isBroken) throw new Error('the disk is away');
    this.asked.push(count);
    return this.records.slice(0, count);
  }

  async delivered(ids: readonly string[]): Promise<void> {
    const gone = new Set(ids);
    this.records = this.records.filter(({ id }) => !gone.has(id));
  }
}

const many = (count: number): CallRecord[] => Array.from({ length: count }, (_, index) => record(`call-${index}`));

async function link(outbox: Outbox, name = 'p'): Promise<{ link: RecordLink; refused: [string, string][]; faults: string[] }> {
  const certificates = service.keep(openFiles(await service.issue(name)));
  const [refused, faults]: [[string, string][], string[]] = [[], []];
  const made = new RecordLink({
    addresses: [service.address],
    access: certificates,
    clock: service.clock,
    outbox,
    onRefused: (id, reason) => refused.push([id, reason]),
    onFault: ({ message }) => faults.push(message),
  });
  return { link: service.keep(made), refused, faults };
}

const stored = (): Promise<CallRecord[]> => service.store.shared.books.records(ALL);

describe('records', () => {
  it('are told in batches until none is left, and what comes later when it comes', async () => {
    service = await TestService.start();
    const outbox = new Waiting(many(1_201));
    const { link: made, refused, faults } = await link(outbox);
    await vi.waitFor(() => expect(outbox.records).toEqual([]), SOON);
    expect(await stored()).toHaveLength(1_201);
    expect(outbox.asked.every((count) => count === 500)).toBe(true);
    outbox.records.push(record('later', { usage: { inputTokens: 1, outputTokens: 2, reasoningTokens: 0 } }));
    made.poke();
    await vi.waitFor(() => expect(outbox.records).toEqual([]), SOON);
    expect((await stored()).find(({ id }) => id === 'later')).toEqual(record('later', { usage: { inputTokens: 1, outputTokens: 2, reasoningTokens: 0 } }));
    expect([refused, faults]).toEqual([[], []]);
  });

  it('are not delivered before they are stored', async () => {
    service = await TestService.start();
    service.store.isStuck = true;
    const outbox = new Waiting(many(3));
    await link(outbox);
    await vi.waitFor(() => expect(outbox.asked).toHaveLength(1), SOON);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(outbox.records).toHaveLength(3);
    service.store.isStuck = false;
    await vi.waitFor(() => expect(outbox.records).toEqual([]), SOON);
  });

  it('are told again where the store failed, and count once', async () => {
    service = await TestService.start();
    service.store.isBroken = true;
    const outbox = new Waiting(many(3));
    const { link: made } = await link(outbox);
    await vi.waitFor(() => expect(made.state.lastError?.message).toMatch(/the store of the ledger service is out of reach \(UNAVAILABLE\)$/), SOON);
    expect(service.told.of('records_failed').length).toBeGreaterThan(0);
    await service.store.shared.books.addRecords('spiffe://test/processor/p', [record('call-1')]);
    service.store.isBroken = false;
    await vi.waitFor(() => expect(outbox.records).toEqual([]), SOON);
    expect((await stored()).map(({ id }) => id).toSorted()).toEqual(['call-0', 'call-1', 'call-2']);
  });

  it('of others are refused one by one', async () => {
    const permissions = {
      ...ALL_PERMITTED,
      maySpeakFor: ({ processor }: { processor: string }, { workload }: { workload: string }) => processor.endsWith(workload),
    };
    service = await TestService.start({ permissions });
    const outbox = new Waiting([record('own'), record('stolen', { workload: 'payroll' }), record('own too')]);
    const { refused } = await link(outbox, 'checkout');
    await vi.waitFor(() => expect(outbox.records).toEqual([]), SOON);
    expect((await stored()).map(({ id }) => id)).toEqual(['own', 'own too']);
    const reason = '"spiffe://test/processor/checkout" may not speak for "shop/payroll"';
    expect(refused).toEqual([['stolen', reason]]);
    expect(service.told.of('violation')).toEqual([
      expect.objectContaining({ processor: 'spiffe://test/processor/checkout', message: `1 records were refused, the first because ${reason}` }),
    ]);
  });

  it('that make no sense do not keep others from being stored', async () => {
    service = await TestService.start();
    const outbox = new Waiting([record('good'), record('long', { servedModel: 'x'.repeat(5_000) }), record('good too')]);
    const { refused } = await link(outbox);
    await vi.waitFor(() => expect(outbox.records).toEqual([]), SOON);
    expect((await stored()).map(({ id }) => id)).toEqual(['good', 'good too']);
    expect(refused).toEqual([['long', 'record.servedModel: has 5000 characters; at most 4096 were expected']]);
  });

  it('go in as many batches as their size needs', async () => {
    service = await TestService.start();
    const outbox = new Waiting(Array.from({ length: 500 }, (_, index) => record(`call-${index}`, { rule: 'r'.repeat(4_000), model: 'm'.repeat(4_000) })));
    const { link: made } = await link(outbox);
    await vi.waitFor(() => expect(outbox.records).toEqual([]), SOON);
    expect(await stored()).toHaveLength(500);
    expect(made.state.lastError).toBeUndefined();
  });

  it('wait where the outbox fails', async () => {
    service = await TestService.start();
    const outbox = new Waiting(many(2));
    outbox.isBroken = true;
    const { faults } = await link(outbox);
    await vi.waitFor(() => expect(faults).toContain('the disk is away'), SOON);
    outbox.isBroken = false;
    await vi.waitFor(() => expect(outbox.records).toEqual([]), SOON);
  });
});
