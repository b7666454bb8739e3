/** Leases that are lost, over a real ledger service: what the processor does then, and what the books say. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { SOON, TestService, TroubledStore, granted, lookOften } from './service.test-support.ts';
import type { TestProcessor } from './service.test-support.ts';

const services: TestService[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const service of services.splice(0)) await service.close();
});

async function start(...wishes: Parameters<typeof TestService.start>): Promise<TestService> {
  const service = await TestService.start(...wishes);
  services.push(service);
  return service;
}

const leaseOf = (processor: TestProcessor, id: string): unknown => {
  const decided = processor.decided.get(id);
  return decided?.kind === 'granted' ? decided.holds[0]?.lease : undefined;
};

const figures = (service: TestService): readonly (bigint | undefined)[] => {
  const [found] = service.host.figures();
  return [found?.posted, found?.pending, found?.free];
};

/** A way to the service that can be cut, and be whole again. */
async function wayTo(service: TestService): Promise<{ readonly address: string; isCut: boolean }> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((socket) => {
    if (isCut) return void socket.destroy();
    const inner = connect(service.port, '127.0.0.1');
    for (const one of [socket, inner]) {
      sockets.add(one);
      one.on('error', () => undefined).on('close', () => [socket, inner].forEach((each) => each.destroy()));
    }
    socket.pipe(inner).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  service.keep({ close: () => void server.close() });
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    get isCut(): boolean {
      return isCut;
    },
    set isCut(cut) {
      isCut = cut;
      if (cut) for (const socket of sockets) socket.destroy();
    },
  };
}

it('a processor that was cut off for too long is charged its slice, and set right when it is back, with another lease', async () => {
  lookOften();
  const service = await start();
  const way = await wayTo(service);
  const processor = await service.processor('p', [way.address]);
  const held = await granted(processor, 100_000n);
  const slice = figures(service)[1] ?? 0n;
  expect(slice).toBeGreaterThanOrEqual(100_000n);

  way.isCut = true;
  // To just before its lease ends, and then as time goes.
  service.clock.pass(32_000);
  await vi.waitFor(() => expect(service.told.of('lost')).toMatchObject([{ processor: 'spiffe://test/processor/p', charged: slice, released: 0n }]), SOON);
  expect(figures(service)).toEqual([slice, 0n, 1_000_000n - slice]);
  // It knows by its own clock, and admits nothing more.
  const { id: refused } = processor.reserve(10n);
  await vi.waitFor(() => expect(processor.holder.isSilent).toBe(true), SOON);
  expect(processor.decided.get(refused)?.kind).not.toBe('granted');
  expect(processor.reserve(10n).outcome.kind).toBe('out_of_reach');

  way.isCut = false;
  const next = await granted(processor, 10_000n);
  expect(leaseOf(processor, next)).not.toBe(leaseOf(processor, held));
  // The call that was under way all the time is posted under the lease that it began with.
  processor.settle(held, 60_000n);
  processor.settle(next, 10_000n);
  await vi.waitFor(() => expect(figures(service)[0]).toBe(70_000n), SOON);
  expect(service.told.of('found').length).toBeGreaterThan(0);
  expect(service.told.of('violation')).toEqual([]);
});

it('a processor whose controller has lost its store begins anew, and is not taken for another', async () => {
  const first = await start();
  const [one, two] = [await first.processor('one'), await first.processor('two')];
  const held = await granted(one, 1_000n);
  await granted(two, 1_000n);
  const { port } = first;
  first.host.close();
  await first.server.close(100);

  const second = await start({ port, store: new TroubledStore(), authority: first.authority });
  // By its lease of before, nobody else’s; what that has posted only the records tell.
  const three = await second.processor('three');
  await granted(three, 1_000n);
  const next = await granted(one, 600_000n);
  await granted(two, 1_000n);
  one.settle(held, 900n);
  one.settle(next, 500_000n);
  expect(leaseOf(one, next)).toBeGreaterThan(leaseOf(one, held) as number);
  await vi.waitFor(() => expect(figures(second)[0]).toBe(500_000n), SOON);
  expect(second.told.of('violation')).toEqual([]);
  expect(new Set([one, two, three].map(({ holder }) => holder.lease)).size).toBe(3);
  // What others have at hand comes back for who needs it, as ever.
  const all = await granted(two, 490_000n);
  two.settle(all, 0n);
});

it('a processor goes on with its lease where another controller leads, of a later term', async () => {
  const one = await start({ isAlone: false });
  await vi.waitFor(() => expect(one.host.term).toBe(1), SOON);
  const processor = await one.processor('p');
  const held = await granted(processor, 1_000n);
  // A rival that takes the lead and dies: the store says another term, so this one is deposed, and leads again later.
  await one.store.shared.books.lead();
  const next = processor.reserve(500_000n);
  await vi.waitFor(() => expect(one.told.of('resigned')).toMatchObject([{ reason: 'deposed', term: 1 }]), SOON);
  await vi.waitFor(() => expect(one.host.term).toBe(3), SOON);
  await vi.waitFor(() => expect(processor.link.state.connected).toBeDefined(), SOON);
  processor.settle(held, 1_000n);
  const later = await granted(processor, 400_000n);
  expect(leaseOf(processor, later)).toBe(leaseOf(processor, held));
  if (processor.decided.get(next.id)?.kind === 'granted') processor.settle(next.id, 0n);
  processor.settle(later, 400_000n);
  await vi.waitFor(() => expect(figures(one)[0]).toBe(401_000n), SOON);
});
