import { describe, expect, it } from 'vitest';
import { Ledger } from './index.ts';
import type { Granted, LimitSpec, Quote, Refused } from './index.ts';

/**
 * The four cases that the design measured other gateways with: clients that call as fast as they are answered, on one
 * strict budget; each answer takes a second of simulated time. 1 token in = 2,000 nano-dollars, 1 out = 8,000.
 */
interface Run {
  readonly clients: number;
  readonly attempts: number;
  readonly inputTokens: number;
  /** Bytes, about four for a token. */
  readonly inputBound: number;
  readonly answerTokens: (call: number) => number;
  readonly cap: number;
  readonly capIsDefault: boolean;
  readonly limit: bigint;
}

interface Figures {
  served: number;
  inFull: number;
  refused: Refused[];
  /** Free and unheld when a call was refused, at its highest. */
  freeAtRefusal: bigint;
  lastServedMs: number;
  endMs: number;
  posted: bigint;
  pending: bigint;
  highest: bigint;
}

const IN = 2_000n;
const OUT = 8_000n;
const ANSWER_MS = 1_000;

function budget(limit: bigint): LimitSpec {
  return {
    id: 'team/budget',
    unit: 'usd',
    limit,
    window: { kind: 'lifetime' },
    mode: 'Strict',
    nearLimit: 'Shrink',
    floorOutputTokens: 16,
    waitMs: 30_000,
    kind: 'budget',
  };
}

function run({ clients, attempts, inputTokens, inputBound, answerTokens, cap, capIsDefault, limit }: Run): Figures {
  const ledger = new Ledger();
  ledger.configure([budget(limit)], 0, 0);
  const account = { limit: 'team/budget', subject: '' };
  const figures: Figures = { served: 0, inFull: 0, refused: [], freeAtRefusal: 0n, lastServedMs: 0, endMs: 0, posted: 0n, pending: 0n, highest: 0n };
  const answers: { readonly at: number; readonly granted: Granted }[] = [];
  let started = 0;
  let now = 0;

  const quote: Quote = {
    fixedNanoUsd: BigInt(inputBound) * IN,
    outputNanoUsdPerMillion: OUT * 1_000_000n,
    inputTokens: inputBound,
    choices: 1,
    outputCap: cap,
    capIsDefault,
    estimate: { nanoUsd: 0n, tokens: 0 },
  };
  const call = () => {
    if (started === attempts) return;
    const id = String(started++);
    take(ledger.reserve({ id, at: now, now, accounts: [account], quote, profile: 'shop/gpt' }));
  };
  const take = (outcome: ReturnType<Ledger['reserve']>) => {
    if (outcome.kind === 'granted') answers.push({ at: now + ANSWER_MS, granted: outcome });
    if (outcome.kind !== 'refused') return;
    const free = ledger.view(account, now)?.free ?? 0n;
    if (free > figures.freeAtRefusal) figures.freeAtRefusal = free;
    figures.refused.push(outcome);
    figures.endMs = now;
    call();
  };
  const finish = ({ granted }: { granted: Granted }) => {
    const wanted = answerTokens(Number(granted.id));
    const outputTokens = Math.min(granted.outputCap, wanted);
    const nanoUsd = BigInt(inputTokens) * IN + BigInt(outputTokens) * OUT;
    ledger.settle(granted.id, { kind: 'actual', actual: { nanoUsd, tokens: inputTokens + outputTokens, outputTokens } }, now, now);
    figures.served += 1;
    if (outputTokens === wanted) figures.inFull += 1;
    figures.lastServedMs = figures.endMs = now;
    ledger.takeDecided().forEach(take);
    call();
  };

  for (let client = 0; client < clients; client += 1) call();
  for (let steps = 0; steps < 100_000; steps += 1) {
    const view = ledger.view(account, now);
    if (view && view.posted + view.pending > figures.highest) figures.highest = view.posted + view.pending;
    const deadline = ledger.nextDeadline();
    const answer = answers[0];
    if (answer && (deadline === undefined || answer.at <= deadline)) {
      now = answer.at;
      answers.shift();
      finish(answer);
    } else if (deadline !== undefined) {
      now = Math.max(now, deadline);
      ledger.advance(now, now);
      ledger.takeDecided().forEach(take);
    } else break;
  }
  const end = ledger.view(account, now);
  return { ...figures, posted: end?.posted ?? -1n, pending: end?.pending ?? -1n };
}

