import { describe, expect, it } from 'vitest';
import { Authority, Holder } from '../../src/core/leases/index.ts';
import type { Outcome, ToAuthority, ToHolder } from '../../src/core/leases/index.ts';
import type { Granted, LimitSpec, Quote, Refused } from '../../src/core/ledger/index.ts';
import { Timeline } from './timeline.ts';

/**
 * The four cases that the design measured other gateways with, on many processors without faults: clients that call as
 * fast as they are answered, on one strict budget that pays for 100 calls; each answer takes a second. 1 token in = 2,000
 * nano-dollars, 1 out = 8,000. A message takes 2 ms, what the authority decides is stored in 3.
 */
const IN = 2_000n;
const OUT = 8_000n;
const ANSWER_MS = 1_000;
const MESSAGE_MS = 2;
const STORE_MS = 3;
const LIMIT = 'team/budget';

interface Run {
  readonly holders: number;
  readonly clients: number;
  /** Of each holder. */
  readonly attempts: number;
  readonly inputTokens: number;
  readonly inputBound: number;
  readonly answerTokens: number;
  readonly cap: number;
  readonly capIsDefault: boolean;
  readonly limit: bigint;
}

interface Figures {
  served: number;
  inFull: number;
  readonly refused: Refused[];
  endMs: number;
  readonly servedBy: number[];
  messages: number;
  calls: number;
  posted: bigint;
  pending: bigint;
  billed: bigint;
  /** By calls, at all processors together. */
  held: bigint;
  /** Neither held nor billed, wherever it was, when a call was refused; at its highest. */
  freeAtRefusal: bigint;
}

