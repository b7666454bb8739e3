import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { GatewayPlan, SidecarState } from '../../core/control/index.ts';
import type { KnownWorkload } from '../../core/policy/index.ts';
import type { Stream } from '../wire/index.ts';
import { decodeToGateway } from './codec/gateway.ts';
import { GatewayFollower } from './gatewayfollower.ts';
import { stateOf } from './states.test-support.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A gateway that takes down which versions it is sent, and says only what it is told to. */
class Followed {
  readonly sent: string[] = [];
  readonly follower = new GatewayFollower({ send: (bytes: Buffer) => this.#take(bytes) } as unknown as Stream, () => performance.now());
  readonly #states = new Map<string, SidecarState>();

  constructor(callers: readonly string[]) {
    for (const id of callers) this.#states.set(id, stateOf(id));
    this.follower.heard({ program: '1', callers: callers.map(workloadOf), left: [], outcomes: [] });
    this.look();
  }

  publish(id: string, version: string): void {
    this.#states.set(id, stateOf(id, { version }));
    this.look();
  }

  applied(...ids: readonly string[]): void {
    const outcomes = ids.map((id) => ({ workload: workloadOf(id), version: this.#states.get(id)?.version ?? '' }));
    this.follower.heard({ program: '1', callers: [], left: [], outcomes });
    this.look();
  }

  look(): void {
    const plan: GatewayPlan = { common: stateOf('*/*'), namespaces: new Set(['shop']), states: this.#states };
    this.follower.look(plan);
  }

  #take(bytes: Buffer): void {
    const answer = decodeToGateway(bytes);
    if (!answer.ok || answer.value.kind !== 'state') throw new Error('no state was sent');
    this.sent.push(answer.value.state.version);
  }
}

function workloadOf(id: string): KnownWorkload {
  const [namespace = '', name = ''] = id.split('/');
  return { namespace, name };
}

it('each state has its own time to be answered in', () => {
  const gateway = new Followed(['shop/early', 'shop/late']);
  gateway.applied('shop/late');
  vi.advanceTimersByTime(20_000);
  gateway.publish('shop/late', 'late@2');
  expect(gateway.sent).toEqual(['*/*@1', 'shop/early@1', 'shop/late@1', 'late@2']);

  gateway.publish('shop/early', 'early@2');
  gateway.publish('shop/late', 'late@3');
  expect(gateway.sent.slice(4)).toEqual([]);
  vi.advanceTimersByTime(10_000);
  expect(gateway.sent.slice(4)).toEqual(['early@2']);
  vi.advanceTimersByTime(19_999);
  expect(gateway.sent.slice(5)).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(gateway.sent.slice(5)).toEqual(['late@3']);
});

it('its time ends though nothing was sent when that of others did', () => {
  const gateway = new Followed(['shop/early', 'shop/late']);
  gateway.applied('shop/late');
  vi.advanceTimersByTime(20_000);
  gateway.publish('shop/late', 'late@2');
  gateway.publish('shop/late', 'late@3');
  vi.advanceTimersByTime(10_000);
  expect(gateway.sent.slice(3)).toEqual(['late@2']);
  vi.advanceTimersByTime(20_000);
  expect(gateway.sent.slice(3)).toEqual(['late@2', 'late@3']);
});

it('what was sent a moment ago keeps its place beside what takes that of the silent', () => {
  const ids = Array.from({ length: 150 }, (_, index) => `shop/w${index}`);
  const gateway = new Followed(ids);
  expect(gateway.sent).toHaveLength(64);
  vi.advanceTimersByTime(20_000);
  gateway.applied('shop/w0', 'shop/w1');
  expect(gateway.sent).toHaveLength(66);
  vi.advanceTimersByTime(10_000);
  // Of 64 places, two are taken.
  expect(gateway.sent).toHaveLength(66 + 62);
  vi.advanceTimersByTime(20_000);
  expect(gateway.sent).toHaveLength(66 + 62 + 2);
});

it('nothing is waited for when it has left', () => {
  const gateway = new Followed(['shop/early']);
  gateway.follower.left();
  expect(vi.getTimerCount()).toBe(0);
});
