import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ok } from '../../core/units/index.ts';
import { WireServer, addressFault } from '../wire/index.ts';
import { LedgerLink } from './link.ts';
import { ALL_PERMITTED } from './ports.ts';
import { LEDGER_METHODS } from './methods.ts';
import { ledgerService } from './service.ts';
import { LIMIT, SOON, TestProcessor, TestService } from './service.test-support.ts';

let service: TestService;

beforeEach(async () => {
  service = await TestService.start();
});
afterEach(() => service.close());

async function served(processor: TestProcessor): Promise<void> {
  const { id } = processor.reserve(10n);
  await vi.waitFor(() => expect(processor.decided.get(id)?.kind).toBe('granted'), SOON);
}

/** A link in plain text that nothing is said over. */
function silentLink(address: string): LedgerLink {
  return service.keep(
    new LedgerLink({ addresses: [address], access: 'plain text', clock: service.clock, onConnected: () => undefined, onMessage: () => undefined }),
  );
}

/** A service that takes streams of `Hold` as a test wishes. */
async function otherService(take: (call: ServerDuplexStream<Buffer, Buffer>) => void): Promise<string> {
  const server = new Server();
  server.addService({ Hold: LEDGER_METHODS.Hold }, { Hold: take });
  service.keep({ close: () => server.forceShutdown() });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return `localhost:${port}`;
}

describe('a link', () => {
  it('tries the next address where nobody listens, or nobody answers', async () => {
    const deaf: TcpServer = createServer(() => undefined);
    await new Promise<void>((resolve) => void deaf.listen(0, '127.0.0.1', resolve));
    service.keep({ close: () => void deaf.close() });
    const dead = `localhost:${(deaf.address() as AddressInfo).port}`;
    const processor = await service.processor('p', ['localhost:1', dead, 'nowhere.invalid:443', service.address]);
    await served(processor);
    expect(processor.link.state.connected).toEqual({ to: service.address, since: expect.any(Number) });
  });

  it('says why there is no connection', async () => {
    const link = silentLink('nowhere.invalid:443');
    await vi.waitFor(() => expect(link.state.lastError?.message).toMatch(/^nowhere\.invalid cannot be resolved: E/), SOON);
    const other = silentLink('localhost:1');
    await vi.waitFor(() => expect(other.state.lastError?.message).toMatch(/^localhost:1: .*ECONNREFUSED.*\(UNAVAILABLE\)$/), SOON);
  });

  it('forgets what is said while there is none', () => {
    expect(() => silentLink('localhost:1').send({ kind: 'join', nonce: 'n', sentAt: 1 })).not.toThrow();
  });

  it('does not speak with a service of another version', async () => {
    const metadata = new Metadata();
    metadata.set('airmesh-protocol', '2.1');
    const link = silentLink(await otherService((call) => call.sendMetadata(metadata)));
    await vi.waitFor(
      () => expect(link.state.lastError?.message).toBe('the controller speaks airmesh-protocol 2, and the processor 1: upgrade the processor'),
      SOON,
    );
    expect(link.state.connected).toBeUndefined();
  });

  it('does not speak with what is no ledger service', async () => {
    const link = silentLink(await otherService((call) => call.sendMetadata(new Metadata())));
    await vi.waitFor(() => expect(link.state.lastError?.message).toMatch(/^the controller says no airmesh-protocol/), SOON);
  });

  it('leaves a service that says what makes no sense', async () => {
    const metadata = new Metadata();
    metadata.set('airmesh-protocol', '1');
    const address = await otherService((call) => {
      call.sendMetadata(metadata);
      call.write(Buffer.from('what?'));
    });
    const link = silentLink(address);
    await vi.waitFor(() => expect(link.state.lastError?.message).toBe('ToHolder: these 5 bytes are no such message'), SOON);
  });

  it('leaves a service that does not answer', async () => {
    const metadata = new Metadata();
    metadata.set('airmesh-protocol', '1');
    let streams = 0;
    const address = await otherService((call) => {
      streams += 1;
      call.sendMetadata(metadata);
      call.resume();
    });
    const processor = service.keep(new TestProcessor('p', { addresses: [address], access: 'plain text', clock: service.clock }, [LIMIT]));
    await vi.waitFor(() => expect(processor.link.state.lastError?.message).toBe('the controller has not answered for 5 s'), SOON);
    await vi.waitFor(() => expect(streams).toBe(2), SOON);
  });

  it('that is closed while a service is about to take its stream does not come about', async () => {
    const metadata = new Metadata();
    metadata.set('airmesh-protocol', '1');
    const { promise: called, resolve: isCalled } = Promise.withResolvers<ServerDuplexStream<Buffer, Buffer>>();
    let connections = 0;
    const address = await otherService(isCalled);
    const link = service.keep(
      new LedgerLink({
        addresses: [address],
        access: 'plain text',
        clock: service.clock,
        onConnected: () => (connections += 1),
        onMessage: () => undefined,
      }),
    );
    const call = await called;
    const cancelled = once(call, 'cancelled');
    link.close();
    await cancelled;
    call.sendMetadata(metadata);
    expect(connections).toBe(0);
  });

  it('of a name that another has, too, does not fight for it', async () => {
    const [one, two] = [await service.processor('p'), await service.processor('p')];
    await vi.waitFor(() => expect(one.link.state.lastError ?? two.link.state.lastError).toBeDefined(), SOON);
    const message = one.link.state.lastError?.message ?? two.link.state.lastError?.message;
    expect(message).toMatch(/a newer stream of spiffe:\/\/test\/processor\/p has taken the place of this one \(ABORTED\)$/);
    const connections = one.connections + two.connections;
    const began = performance.now();
    await vi.waitFor(() => expect(one.connections + two.connections).toBeGreaterThan(connections), SOON);
    expect(performance.now() - began).toBeGreaterThan(1_500);
    expect(service.told.of('replaced').length).toBeGreaterThan(0);
  });

  it('to a socket file needs no certificates; only its owner can open it', async () => {
    const { host, store, clock, told } = service;
    const server = new WireServer({
      services: [ledgerService({ host, store, permissions: ALL_PERMITTED, tell: told.tell })],
      clock,
      authenticate: () => ok({ processor: 'local' }),
      tell: told.tell,
    });
    const socketPath = join(service.folder, 'ledger.sock');
    await server.listen({ socketPath });
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    const processor = service.keep(new TestProcessor('p', { addresses: [`unix:${socketPath}`], access: 'plain text', clock }, [LIMIT]));
    await served(processor);
    expect(host.processors).toEqual(['local']);
    processor.close();
    await server.close(1_000);
  });
});

