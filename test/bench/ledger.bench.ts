/**
 * How long admission takes with five matching budgets, and how many a second fit: `node test/bench/ledger.bench.ts`.
 * Each call is reserved and settled; 200 are in flight; memory is measured after a collection where `--expose-gc` allows it.
 */
import { Ledger } from '../../src/core/ledger/index.ts';
import type { AccountRef, LimitSpec, Quote } from '../../src/core/ledger/index.ts';

const CALLS = 300_000;
const WARM_UP = 50_000;
const IN_FLIGHT = 200;
const WORKLOADS = 40;

const common = { limit: 10n ** 18n, mode: 'Strict', nearLimit: 'Shrink', floorOutputTokens: 16, waitMs: 30_000, kind: 'budget' } as const;
const limits: readonly LimitSpec[] = [
  { ...common, id: 'organization', unit: 'usd', window: { kind: 'calendar', unit: 'month', timeZone: 'Europe/Berlin' } },
  { ...common, id: 'team', unit: 'usd', window: { kind: 'calendar', unit: 'day', timeZone: 'Asia/Shanghai' } },
  { ...common, id: 'workload', unit: 'usd', window: { kind: 'rolling', durationMs: 86_400_000 } },
  { ...common, id: 'tokens', unit: 'tokens', window: { kind: 'calendar', unit: 'minute', timeZone: 'UTC' } },
  { ...common, id: 'requests', unit: 'requests', window: { kind: 'rolling', durationMs: 60_000 }, waitMs: 0, kind: 'rate' },
];
const quote: Quote = {
  fixedNanoUsd: 800_000n,
  outputNanoUsdPerMillion: 8_000_000_000n,
  inputTokens: 400,
  choices: 1,
  outputCap: 1_000,
  capIsDefault: false,
  estimate: { nanoUsd: 2_000_000n, tokens: 300, outputTokens: 200 },
};
const workloads = Array.from({ length: WORKLOADS }, (_, index): readonly AccountRef[] =>
  limits.map(({ id }) => ({ limit: id, subject: id === 'workload' || id === 'requests' ? `shop/${index}` : '' })),
);

const ledger = new Ledger();
ledger.configure(limits, 0, 0);
const reserveNs = new Float64Array(CALLS);
const settleNs = new Float64Array(CALLS);
const heapBefore = heapMiB();
let began = 0n;

for (let call = -WARM_UP; call < CALLS; call += 1) {
  if (call === 0) began = process.hrtime.bigint();
  const at = 1_777_888_999_000 + (call + WARM_UP) * 2;
  const start = process.hrtime.bigint();
  ledger.reserve({ id: `call-${call}`, at, now: at, accounts: workloads[(call + WARM_UP) % WORKLOADS] ?? [], quote, profile: 'shop/gpt' });
  const reserved = process.hrtime.bigint();
  ledger.settle(`call-${call - IN_FLIGHT}`, { kind: 'actual', actual: { nanoUsd: 1_800_000n, tokens: 300, outputTokens: 200 } }, at, at);
  const settled = process.hrtime.bigint();
  if (call < 0) continue;
  reserveNs[call] = Number(reserved - start);
  settleNs[call] = Number(settled - reserved);
}

const seconds = Number(process.hrtime.bigint() - began) / 1e9;
console.log(`five budgets, ${CALLS} calls reserved and settled, ${IN_FLIGHT} in flight: ${Math.round(CALLS / seconds)} calls/s`);
console.log(`reserve: ${percentiles(reserveNs)}`);
console.log(`settle:  ${percentiles(settleNs)}`);
console.log(`heap: ${heapBefore} MiB before, ${heapMiB()} MiB after`);

function percentiles(durationsNs: Float64Array): string {
  durationsNs.sort();
  return [50, 99, 99.9]
    .map((percent) => `p${percent} ${((durationsNs[Math.floor((durationsNs.length * percent) / 100)] ?? 0) / 1_000).toFixed(1)} µs`)
    .join(', ');
}

function heapMiB(): string {
  globalThis.gc?.();
  return (process.memoryUsage().heapUsed / 1_048_576).toFixed(1);
}
