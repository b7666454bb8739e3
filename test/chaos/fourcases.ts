/**
 * The four cases that the design measured another gateway with: clients that call as fast as they are answered, on one
 * strict budget that pays for 100 calls; each answer takes a second.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Caller } from '../support/caller.ts';
import type { Service } from './service.ts';

const MODEL = 'gpt-4.1';
const ANSWER_TOKENS = 200;
const ANSWER_MS = 1_000;
const CALLS_PAID_FOR = 100;
/** A call's tokens of input, as the simulated provider counts them, and the catalogue's prices in nano-dollars. */
const INPUT_TOKENS = 11;
const [INPUT_NANO_USD, OUTPUT_NANO_USD] = [2_000, 8_000];
const MESSAGES = [{ role: 'user', content: 'Say something short.' }];
const ANSWER_NANO_USD = BigInt(INPUT_TOKENS * INPUT_NANO_USD + ANSWER_TOKENS * OUTPUT_NANO_USD);

const simulated = { 'x-simulate': `delay=${ANSWER_MS}ms, tokens=${ANSWER_TOKENS}` };

/** Of each processor. */
const CLIENTS = 50;
const ATTEMPTS = 200;
const UNAVAILABLE = 'budget_unavailable';
const AGAIN_MS = 250;

export const LIMIT_NANO_USD = BigInt(CALLS_PAID_FOR) * ANSWER_NANO_USD;
/** What a call holds at least: a token for each byte of its body, and the shortest answer worth having. */
export const LEAST_NANO_USD = BigInt(JSON.stringify({ model: MODEL, max_tokens: 99_999, messages: MESSAGES }).length * INPUT_NANO_USD + 16 * OUTPUT_NANO_USD);

export interface Case {
  readonly name: string;
  /** What the caller allows as the answer's length. */
  readonly maxTokens: number | undefined;
  /** How many times as long as without a budget it may take. */
  readonly longest: number;
  /** What LiteLLM 1.106.2 served of 100 with 50 clients. */
  readonly liteLlm: string;
}

export const CASES: readonly Case[] = [
  { name: 'exact cap', maxTokens: ANSWER_TOKENS, longest: 1.5, liteLlm: '112' },
  { name: 'cap ten times too large', maxTokens: 10 * ANSWER_TOKENS, longest: 4, liteLlm: '13, then refusals while its holds last' },
  { name: 'no cap', maxTokens: undefined, longest: 4, liteLlm: '3' },
  { name: 'budget of the provider', maxTokens: ANSWER_TOKENS, longest: 1.5, liteLlm: '150' },
];

export interface Outcome {
  /** Answered in full length. */
  served: number;
  /** Answered, and cut to what was left. */
  cut: number;
  /** Refusals by their codes. */
  readonly refused: Map<string, number>;
  /** Told to come again, as the ledger service did not answer: on a machine that is too slow for all of this. */
  retried: number;
  billedNanoUsd: bigint;
  seconds: number;
}

const budgetName = (processors: number, index: number): string => `on-${processors}-${index}`;

/** A budget for each case and number of processors, which a header chooses; calls without it have none. */
export function caseResources(providerUrl: string, numbers: readonly number[]): string {
  const budgets = numbers.flatMap((processors) =>
    CASES.map(({ name }, index) => {
      const provider = name === 'budget of the provider' ? ', providers: [relay]' : '';
      return `---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: ${budgetName(processors, index)}}
spec:
  selector: {headers: [{name: x-case, value: ${budgetName(processors, index)}}]${provider}}
  limit: {usd: "${Number(LIMIT_NANO_USD) / 1e9}"}
  window: {lifetime: true}
  waitTimeout: 2m
`;
    }),
  );
  return `---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: ample}
spec: {selector: {headers: [{name: x-case, value: ample}]}, limit: {usd: "1000000"}, window: {lifetime: true}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${providerUrl}/v1", auth: {apiKey: {value: hs_0123456789abcdef0123456789abcdef}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [${MODEL}]}, backends: [{provider: relay}]}]}
${budgets.join('')}`;
}

