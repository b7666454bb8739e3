/** At what pace statuses are written, and in what order: on a clock that is set. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Observed, Status } from '../../core/control/index.ts';
import type { ApiAnswer } from './apiserver.ts';
import { EventWriter } from './eventwriter.ts';
import { StatusWriter } from './statuswriter.ts';

interface Write {
  readonly name: string;
  readonly at: number;
  readonly message: string;
}

const condition = (message: string): Status['conditions'][number] => ({
  type: 'Accepted',
  status: 'True',
  reason: 'Accepted',
  message,
  lastTransitionTime: '2026-11-28T07:00:00Z',
});
const statusOf = (message: string): Status => ({ conditions: [condition(message)], findings: [] });
const observed = (name: string, resourceVersion = '1'): Observed => ({
  kind: 'AIRoute',
  namespace: 'shop',
  name,
  uid: name,
  generation: 1,
  resourceVersion,
  findings: [],
  status: statusOf('before'),
});

class Desk {
  readonly writes: Write[] = [];
  readonly faults: string[] = [];
  answer: ApiAnswer | Error = { status: 200, body: {} };
  mayWrite = true;
  readonly writer: StatusWriter;

  constructor() {
    const api = {
      send: (_method: string, path: string, { body }: { readonly body?: unknown } = {}): Promise<ApiAnswer> => {
        const { metadata, status } = body as { readonly metadata: { readonly name: string }; readonly status?: Status };
        if (path.endsWith('/status')) this.writes.push({ name: metadata.name, at: Date.now(), message: status?.conditions[0]?.message ?? '' });
        return this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer);
      },
    };
    const clock = { epochMs: () => Date.now(), monotonicMs: () => Date.now() };
    const events = new EventWriter({ api, identity: 'test', clock, onFault: () => undefined });
    this.writer = new StatusWriter({
      api,
      events,
      now: () => Date.now(),
      mayWrite: () => this.mayWrite,
      onFault: (_resource, message) => void this.faults.push(message),
    });
  }
}

let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers();
  desk = new Desk();
});

afterEach(() => {
  desk.writer.close();
  vi.useRealTimers();
});

const busiestSecond = (writes: readonly Write[]): number =>
  Math.max(...writes.map(({ at }) => writes.filter((other) => other.at >= at && other.at < at + 1_000).length));

describe('statuses', () => {
  it('of many resources are written five in a second', async () => {
    for (let index = 0; index < 40; index++) desk.writer.offer(observed(`r${index}`), statusOf('new'), 'verdict');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(desk.writes).toHaveLength(40);
    expect(busiestSecond(desk.writes)).toBeLessThanOrEqual(5);
  });

  it('of one that a thousand sidecars acknowledge are written once in a second, and the last says what is', async () => {
    for (let count = 1; count <= 1_000; count++) {
      const version = String(desk.writes.length + 1);
      desk.writer.offer(observed('wide', version), statusOf(`${count} of 1000`), 'reach');
      await vi.advanceTimersByTimeAsync(4);
    }
    await vi.advanceTimersByTimeAsync(2_000);
    expect(desk.writes.length).toBeLessThanOrEqual(6);
    expect(desk.writes.at(-1)?.message).toBe('1000 of 1000');
  });

  it('that say something new go before those that count', async () => {
    desk.writer.offer(observed('amounts'), statusOf('a'), 'amounts');
    desk.writer.offer(observed('reach'), statusOf('b'), 'reach');
    desk.writer.offer(observed('verdict'), statusOf('c'), 'verdict');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(desk.writes.map(({ name }) => name)).toEqual(['verdict', 'reach', 'amounts']);
  });

  it('are not written by who does not lead, and are when it does', async () => {
    desk.mayWrite = false;
    desk.writer.offer(observed('one'), statusOf('new'), 'verdict');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(desk.writes).toEqual([]);
    desk.mayWrite = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(desk.writes).toHaveLength(1);
  });

  it('are not written where the one that stands says the same', async () => {
    desk.writer.offer(observed('one'), statusOf('new'), 'verdict');
    desk.writer.offer(observed('one'), statusOf('before'), 'none');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(desk.writes).toEqual([]);
  });

  it('wait until what was written comes back, and are not repeated where another writes the same field', async () => {
    desk.writer.offer(observed('one', '1'), statusOf('new'), 'verdict');
    await vi.advanceTimersByTimeAsync(500);
    desk.writer.offer(observed('one', '1'), statusOf('newer'), 'verdict');
    await vi.advanceTimersByTimeAsync(500);
    expect(desk.writes.map(({ message }) => message)).toEqual(['new']);
    desk.writer.offer(observed('one', '2'), statusOf('newer'), 'verdict');
    await vi.advanceTimersByTimeAsync(500);
    expect(desk.writes.map(({ message }) => message)).toEqual(['new', 'newer']);
    for (let look = 0; look < 20; look++) {
      desk.writer.offer(observed('one', `${look + 3}`), statusOf('newer'), 'verdict');
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(desk.writes).toHaveLength(2);
  });

  it('that are refused are told of, and not offered again at once', async () => {
    desk.answer = { status: 422, body: { message: 'status.findings: too many' } };
    desk.writer.offer(observed('one', '1'), statusOf('new'), 'verdict');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(desk.faults).toEqual(['status.findings: too many']);
    for (let look = 0; look < 10; look++) {
      desk.writer.offer(observed('one', `${look + 2}`), statusOf(`${look}`), 'verdict');
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(desk.writes).toHaveLength(1);
  });

  it('of what has changed since are left to the next look', async () => {
    desk.answer = { status: 409, body: {} };
    desk.writer.offer(observed('one', '1'), statusOf('new'), 'verdict');
    await vi.advanceTimersByTimeAsync(1_000);
    expect([desk.writes.length, desk.faults]).toEqual([1, []]);
    desk.answer = { status: 200, body: {} };
    desk.writer.offer(observed('one', '2'), statusOf('new'), 'verdict');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(desk.writes).toHaveLength(2);
  });
});
