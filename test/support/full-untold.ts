/**
 * `node test/support/full-untold.ts FOLDER` makes calls while no ledger service answers, until the disk under FOLDER has no room for
 * more; then tells their records, makes another, and prints what became of it. The disk must be a small one of its own.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CallHold, CallRecord } from '../../src/core/call/index.ts';
import { openBudgets } from '../../src/shell/budgets/index.ts';
import type { OpenedBudgets } from '../../src/shell/budgets/index.ts';

const folder = process.argv[2] ?? '';
const clock = { epochMs: Date.now, monotonicMs: () => performance.now() };
let calls = 0;
let granted = 0;

const holdOf = (id: string): CallHold => ({
  id,
  at: clock.epochMs(),
  namespace: 'shop',
  workload: 'checkout',
  // Long, so that the disk is soon full.
  rule: 'r'.repeat(500),
  provider: 'shop/relay',
  model: 'gpt-4.1',
  operation: 'chat',
  stream: false,
  priceSource: 'test',
  holds: [],
  heldNanoUsd: 1n,
  estimate: { nanoUsd: 1n, inputTokens: 1, outputTokens: 0 },
});

const recordOf = (hold: CallHold): CallRecord => {
  const { holds: _holds, estimate: _estimate, ...call } = hold;
  const ending = { endedAt: clock.epochMs(), ending: 'finished', status: 200, servedModel: 'gpt-4.1', estimated: false, shrunkToTokens: undefined } as const;
  return { ...call, ...ending, usage: { inputTokens: 7, outputTokens: 3 }, costNanoUsd: 1n, chargedNanoUsd: 1n, posted: [] };
};

const open = (): Promise<OpenedBudgets> =>
  openBudgets({
    folder,
    clock,
    limits: [],
    leasedFrom: { connect: () => ({ send: () => undefined, close: () => undefined }), leaveWithinMs: 0 },
    events: { failed: () => undefined, recovered: () => undefined },
  });

async function call({ budgets }: OpenedBudgets): Promise<string> {
  const id = `call-${calls++}`;
  const quote = {
    fixedNanoUsd: 1n,
    outputNanoUsdPerMillion: 0n,
    inputTokens: 1,
    choices: 1,
    outputCap: 0,
    capIsDefault: false,
    estimate: { nanoUsd: 1n, tokens: 1 },
  };
  const decision = await budgets.admit({ id, at: clock.epochMs(), now: clock.monotonicMs(), accounts: [], quote, profile: 'test' }, ({ id: granted }) =>
    holdOf(granted),
  );
  if (decision.kind === 'granted') budgets.settle(id, { kind: 'actual', actual: { nanoUsd: 1n, tokens: 10, outputTokens: 3 } }, () => recordOf(holdOf(id)));
  if (decision.kind === 'granted') granted++;
  return decision.kind === 'unavailable' ? decision.reason : decision.kind;
}

async function tellAll({ outbox }: OpenedBudgets): Promise<number> {
  let told = 0;
  for (;;) {
    const records = await outbox.next(500);
    if (records.length === 0) return told;
    await outbox.delivered(records.map(({ id }) => id));
    told += records.length;
  }
}

async function callUntilRefused(opened: OpenedBudgets): Promise<string> {
  for (;;) {
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => call(opened)));
    const refused = outcomes.find((outcome) => outcome !== 'granted');
    if (refused !== undefined) return refused;
  }
}

const opened = await open();
const refusal = await callUntilRefused(opened);
// What has ended finds its way into the books, or does not.
await delay(500);
let told = await tellAll(opened);
let again = await call(opened);
for (let tries = 0; again !== 'granted' && tries < 50; tries++) {
  await delay(100);
  told += await tellAll(opened);
  again = await call(opened);
}
told += await tellAll(opened);
await opened.close();
const later = await open();
const untold = (await later.outbox.next(1)).length;
await later.close();
process.stdout.write(JSON.stringify({ granted, refusal, told, again, untold }));
process.exit(0);
