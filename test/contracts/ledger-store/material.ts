import type { CallRecord } from '../../../src/core/call/index.ts';
import type { AccountEntry, Entry, LeaseEntry, ShareEntry } from '../../../src/core/leases/index.ts';

export const DAY_MS = 86_400_000;
/** A Wednesday's noon. */
export const NOON = 1_778_068_800_000;

/** What no column of integers holds, and what texts may be that come from a processor. */
export const LARGE = 10n ** 29n + 7n;
export const ODD = 'a\\0b\\\\ü😀\u0000"\'\n\u{10ffff}';
export const LONG = 'x€'.repeat(2_048);

export const lease = (number: number, changes: Partial<LeaseEntry> = {}): LeaseEntry => ({
  kind: 'lease',
  lease: number,
  processor: 'spiffe://test/p',
  nonce: `nonce-${number}`,
  state: 'live',
  ...changes,
});

export const account = (changes: Partial<AccountEntry> = {}): AccountEntry => ({
  kind: 'account',
  limit: 'shop/life|usd',
  subject: '',
  period: 0,
  carried: 0n,
  buckets: [],
  rollingMs: 0,
  alerted: 0,
  isGone: false,
  ...changes,
});

export const share = (number: number, changes: Partial<ShareEntry> = {}): ShareEntry => ({
  kind: 'share',
  lease: number,
  limit: 'shop/life|usd',
  subject: '',
  period: 0,
  granted: 100n,
  returned: 0n,
  spent: 0n,
  buckets: [],
  allowance: 0n,
  forgiven: 0n,
  ...changes,
});

export const record = (id: string, changes: Partial<CallRecord> = {}): CallRecord => ({
  id,
  at: NOON - 500,
  endedAt: NOON,
  namespace: 'shop',
  workload: 'checkout',
  rule: 'shop/all#0',
  provider: 'shop/relay',
  model: 'gpt-4.1',
  operation: 'chat',
  stream: false,
  priceSource: 'test',
  heldNanoUsd: 100n,
  ending: 'finished',
  status: 200,
  servedModel: undefined,
  usage: { inputTokens: 7, outputTokens: 3 },
  estimated: false,
  costNanoUsd: 60n,
  chargedNanoUsd: 60n,
  posted: [],
  shrunkToTokens: undefined,
  ...changes,
});

/** In an order that says nothing. */
export const sorted = (entries: readonly Entry[]): Entry[] =>
  entries.toSorted((one, other) => (JSON.stringify(one, withoutBigints) < JSON.stringify(other, withoutBigints) ? -1 : 1));

const withoutBigints = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