it('a caller is told where it cannot be found out who it is', async () => {
  const { host, store, clock, told } = service;
  const authenticate = (): Promise<never> => Promise.reject(new Error('the API server is away'));
  const server = new WireServer({
    services: [ledgerService({ host, store, permissions: ALL_PERMITTED, tell: told.tell })],
    clock,
    authenticate,
    tell: told.tell,
  });
  const port = await server.listen({ plainTextPort: 0 });
  const link = silentLink(`localhost:${port}`);
  await vi.waitFor(() => expect(link.state.lastError?.message).toMatch(/who calls cannot be found out now: the API server is away \(UNAVAILABLE\)$/), SOON);
  link.close();
  await server.close(1_000);
});

describe('an address', () => {
  it.each(['localhost:443', 'airmesh-controller.airmesh-system.svc:8443', '10.0.0.1:1', '[::1]:65535', 'unix:/run/ledger.sock'])('is %s', (address) => {
    expect(addressFault(address)).toBeUndefined();
  });

  it.each(['', 'localhost', ':443', 'localhost:0', 'localhost:65536', '::1:443', '[localhost]:443', 'https://localhost:443', 'unix:relative'])(
    'is not %j',
    (address) => {
      expect(addressFault(address)).toMatch(/write host:port, \[IPv6\]:port or unix:\/path$/);
      expect(() => silentLink(address)).toThrow(TypeError);
    },
  );
});
