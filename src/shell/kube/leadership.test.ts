/** Who leads, of several that share a Lease: never two, and soon another. On a clock that is set. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiAnswer } from './apiserver.ts';
import { Leadership } from './leadership.ts';

interface Stored {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly holderIdentity: string; readonly leaseTransitions: number };
}

/** One Lease, as an API server keeps it: a write names the version that it replaces. */
class LeaseServer {
  lease: Stored | undefined;
  #version = 0;

  answer(method: string, body: unknown): ApiAnswer {
    if (method === 'GET') return this.lease === undefined ? { status: 404, body: {} } : { status: 200, body: this.lease };
    const wish = body as { readonly metadata: { readonly resourceVersion?: string }; readonly spec: Stored['spec'] };
    if (method === 'POST' ? this.lease !== undefined : wish.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) return { status: 409, body: {} };
    this.lease = { metadata: { resourceVersion: String(++this.#version) }, spec: wish.spec };
    return { status: method === 'POST' ? 201 : 200, body: this.lease };
  }
}

class Candidate {
  isReachable = true;
  isFit = true;
  /** An answer takes so long; what was asked for has happened meanwhile. */
  lateMs = 0;
  readonly changes: boolean[] = [];
  readonly leadership: Leadership;

  constructor(server: LeaseServer, identity: string) {
    const send = async (method: string, _path: string, { body }: { readonly body?: unknown } = {}): Promise<ApiAnswer> => {
      if (!this.isReachable) throw new Error('cut off');
      const answer = server.answer(method, body);
      if (this.lateMs > 0) await new Promise((resolve) => setTimeout(resolve, this.lateMs));
      return answer;
    };
    this.leadership = new Leadership({
      api: { send },
      namespace: 'airmesh-system',
      name: 'airmesh',
      identity,
      clock: { epochMs: () => Date.now(), monotonicMs: () => Date.now() },
      random: () => 0.5,
      wait: (ms, signal) =>
        new Promise((resolve) => {
          const timer = setTimeout(resolve, ms);
          signal.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
          });
        }),
      isFit: () => this.isFit,
      onChange: (leads) => void this.changes.push(leads),
      onFault: () => undefined,
    });
    this.leadership.start();
  }

  get leads(): boolean {
    return this.leadership.leads;
  }
}

let server: LeaseServer;
let candidates: Candidate[] = [];
const join = (identity: string): Candidate => {
  const candidate = new Candidate(server, identity);
  candidates.push(candidate);
  return candidate;
};

/** Looks each tenth of a second: never do two lead. Returns when somebody else was seen to. */
async function pass(ms: number, until: () => boolean = () => false): Promise<number> {
  for (let passed = 0; passed < ms; passed += 100) {
    if (until()) return passed;
    await vi.advanceTimersByTimeAsync(100);
    expect(candidates.filter(({ leads }) => leads).length).toBeLessThanOrEqual(1);
  }
  return ms;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  server = new LeaseServer();
  candidates = [];
});

afterEach(async () => {
  const closing = Promise.all(candidates.map(({ leadership }) => leadership.close()));
  vi.useRealTimers();
  await closing;
});

describe('of several', () => {
  it('one leads, and goes on', async () => {
    const [first, second] = [join('a'), join('b')];
    await pass(60_000);
    expect([first.leads, second.leads]).toEqual([true, false]);
    expect(first.changes).toEqual([true]);
  });

  it('one that is cut off stops before another begins, and does not come back by itself', async () => {
    const [first, second] = [join('a'), join('b')];
    await pass(4_000);
    first.isReachable = false;
    expect(await pass(15_000, () => !first.leads)).toBeLessThanOrEqual(10_000);
    expect(await pass(20_000, () => second.leads)).toBeLessThanOrEqual(10_000);
    first.isReachable = true;
    await pass(30_000);
    expect([first.leads, second.leads]).toEqual([false, true]);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('one whose answers are late counts from when it asked', async () => {
    const first = join('a');
    await pass(4_000);
    first.lateMs = 11_000;
    await pass(12_000);
    expect(first.leads).toBe(false);
    first.lateMs = 0;
    await pass(15_000);
    expect(first.leads).toBe(true);
  });

  it('one that ends in good order lets the next begin at once', async () => {
    const [first, second] = [join('a'), join('b')];
    await pass(4_000);
    await Promise.all([first.leadership.close(), vi.advanceTimersByTimeAsync(100)]);
    expect(await pass(10_000, () => second.leads)).toBeLessThanOrEqual(3_000);
  });

  it('one that is no use any more gives way', async () => {
    const [first, second] = [join('a'), join('b')];
    await pass(4_000);
    first.isFit = false;
    await pass(40_000);
    expect([first.leads, second.leads]).toEqual([false, true]);
  });
});
