import { expect, it } from 'vitest';
import type { Entry } from '../../core/leases/index.ts';
import { newestOf } from './newest.ts';

const lease = (number: number, state: 'live' | 'gone'): Entry => ({ kind: 'lease', lease: number, processor: 'p', nonce: 'n', state });
const of = { limit: 'l', subject: '', period: 0 };
const share = (number: number, spent: bigint): Entry => ({
  kind: 'share',
  lease: number,
  ...of,
  granted: 9n,
  returned: 0n,
  spent,
  buckets: [],
  allowance: 0n,
  forgiven: 0n,
});
const account = (carried: bigint): Entry => ({ kind: 'account', ...of, carried, buckets: [], rollingMs: 0, alerted: 0, isGone: false });

it.each<[string, Entry[], Entry[]]>([
  ['nothing', [], []],
  ['the newest of each', [share(1, 1n), account(0n), share(2, 1n), share(1, 2n), account(5n)], [share(2, 1n), share(1, 2n), account(5n)]],
  ['what is gone behind what it takes with it', [lease(1, 'live'), share(1, 1n), lease(1, 'gone')], [share(1, 1n), lease(1, 'gone')]],
])('leaves %s', (_, entries, newest) => {
  expect(newestOf(entries)).toEqual(newest);
});
