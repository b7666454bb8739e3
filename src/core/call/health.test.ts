import { describe, expect, it } from 'vitest';
import { ProviderHealth, retryAfterMs } from './health.ts';
import type { HealthEvent } from './health.ts';

const POLICY = { consecutiveFailures: 3, ejectionTimeMs: 1_000, maxEjectionTimeMs: 3_000 };
const FAILED = { kind: 'failed' } as const;
const SERVED = { kind: 'served' } as const;

class Bench {
  now = 0;
  readonly events: HealthEvent[] = [];
  readonly health = new ProviderHealth(
    () => this.now,
    (event) => this.events.push(event),
  );

  fail(times = 1, retryAfterMs?: number): void {
    for (let time = 0; time < times; time++) this.health.note('p', 'm', retryAfterMs === undefined ? FAILED : { ...FAILED, retryAfterMs }, POLICY);
  }

  get isOut(): boolean {
    return this.health.isOut('p', 'm');
  }
}

describe('a model at a provider', () => {
  it('is out after so many failures in a row, and others of its models are not', () => {
    const bench = new Bench();
    bench.fail(2);
    bench.health.note('p', 'm', SERVED, POLICY);
    bench.fail(2);
    expect(bench.isOut).toBe(false);
    bench.fail();
    expect(bench.isOut).toBe(true);
    expect(bench.health.isOut('p', 'other')).toBe(false);
    expect(bench.events).toEqual([{ provider: 'p', model: 'm', isOut: true, forMs: 1_000 }]);
  });

  it('is tried by one call when its time is over, and is back if that one is served', () => {
    const bench = new Bench();
    bench.fail(3);
    bench.now = 1_000;
    expect(bench.isOut).toBe(false);
    bench.health.chosen('p', 'm');
    expect(bench.isOut).toBe(true);
    bench.health.note('p', 'm', SERVED, POLICY);
    expect(bench.isOut).toBe(false);
    expect(bench.events.at(-1)).toMatchObject({ isOut: false });
  });

  it('is out twice as long each time that the trial fails, up to a bound, and as at first once it has served', () => {
    const bench = new Bench();
    bench.fail(3);
    for (let round = 0; round < 3; round++) {
      bench.now += bench.events.at(-1)?.forMs ?? 0;
      bench.health.chosen('p', 'm');
      bench.fail();
    }
    expect(bench.events.map(({ forMs }) => forMs)).toEqual([1_000, 2_000, 3_000, 3_000]);
    bench.now += 3_000;
    bench.health.chosen('p', 'm');
    bench.health.note('p', 'm', SERVED, POLICY);
    bench.fail(3);
    expect(bench.events.at(-1)).toMatchObject({ isOut: true, forMs: 1_000 });
  });

  it('is left alone as long as it asks, at once, within a bound', () => {
    const bench = new Bench();
    bench.fail(1, 20_000);
    bench.now = 19_999;
    expect(bench.isOut).toBe(true);
    bench.now = 20_000;
    expect(bench.isOut).toBe(false);
    bench.health.chosen('p', 'm');
    bench.fail(1, 86_400_000);
    expect(bench.events.at(-1)?.forMs).toBe(300_000);
  });

  it('is not out longer for calls that were sent before it was', () => {
    const bench = new Bench();
    bench.fail(50);
    expect(bench.events).toHaveLength(1);
    bench.now = 1_000;
    expect(bench.isOut).toBe(false);
  });

  it('is tried again where the trial was not sent, or was never heard of', () => {
    const bench = new Bench();
    bench.fail(3);
    bench.now = 1_000;
    bench.health.chosen('p', 'm');
    bench.health.spared('p', 'm');
    expect(bench.isOut).toBe(false);
    bench.health.chosen('p', 'm');
    expect(bench.isOut).toBe(true);
    bench.now = 61_000;
    expect(bench.isOut).toBe(false);
  });
});

it.each([
  ['2', 2_000],
  [' 30 ', 30_000],
  ['Thu, 01 Jan 1970 00:01:00 GMT', 50_000],
  ['Thu, 01 Jan 1970 00:00:01 GMT', undefined],
  ['0', undefined],
  ['-1', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('retry-after %j is %j ms', (value, ms) => {
  expect(retryAfterMs(value, 10_000)).toBe(ms);
});
