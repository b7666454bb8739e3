import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Report, SliceReport } from '../../core/leases/index.ts';
import { decodeToHolder, encodeToAuthority } from './codec.ts';
import { LEDGER_METHODS } from './methods.ts';
import { LIMIT, SOON, TestService, call, credentialsOf } from './service.test-support.ts';
import type { RawCall } from './service.test-support.ts';

const UNKNOWN: SliceReport = { limit: 'unknown', subject: '', period: 0, returned: 0n, spent: 0n, need: 0n, least: 0n, more: 0n, spare: 0n };

let service: TestService;

beforeEach(async () => {
  service = await TestService.start();
});
afterEach(() => service.close());

async function joined(name: string): Promise<RawCall & { readonly lease: number }> {
  const raw = call(service, 'Hold', credentialsOf(await service.issue(name)));
  await raw.taken;
  raw.stream.write(encodeToAuthority({ kind: 'join', nonce: name, sentAt: 1 }));
  await vi.waitFor(() => expect(raw.answers).toHaveLength(1), SOON);
  const answer = decodeToHolder(raw.answers[0] ?? Buffer.alloc(0));
  return { ...raw, lease: answer.ok ? answer.value.lease : 0 };
}

const reportOf = (lease: number, sentAt: number, slices: readonly SliceReport[] = []): Report => ({
  kind: 'report',
  lease,
  instance: 'i',
  sentAt,
  at: service.clock.epochMs(),
  heard: 0,
  stage: 'open',
  slices,
});

/** Another one's life goes on. */
async function othersAreServed(): Promise<void> {
  const processor = await service.processor(`other-${Math.random()}`);
  await vi.waitFor(() => expect(processor.holder.lease).toBeGreaterThan(0), SOON);
  const { id } = processor.reserve(10n);
  await vi.waitFor(() => expect(processor.decided.get(id)?.kind).toBe('granted'), SOON);
}

describe('a processor that', () => {
  it('says what is no message is told so, and nobody else is disturbed', async () => {
    const { stream, ended } = await joined('p');
    stream.write(Buffer.from('what?'));
    expect(await ended).toMatchObject({ code: status.INVALID_ARGUMENT, details: 'ToAuthority: these 5 bytes are no such message' });
    expect(service.told.of('violation')).toEqual([expect.objectContaining({ processor: 'spiffe://test/processor/p', code: 'invalid' })]);
    await vi.waitFor(() => expect(service.host.processors).toEqual([]), SOON);
    await othersAreServed();
  });

  it('says what makes no sense is told what', async () => {
    const { stream, lease, ended } = await joined('p');
    stream.write(encodeToAuthority(reportOf(lease, Number.NaN)));
    expect(await ended).toMatchObject({ code: status.INVALID_ARGUMENT, details: 'ToAuthority.report.sentAt: NaN is not a time' });
  });

  it('names another’s lease is told so', async () => {
    const { lease } = await joined('owner');
    const { stream, ended } = await joined('thief');
    stream.write(encodeToAuthority(reportOf(lease, 1)));
    expect(await ended).toMatchObject({ code: status.PERMISSION_DENIED, details: `lease ${lease} is not a lease of "spiffe://test/processor/thief"` });
  });

  it('says too much at once is told so', async () => {
    const { stream, ended } = await joined('p');
    stream.write(Buffer.alloc(1_048_577));
    expect(await ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('larger than max') });
    await othersAreServed();
  });

  it('has two streams keeps the newer', async () => {
    const older = await joined('p');
    const newer = await joined('p');
    expect(await older.ended).toMatchObject({ code: status.ABORTED, details: expect.stringContaining('a newer stream of spiffe://test/processor/p') });
    expect(service.told.of('replaced')).toHaveLength(1);
    newer.stream.write(encodeToAuthority(reportOf(newer.lease, 1)));
    await vi.waitFor(() => expect(newer.answers).toHaveLength(2), SOON);
  });

  it('calls what there is not is told so', async () => {
    const credentials = credentialsOf(await service.issue('p'));
    const path = LEDGER_METHODS.Hold.path;
    Object.assign(LEDGER_METHODS.Hold, { path: '/airmesh.ledger.v1.Ledger/Steal' });
    const { ended } = call(service, 'Hold', credentials);
    Object.assign(LEDGER_METHODS.Hold, { path });
    expect((await ended).code).toBe(status.UNIMPLEMENTED);
  });

  it('floods is read no faster than an honest one speaks, and others are served meanwhile', async () => {
    const flooder = await joined('flooder');
    const bytes = encodeToAuthority(reportOf(flooder.lease, 2));
    const flooding = new AbortController();
    const flood = (): void => {
      if (flooding.signal.aborted) return;
      while (flooder.stream.write(bytes));
      flooder.stream.once('drain', flood);
    };
    const began = performance.now();
    flood();
    await othersAreServed();
    await vi.waitFor(() => expect(flooder.answers.length).toBeGreaterThan(3_000), SOON);
    flooding.abort();
    const seconds = (performance.now() - began) / 1_000;
    expect(flooder.answers.length).toBeLessThan(2_000 + 64 + seconds * 1_000);
    flooder.stream.cancel();
  });

  it('is gone is forgotten', async () => {
    const { stream } = await joined('p');
    expect(service.host.processors).toHaveLength(1);
    stream.cancel();
    await vi.waitFor(() => expect(service.host.processors).toEqual([]), SOON);
  });

  it('says that it has said all gets its last answers, and a good end', async () => {
    const { stream, lease, answers, ended } = await joined('p');
    stream.write(encodeToAuthority(reportOf(lease, 2)));
    stream.end();
    expect((await ended).code).toBe(status.OK);
    expect(answers).toHaveLength(2);
  });
});