/** Calls on a budget that lasts, for so long, and the messages that came of it to and from the ledger service. */
export async function runAmple({ processors }: Service, seconds: number): Promise<{ calls: number; hold: number; record: number }> {
  const until = performance.now() + seconds * 1_000;
  const before = await messagesOf(processors);
  let calls = 0;
  const client = async (caller: Caller): Promise<void> => {
    while (performance.now() < until) {
      const { status } = await caller.chat({ model: MODEL, max_tokens: ANSWER_TOKENS, messages: MESSAGES }, { ...simulated, 'x-case': 'ample' });
      if (status === 200) calls += 1;
    }
  };
  const callers = processors.map(({ baseURL }) => new Caller({ baseURL, connections: CLIENTS }));
  await Promise.all(callers.flatMap((caller) => Array.from({ length: CLIENTS }, () => client(caller))));
  for (const caller of callers) caller.close();
  const after = await messagesOf(processors);
  return { calls, hold: after.hold - before.hold, record: after.record - before.record };
}

async function messagesOf(processors: Service['processors']): Promise<{ hold: number; record: number }> {
  const texts = await Promise.all(processors.map(async ({ admin }) => (await fetch(`${admin}/metrics`)).text()));
  const sum = (stream: string): number =>
    texts
      .flatMap((text) => [...text.matchAll(new RegExp(`^airmesh_ledger_messages_total\\{stream="${stream}",[^}]*\\} (\\d+)$`, 'gm'))])
      .reduce((total, [, value]) => total + Number(value), 0);
  return { hold: sum('hold'), record: sum('record') };
}

/** Makes the calls of one case on so many processors; `undefined` for the index of the case: without a budget. */
export async function runCase({ processors }: Service, count: number, index: number | undefined): Promise<Outcome> {
  const { maxTokens = undefined } = index === undefined ? { maxTokens: ANSWER_TOKENS } : (CASES[index] ?? {});
  const body = { model: MODEL, ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }), messages: MESSAGES };
  const headers = { ...simulated, ...(index === undefined ? {} : { 'x-case': budgetName(count, index) }) };
  const outcome: Outcome = { served: 0, cut: 0, refused: new Map(), retried: 0, billedNanoUsd: 0n, seconds: 0 };
  const began = performance.now();
  await Promise.all(processors.slice(0, count).map(({ baseURL }) => callAll(baseURL, body, headers, outcome)));
  outcome.seconds = (performance.now() - began) / 1_000;
  return outcome;
}

async function callAll(baseURL: string, body: object, headers: Readonly<Record<string, string>>, outcome: Outcome): Promise<void> {
  const caller = new Caller({ baseURL, connections: CLIENTS });
  let attempts = 0;
  const client = async (): Promise<void> => {
    while (attempts < ATTEMPTS) {
      attempts += 1;
      while (!count(await caller.chat(body, headers), outcome)) await delay(AGAIN_MS);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  caller.close();
}

interface Answer {
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
  readonly error?: { readonly code: string };
}

/** False where the call is to be made again, as an SDK does that is told so. */
function count({ status, text }: { readonly status: number; readonly text: string }, outcome: Outcome): boolean {
  const { usage, error } = (text.startsWith('{') ? JSON.parse(text) : {}) as Answer;
  if (status !== 200 || usage === undefined) {
    const code = error?.code ?? String(status);
    if (code === UNAVAILABLE) {
      outcome.retried += 1;
      return false;
    }
    outcome.refused.set(code, (outcome.refused.get(code) ?? 0) + 1);
    return true;
  }
  if (usage.completion_tokens === ANSWER_TOKENS) outcome.served += 1;
  else outcome.cut += 1;
  outcome.billedNanoUsd += BigInt(usage.prompt_tokens * INPUT_NANO_USD + usage.completion_tokens * OUTPUT_NANO_USD);
  return true;
}