function budget(limit: bigint): LimitSpec {
  return {
    id: LIMIT,
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

/** One authority and its holders, and clients at each, for 90 seconds or until all attempts are made. */
function run(traffic: Run): Figures {
  const { holders: count, clients, attempts, inputTokens, inputBound, answerTokens, cap, capIsDefault, limit } = traffic;
  const time = new Timeline();
  const authority = new Authority(1, [], 0, 0);
  const figures: Figures = {
    served: 0,
    inFull: 0,
    refused: [],
    endMs: 0,
    servedBy: Array.from({ length: count }, () => 0),
    messages: 0,
    calls: 0,
    posted: 0n,
    pending: 0n,
    billed: 0n,
    held: 0n,
    freeAtRefusal: 0n,
  };
  const quote: Quote = {
    fixedNanoUsd: BigInt(inputBound) * IN,
    outputNanoUsdPerMillion: OUT * 1_000_000n,
    inputTokens: inputBound,
    choices: 1,
    outputCap: cap,
    capIsDefault,
    estimate: { nanoUsd: 0n, tokens: 0 },
  };

  const carryOut = ({ messages }: Outcome) => {
    time.after(STORE_MS, () => {
      for (const message of messages) send(message);
    });
  };
  const ofLease = new Map<number, number>();
  const ofNonce = (nonce: string) => Number(nonce.split('/')[0]);
  const send = (message: ToHolder) => {
    figures.messages += 1;
    const index = message.kind === 'joined' ? ofNonce(message.nonce) : (ofLease.get(message.lease) ?? -1);
    ofLease.set(message.lease, index);
    time.after(MESSAGE_MS, () => nodes[index]?.hear(message));
  };
  const alarm = () => {
    const due = authority.nextDeadline();
    time.after(due - time.now, () => {
      if (authority.nextDeadline() <= time.now) carryOut(authority.advance(time.now, time.now));
      if (time.now < 100_000) alarm();
    });
  };

  const makeNode = (index: number) => {
    const holder = new Holder({ instance: String(index), unfinished: [], at: 0, now: 0 });
    const waiting = new Set<string>();
    let started = 0;
    let alarmAt = Infinity;
    const say = (message: ToAuthority) => {
      figures.messages += 1;
      time.after(MESSAGE_MS, () => {
        const outcome = authority.receive(String(index), message, time.now, time.now);
        if (outcome.ok) carryOut(outcome.value);
      });
    };
    const settleDown = () => {
      holder.takeDecided().forEach(take);
      holder.takeMessages().forEach(say);
      const due = holder.nextDeadline();
      if (due >= alarmAt || time.now > 100_000) return;
      alarmAt = due;
      time.after(due - time.now, () => {
        if (alarmAt !== due) return;
        alarmAt = Infinity;
        holder.advance(time.now, time.now);
        settleDown();
      });
    };
    const take = (outcome: Granted | Refused) => {
      waiting.delete(outcome.id);
      if (outcome.kind === 'refused') {
        figures.refused.push(outcome);
        const free = limit - figures.billed - figures.held;
        if (free > figures.freeAtRefusal) figures.freeAtRefusal = free;
        figures.endMs = time.now;
        call();
        return;
      }
      const held = outcome.holds[0]?.amount ?? 0n;
      figures.held += held;
      time.after(ANSWER_MS, () => {
        figures.held -= held;
        const outputTokens = Math.min(outcome.outputCap, answerTokens);
        const nanoUsd = BigInt(inputTokens) * IN + BigInt(outputTokens) * OUT;
        figures.billed += nanoUsd;
        figures.served += 1;
        figures.servedBy[index] = (figures.servedBy[index] ?? 0) + 1;
        if (outputTokens === answerTokens) figures.inFull += 1;
        figures.endMs = time.now;
        holder.settle(outcome.id, { kind: 'actual', actual: { nanoUsd, tokens: inputTokens + outputTokens, outputTokens } }, time.now, time.now);
        call();
        settleDown();
      });
    };
    const call = () => {
      if (started === attempts) return;
      figures.calls += 1;
      const id = String(started++);
      const outcome = holder.reserve({ id, at: time.now, now: time.now, accounts: [{ limit: LIMIT, subject: '' }], quote, profile: 'shop/gpt' });
      if (outcome.kind === 'waiting') waiting.add(id);
      else if (outcome.kind === 'out_of_reach') throw new Error('the authority is not out of reach');
      else take(outcome);
    };
    const start = () => {
      holder.configure([budget(limit)], time.now, time.now);
      for (let client = 0; client < clients; client += 1) call();
      settleDown();
    };
    const hear = (message: ToHolder) => {
      holder.receive(message, time.now, time.now);
      settleDown();
    };
    return { start, hear };
  };

  const configured = authority.configure([budget(limit)], 0, 0);
  if (!configured.ok) throw new Error('the limit is a good one');
  const nodes = Array.from({ length: count }, (_, index) => makeNode(index));
  for (const node of nodes) time.after(0, node.start);
  alarm();
  while (time.now < 90_000 && time.step());
  for (const { posted, pending } of authority.figures()) {
    figures.posted = posted;
    figures.pending = pending;
  }
  return figures;
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

describe('8 processors with 50 clients each on a budget worth 100 calls', () => {
  const attempts = 200;
  const clients = 50;
  it.each(rows)('$name, $prompt', ({ longest, prompt: _prompt, name: _name, ...traffic }) => {
    const limit = CALLS_PAID_FOR * costNanoUsd(traffic.inputTokens, ANSWER_TOKENS);
    const figures = run({ ...traffic, holders: 8, clients, attempts, answerTokens: ANSWER_TOKENS, limit });
    expect(figures.billed).toBeLessThanOrEqual(limit);
    expect(figures.pending).toBe(0n);
    expect(figures.posted).toBe(figures.billed);
    expect(figures.inFull).toBeGreaterThanOrEqual(97);
    expect(figures.endMs).toBeLessThanOrEqual(longest * (attempts / clients) * ANSWER_MS);
    // Whoever is refused is refused because the money is spent: what is left pays for no answer even of the floor's length.
    expect(new Set(figures.refused.map(({ reason }) => reason))).toEqual(new Set(['exhausted']));
    expect(figures.freeAtRefusal).toBeLessThan(costNanoUsd(traffic.inputBound, 16));
  });
});

describe('8 processors with 50 clients each on a budget that lasts', () => {
  const traffic = { holders: 8, clients: 50, inputTokens: 12, inputBound: 48, answerTokens: ANSWER_TOKENS };

  it.each([
    { name: 'exact caps', cap: ANSWER_TOKENS, capIsDefault: false },
    { name: 'no caps', cap: 32_768, capIsDefault: true },
  ])('$name: less than one message in a hundred calls, and nobody waits long', ({ cap, capIsDefault }) => {
    const figures = run({ ...traffic, cap, capIsDefault, attempts: 4_000, limit: 3_000_000n * costNanoUsd(12, ANSWER_TOKENS) });
    expect(figures.inFull).toBe(figures.calls);
    expect(figures.messages / figures.calls).toBeLessThan(0.01);
    expect(figures.endMs).toBeLessThan(80_000 * 1.01);
  });
});