/** A caller that speaks HTTP/2 by itself, to do what gRPC's client never would. */
async function bareCall(name: string): Promise<{ session: ClientHttp2Session; stream: ReturnType<ClientHttp2Session['request']> }> {
  const { authorities, key, certificate } = await service.issue(name);
  const session = connectHttp2(`https://localhost:${service.port}`, { ca: readFileSync(authorities), key: readFileSync(key), cert: readFileSync(certificate) });
  session.on('error', () => undefined);
  service.keep({ close: () => session.destroy() });
  const stream = session.request({
    ':method': 'POST',
    ':path': LEDGER_METHODS.Hold.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'airmesh-protocol': '1',
  });
  stream.on('error', () => undefined);
  return { session, stream };
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

describe('a connection', () => {
  it('of who does not read is broken, and nothing grows for it without bound', async () => {
    const { session, stream } = await bareCall('slow');
    stream.pause();
    let isClosed = false;
    session.on('close', () => (isClosed = true));
    stream.write(framed(encodeToAuthority({ kind: 'join', nonce: 'n', sentAt: 1 })));
    const leaseOf = (): number | undefined => {
      for (const entry of service.store.shared.commits.flat())
        if (entry.kind === 'lease' && entry.processor === 'spiffe://test/processor/slow') return entry.lease;
      return undefined;
    };
    const lease = await vi.waitUntil(leaseOf, SOON);
    // Each is answered with a thousand slices, so a hundred are more than may wait.
    const slices = Array.from({ length: 1_000 }, (_, index) => ({ ...UNKNOWN, subject: `subject-${index}` }));
    for (let sent = 0; sent < 100; sent += 1) stream.write(framed(encodeToAuthority(reportOf(lease, sent + 2, slices))));
    await vi.waitFor(() => expect(isClosed).toBe(true), SOON);
    await vi.waitFor(() => expect(service.host.processors).toEqual([]), SOON);
    await othersAreServed();
  });

  it('by which calls come one after the other is broken', async () => {
    const { session } = await bareCall('busy');
    let isClosed = false;
    session.on('close', () => (isClosed = true));
    let calls = 0;
    const again = (): void => {
      if (isClosed || session.destroyed) return;
      calls += 1;
      // Of no version, so each ends at once.
      session
        .request({ ':method': 'POST', ':path': LEDGER_METHODS.Hold.path, 'content-type': 'application/grpc', te: 'trailers' }, { endStream: true })
        .on('error', () => undefined)
        .on('close', () => setImmediate(again))
        .resume();
    };
    again();
    await vi.waitFor(() => expect(isClosed).toBe(true), SOON);
    expect(calls).toBeLessThan(200);
    await othersAreServed();
  });

  it('by which nobody calls is broken', async () => {
    const began = performance.now();
    const socket: Socket = connect(service.port, '127.0.0.1');
    service.keep({ close: () => void socket.destroy() });
    await new Promise<void>((resolve) => {
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
    });
    expect(performance.now() - began).toBeGreaterThan(9_000);
  });
});

it('a limit that was never said is nobody’s', async () => {
  const { stream, lease, answers } = await joined('p');
  stream.write(encodeToAuthority(reportOf(lease, 2, [{ ...UNKNOWN, limit: `${LIMIT.id}|tokens` }])));
  await vi.waitFor(() => expect(answers).toHaveLength(2), SOON);
  const answer = decodeToHolder(answers[1] ?? Buffer.alloc(0));
  expect(answer).toMatchObject({ ok: true, value: { slices: [{ fault: 'unknown_limit', granted: 0n, unspent: 0n }] } });
});