const ANSWER_TOKENS = 200;
const CALLS_PAID_FOR = 100n;
const costNanoUsd = (inputTokens: number, outputTokens: number) => BigInt(inputTokens) * IN + BigInt(outputTokens) * OUT;

const prompts = [
  { prompt: 'a short prompt', inputTokens: 12, inputBound: 48 },
  { prompt: 'a long prompt', inputTokens: 100, inputBound: 400 },
];
const cases = [
  { name: '(a) exact cap', cap: ANSWER_TOKENS, capIsDefault: false, longest: 1.5 },
  { name: '(b) cap ten times too large', cap: 10 * ANSWER_TOKENS, capIsDefault: false, longest: 4 },
  { name: '(c) and (d) no cap, the model allows 32,768', cap: 32_768, capIsDefault: true, longest: 4 },
];
const rows = prompts.flatMap((prompt) => cases.map((one) => ({ ...prompt, ...one })));

describe('50 clients on a budget worth 100 calls', () => {
  const clients = 50;
  const attempts = 200;
  const withoutBudgetMs = (attempts / clients) * ANSWER_MS;

  it.each(rows)('$name, $prompt', ({ longest, prompt: _prompt, name: _name, ...traffic }) => {
    const one = costNanoUsd(traffic.inputTokens, ANSWER_TOKENS);
    const limit = CALLS_PAID_FOR * one;
    const figures = run({ ...traffic, clients, attempts, answerTokens: () => ANSWER_TOKENS, limit });

    expect(figures.highest).toBeLessThanOrEqual(limit);
    expect(figures.pending).toBe(0n);
    expect(figures.inFull).toBeGreaterThanOrEqual(97);
    expect(figures.served - figures.inFull).toBeLessThanOrEqual(1);
    expect(figures.endMs).toBeLessThanOrEqual(longest * withoutBudgetMs);
    // Whoever is refused is refused because the money is spent: what is left pays for no answer even of the floor's length.
    expect(figures.refused.map(({ reason }) => reason)).toEqual(Array(attempts - figures.served).fill('exhausted'));
    expect(figures.freeAtRefusal).toBeLessThan(costNanoUsd(traffic.inputBound, 16));
  });

  const spread = [
    { name: 'answers from 50 to 350 tokens', tokens: (share: number) => 50 + Math.floor(share * 300), mean: 200 },
    { name: 'one answer in ten eleven times as long', tokens: (share: number) => (share < 0.1 ? 1_100 : 100), mean: 200 },
    { name: 'answers of 5,000 tokens', tokens: () => 5_000, mean: 5_000 },
  ];
  it.each(spread)('$name: hardly any is cut short, and no money is left over', ({ tokens, mean }) => {
    const lengths = fractions(7_777, attempts).map(tokens);
    const limit = CALLS_PAID_FOR * costNanoUsd(12, mean);
    const figures = run({
      clients,
      attempts,
      inputTokens: 12,
      inputBound: 48,
      cap: 32_768,
      capIsDefault: true,
      limit,
      answerTokens: (call) => lengths[call] ?? mean,
    });
    expect(figures.highest).toBeLessThanOrEqual(limit);
    expect(figures.pending).toBe(0n);
    expect(figures.inFull / figures.served).toBeGreaterThan(0.9);
    expect(figures.posted * 100n).toBeGreaterThan(limit * 98n);
  });
});

/** Even enough, and the same in every run. */
function fractions(seed: number, count: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  });
}
