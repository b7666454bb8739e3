/**
 * `node test/support/full-disk.ts FOLDER` spends from a budget while the disk under FOLDER fills up and has room again,
 * ends without closing anything, starts anew, and prints what became of it. The disk must be a small one of its own.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openBudgets } from '../../src/shell/budgets/index.ts';
import type { CallHold, CallRecord } from '../../src/core/call/index.ts';
import type { Granted, LimitSpec, Settled } from '../../src/core/ledger/index.ts';

const folder = process.argv[2] ?? '';
const filler = join(folder, '..', 'filler');

const LIMIT: LimitSpec = {
  kind: 'budget',
  id: 'shop/life',
  unit: 'usd',
  limit: 1_000_000_000n,
  window: { kind: 'lifetime' },
  mode: 'Strict',
  nearLimit: 'Reject',
  floorOutputTokens: 1,
  waitMs: 0,
};
const COST = 100n;
const clock = { epochMs: Date.now, monotonicMs: () => performance.now() };
const failures = new Set<string>();

const open = () =>
  openBudgets({
    folder,
    clock,
    limits: [LIMIT],
    events: { failed: (what, error) => void failures.add(`${what}: ${error.message}`), recovered: () => void recovered++ },
  });
let recovered = 0;
let calls = 0;

const holdOf = (granted: Granted): CallHold => ({
  id: granted.id,
  at: clock.epochMs(),
  namespace: 'shop',
  workload: 'checkout',
  // Long, so that a segment of the journal is soon full.
  rule: 'r'.repeat(8000),
  provider: 'shop/relay',
  model: 'gpt-4.1',
  operation: 'chat',
  stream: false,
  priceSource: 'test',
  holds: granted.holds,
  heldNanoUsd: COST,
  estimate: { nanoUsd: COST, inputTokens: 1, outputTokens: 0 },
});

const recordOf = (hold: CallHold, settled: Settled): CallRecord => {
  const { holds: _holds, estimate: _estimate, ...call } = hold;
  return {
    ...call,
    endedAt: clock.epochMs(),
    ending: 'finished',
    status: 200,
    servedModel: 'gpt-4.1',
    usage: { inputTokens: 7, outputTokens: 3 },
    estimated: false,
    costNanoUsd: COST,
    chargedNanoUsd: COST,
    posted: settled.posted,
    shrunkToTokens: undefined,
  };
};

type Opened = Awaited<ReturnType<typeof open>>;

async function spend({ budgets }: Opened): Promise<string> {
  const id = `call-${calls++}`;
  const quote = {
    fixedNanoUsd: COST,
    outputNanoUsdPerMillion: 0n,
    inputTokens: 1,
    choices: 1,
    outputCap: 0,
    capIsDefault: false,
    estimate: { nanoUsd: COST, tokens: 1 },
  };
  const decision = await budgets.admit(
    { id, at: clock.epochMs(), now: clock.monotonicMs(), accounts: [{ limit: LIMIT.id, subject: 'shop/checkout' }], quote, profile: 'test' },
    holdOf,
  );
  if (decision.kind !== 'granted') return decision.kind === 'unavailable' ? decision.reason : decision.kind;
  budgets.settle(id, { kind: 'actual', actual: { nanoUsd: COST, tokens: 10, outputTokens: 3 } }, (settled) => recordOf(holdOf(decision), settled));
  return decision.kind;
}

function fillDisk(): void {
  for (let size = 1024 * 1024; size >= 4096; size /= 2) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size, 1), { flag: 'a' });
    } catch {
      // Smaller pieces may still fit.
    }
  }
}

async function spendUntil(opened: Opened, wanted: (outcome: string) => boolean, most: number): Promise<{ readonly granted: number; readonly last: string }> {
  let granted = 0;
  for (let tries = 0; tries < most; tries++) {
    const last = await spend(opened);
    if (last === 'granted') granted++;
    if (wanted(last)) return { granted, last };
  }
  return { granted, last: 'granted' };
}

const first = await open();
const before = await spendUntil(first, () => false, 20);
fillDisk();
const full = await spendUntil(first, (outcome) => outcome !== 'granted', 2000);
const problem = first.budgets.problem();
const stillRefused = await spend(first);
rmSync(filler);
const again = await spend(first);
const after = await spendUntil(first, () => false, 20);
const granted = before.granted + full.granted + after.granted + (again === 'granted' ? 1 : 0);
const posted = first.budgets.views()[0]?.posted ?? 0n;
// The state folder is left as a kill would leave it, but for the lock, which this very process holds.
rmSync(join(folder, 'lock'));
rmSync(join(folder, 'lock.db'));
const second = await open();
const restored = second.budgets.views()[0];
process.stdout.write(
  JSON.stringify({
    granted,
    refusal: full.last,
    problem,
    stillRefused,
    again,
    problemAfter: first.budgets.problem() ?? null,
    posted: String(posted),
    restored: String(restored?.posted),
    pending: String(restored?.pending),
    warnings: second.warnings,
    failures: [...failures],
    recovered,
  }),
);
process.exit(0);
