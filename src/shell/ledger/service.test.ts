import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LIMIT, SOON, SharedStore, TestService, TroubledStore, call, credentialsOf } from './service.test-support.ts';
import type { TestProcessor } from './service.test-support.ts';

const services: TestService[] = [];

afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
});

async function start(...wishes: Parameters<typeof TestService.start>): Promise<TestService> {
  const service = await TestService.start(...wishes);
  services.push(service);
  return service;
}

async function connected(processor: TestProcessor): Promise<TestProcessor> {
  await vi.waitFor(() => expect(processor.holder.lease).toBeGreaterThan(0), SOON);
  return processor;
}

/** Reserves, waits for it where it must, and settles at once. On a machine that is slow the service may be out of reach for a while. */
async function spend(processor: TestProcessor, nanoUsd: bigint): Promise<'granted' | 'refused'> {
  const { id } = await vi.waitFor(() => {
    const reserved = processor.reserve(nanoUsd);
    expect(reserved.outcome.kind).not.toBe('out_of_reach');
    return reserved;
  }, SOON);
  await vi.waitFor(() => expect(processor.decided.has(id)).toBe(true), SOON);
  const decided = processor.decided.get(id);
  if (decided?.kind === 'granted') processor.settle(id, nanoUsd);
  return decided?.kind ?? 'refused';
}

const posted = (service: TestService): bigint => service.host.figures().reduce((sum, figures) => sum + figures.posted, 0n);

describe('the ledger service over TLS', () => {
  it('lets two processors spend a limit to its end, and not beyond', async () => {
    const service = await start();
    const processors = await Promise.all([service.processor('one'), service.processor('two')].map(async (made) => connected(await made)));
    expect(service.host.processors.toSorted()).toEqual(['spiffe://test/processor/one', 'spiffe://test/processor/two']);
    let spent = 0n;
    for (let index = 0; index < 120; index += 1) {
      const processor = processors[index % 2];
      if (processor !== undefined && (await spend(processor, 10_000n)) === 'granted') spent += 10_000n;
    }
    expect(spent).toBe(LIMIT.limit);
    // A quiet holder says where it stands each fifteen seconds.
    service.clock.pass(15_000);
    await vi.waitFor(() => expect(posted(service)).toBe(LIMIT.limit), SOON);
    expect(service.told.of('threshold').map(({ percent }) => percent)).toEqual([50, 80, 100]);
    expect(service.told.of('violation')).toEqual([]);
  });

  it('tops a limit up within a second', async () => {
    const service = await start({ limits: [{ ...LIMIT, limit: 100n }] });
    const processor = await connected(await service.processor('one', undefined, [{ ...LIMIT, limit: 100n }]));
    expect(await spend(processor, 100n)).toBe('granted');
    expect(await spend(processor, 100n)).toBe('refused');
    service.clock.rate = 0.05;
    const began = service.clock.monotonicMs();
    service.host.configure([{ ...LIMIT, limit: 1_000n }]);
    processor.configure([{ ...LIMIT, limit: 1_000n }]);
    await vi.waitFor(async () => expect(await spend(processor, 100n)).toBe('granted'), SOON);
    expect(service.clock.monotonicMs() - began).toBeLessThan(1_000);
  });

  it('says nothing of what is not stored', async () => {
    const service = await start();
    const processor = await connected(await service.processor('one'));
    await vi.waitFor(() => expect(processor.heard.some(({ kind }) => kind === 'answer')).toBe(true), SOON);
    // No wait and no silence ends, however long the machine takes.
    service.clock.rate = 0;
    service.store.isStuck = true;
    const { id } = processor.reserve(10_000n);
    service.clock.pass(10);
    await vi.waitFor(() => expect(service.host.figures()[0]?.pending).toBeGreaterThanOrEqual(10_000n), SOON);
    // It is decided. A connection that is made meanwhile, and refused, takes longer than to say so would.
    const { ended } = call(service, 'Hold', credentialsOf(await service.issue('other')), new Metadata());
    expect((await ended).code).toBe(status.FAILED_PRECONDITION);
    expect(processor.heard.flatMap((message) => (message.kind === 'answer' ? message.slices : [])).every(({ granted }) => granted === 0n)).toBe(true);
    expect(processor.decided.has(id)).toBe(false);
    expect(processor.connections).toBe(1);
    service.store.isStuck = false;
    await vi.waitFor(() => expect(processor.decided.get(id)?.kind).toBe('granted'), SOON);
  });

  it('goes on where a store comes back, with all that it had stored', async () => {
    const service = await start();
    const processor = await connected(await service.processor('one'));
    expect(await spend(processor, 10_000n)).toBe('granted');
    service.store.isBroken = true;
    const { id } = processor.reserve(900_000n);
    await vi.waitFor(() => expect(service.told.of('store_unavailable').length).toBeGreaterThan(0), SOON);
    await vi.waitFor(() => expect(processor.link.state.lastError?.message).toMatch(/the store of the ledger service is out of reach \(UNAVAILABLE\)$/), SOON);
    service.store.isBroken = false;
    await vi.waitFor(() => expect(processor.decided.get(id)?.kind).toBe('granted'), SOON);
    processor.settle(id, 900_000n);
    await vi.waitFor(() => expect(posted(service)).toBe(910_000n), SOON);
    expect(service.host.term).toBe(2);
    expect(processor.connections).toBeGreaterThan(1);
  });

  it('is taken over by another controller, and who was deposed grants nothing', async () => {
    const shared = new SharedStore();
    const one = await start({ store: new TroubledStore(shared), isAlone: false });
    await vi.waitFor(() => expect(one.host.term).toBe(1), SOON);
    const two = await start({ store: new TroubledStore(shared), isAlone: false, authority: one.authority });
    const processor = await connected(await one.processor('one', [one.address, two.address]));
    expect(processor.link.state.connected?.to).toBe(one.address);
    expect(await spend(processor, 10_000n)).toBe('granted');

    one.store.isStuck = true;
    const { id } = processor.reserve(500_000n);
    await vi.waitFor(() => expect(two.host.term).toBe(2), SOON);
    await vi.waitFor(() => expect(processor.link.state.connected?.to).toBe(two.address), SOON);
    const heard = processor.heard.length;
    one.store.isStuck = false;
    await vi.waitFor(() => expect(one.host.term).toBeUndefined(), SOON);
    expect(processor.heard.slice(heard).every((message) => message.term === 2)).toBe(true);
    expect(processor.decided.get(id)).toBeDefined();
    expect(await spend(processor, 500_000n)).toBe('granted');
    await vi.waitFor(() => expect(two.host.figures()[0]?.pending).toBeDefined(), SOON);
  });

  it('is found again where it comes back at the same address', async () => {
    const first = await start();
    const processor = await connected(await first.processor('one'));
    expect(await spend(processor, 10_000n)).toBe('granted');
    const [{ port }, { shared }] = [first, first.store];
    first.host.close();
    await first.server.close(100);
    await vi.waitFor(() => expect(processor.link.state.connected).toBeUndefined(), SOON);
    const second = await start({ port, store: new TroubledStore(shared), authority: first.authority });
    await vi.waitFor(() => expect(processor.link.state.connected?.to).toBe(second.address), SOON);
    expect(await spend(processor, 900_000n)).toBe('granted');
    await vi.waitFor(() => expect(posted(second)).toBe(910_000n), SOON);
  });
});
