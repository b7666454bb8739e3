import type { Granted, Settlement } from '../../ledger/index.ts';
import { compile, parseResource } from '../../policy/index.ts';
import type { Resource } from '../../policy/index.ts';
import { abandon, begin } from '../begin.ts';
import { ProviderHealth } from '../health.ts';
import type { HealthEvent } from '../health.ts';
import type { CallPorts, MergedCalls } from '../ports.ts';
import type { CallRecord } from '../record.ts';
import type { AnswerHead, ForwardedCall, Replied } from '../request.ts';
import { Merging } from './merging.ts';

/** Three and a third nano-dollars a token, and some by the request, so that whatever is rounded twice shows. */
export const PRICE = { inputPerMillion: '0.003333333', outputPerMillion: '0', perRequest: '0.000000101' };

function resource(kind: string, name: string, spec: object): Resource {
  const parsed = parseResource({ apiVersion: 'airmesh.dev/v1alpha1', kind, metadata: { name, namespace: 'shop' }, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

const MODELS = [
  { name: 'embedder', price: PRICE },
  { name: 'other', price: PRICE },
];

const resources = (merge: object, more: object): readonly Resource[] => [
  resource('AIProvider', 'relay', { type: 'OpenAICompatible', baseUrl: 'https://relay.example/v1', auth: { apiKey: { env: 'KEY' } }, models: MODELS }),
  resource('AIProvider', 'google', {
    type: 'Gemini',
    baseUrl: 'https://google.example/v1beta',
    auth: { apiKey: { env: 'KEY' } },
    models: [{ name: 'gem', price: PRICE }],
  }),
  resource('AIRoute', 'all', {
    workloads: ['*'],
    rules: [
      { name: 'google', match: { models: ['gem'] }, backends: [{ provider: 'google' }], mergeEmbeddings: merge },
      { name: 'relay', backends: [{ provider: 'relay' }], mergeEmbeddings: merge, ...more },
    ],
  }),
  resource('AIBudget', 'life', { limit: { usd: '5' }, mode: 'Bounded', window: { lifetime: true }, per: ['Workload', { header: 'x-team' }] }),
];

const utf8 = {
  encode: (text: string): Uint8Array => new TextEncoder().encode(text),
  decode: (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes),
};

/** What came of a call, as its caller sees it. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A call that went to the provider. */
export interface Sent {
  readonly id: string;
  readonly path: string;
  readonly body: { readonly input?: unknown; readonly requests?: readonly unknown[]; readonly [name: string]: unknown };
  /** The provider answers, and Envoy hands it on in pieces. */
  answer(status: number, body: unknown, head?: Partial<AnswerHead>): void;
  /** Only the beginning of an answer comes. */
  begin(status: number, body: string): void;
  /** The stream with Envoy ends, as its caller has hung up or the answer broke off. */
  close(): void;
}

/** A processor with nothing around it: time stands still until it is told to pass. */
export class Bench {
  readonly sent: Sent[] = [];
  readonly settlements = new Map<string, Settlement>();
  readonly records = new Map<string, CallRecord>();
  readonly observed: MergedCalls[] = [];
  readonly health: HealthEvent[] = [];
  readonly seen = new Map<string, Seen>();
  readonly #ports: CallPorts;
  #now = 0;
  #timers: { readonly at: number; readonly run: () => void }[] = [];
  #settledTwice = 0;
  #open = new Map<string, { hasLeft: boolean; call: ForwardedCall | undefined }>();

  constructor(merge: object = {}, more: object = {}, refuse: (id: string) => boolean = () => false) {
    const workloads = ['checkout', 'search'].map((name) => ({ namespace: 'shop', name }));
    const known = { openai: [], anthropic: [], google: [], deepseek: [] };
    const compiled = compile(resources(merge, more), workloads, {
      own: [],
      known,
      simulatedUrl: undefined,
      readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
    });
    if (compiled.findings.some(({ severity }) => severity === 'error')) throw new Error(JSON.stringify(compiled.findings));
    const nowMs = (): number => this.#now;
    this.#ports = {
      snapshots: { current: (workload) => compiled.snapshots.get(workload) },
      keys: { get: () => 'sk-real', rejected: () => undefined, accepted: () => undefined },
      budgets: {
        admit: async ({ id, accounts, quote }) => {
          const holds = accounts.map((account) => ({ limit: account.limit, subject: account.subject, windowStart: 0, amount: quote.fixedNanoUsd }));
          if (refuse(id)) return { kind: 'unavailable', reason: 'refused for a test' };
          return { kind: 'granted', id, holds, outputCap: quote.outputCap, shrunk: false, observed: [] } satisfies Granted;
        },
        extend: () => undefined,
        cancel: () => undefined,
        settle: (id, settlement, record) => {
          if (this.settlements.has(id)) this.#settledTwice += 1;
          this.settlements.set(id, settlement);
          this.records.set(id, record({ kind: 'settled', id, posted: [] }));
        },
      },
      state: {
        find: async () => undefined,
        idsOf: async () => new Set(),
        keep: () => undefined,
        forget: () => undefined,
        settle: async () => undefined,
        nextTurn: async () => undefined,
      },
      clock: { epochMs: nowMs, monotonicMs: nowMs },
      health: new ProviderHealth(nowMs, (event) => this.health.push(event)),
      merging: new Merging(nowMs, (delayMs, run) => void this.#timers.push({ at: this.#now + delayMs, run })),
      answers: { look: () => ({ kind: 'unknown', slot: { end: () => undefined } }) },
      observer: { reused: () => undefined, merged: (merged) => this.observed.push(merged), refused: () => undefined, settled: () => undefined },
      random: () => 0.5,
      newId: () => 'unused',
    };
  }

  get settledTwice(): number {
    return this.#settledTwice;
  }

  /** Begins a call, as Envoy's stream of it would. */
  async ask(id: string, fields: object, { workload = 'shop/checkout', path = '/v1/embeddings', headers = {} as Record<string, string> } = {}): Promise<void> {
    const state: { hasLeft: boolean; call: ForwardedCall | undefined } = { hasLeft: false, call: undefined };
    this.#open.set(id, state);
    const body = utf8.encode(JSON.stringify(path.startsWith('/v1beta') ? fields : { model: 'embedder', ...fields }));
    const request = { workload, method: 'POST', path, body, headers: new Map(Object.entries({ 'content-type': 'application/json', ...headers })) };
    void begin(id, request, this.#ports).then((decided) => {
      if (decided.kind === 'reply') return this.#replied(id, decided);
      if (state.hasLeft) return decided.call.end('unsent');
      state.call = decided.call;
      const { path: at, body: changed = body } = decided.instructions;
      this.sent.push(this.#sentOf(id, at, changed, decided.call));
    });
    await this.turn();
  }

  /** Its caller hangs up. */
  async leave(id: string): Promise<void> {
    const state = this.#open.get(id);
    if (state === undefined) throw new Error(`${id} has not asked`);
    state.hasLeft = true;
    if (state.call === undefined) abandon(id, this.#ports);
    else state.call.end('closed');
    await this.turn();
  }

  hasLeft(id: string): boolean {
    return this.#open.get(id)?.hasLeft === true;
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.#now + ms; this.#now < end; this.#now += 1) {
      const due = this.#timers.filter(({ at }) => at <= this.#now + 1);
      this.#timers = this.#timers.filter(({ at }) => at > this.#now + 1);
      for (const { run } of due) run();
      await this.turn();
    }
  }

  get areTimersOff(): boolean {
    return this.#timers.length === 0;
  }

  /** Whatever waits for nothing but its turn has had it. */
  async turn(): Promise<void> {
    for (let turn = 0; turn < 40; turn++) await Promise.resolve();
  }

  #replied(id: string, { reply }: Replied): void {
    if (this.#open.get(id)?.hasLeft === true) return;
    this.seen.set(id, { status: reply.status, headers: Object.fromEntries(reply.headers), body: utf8.decode(reply.body) });
  }

  #sentOf(id: string, path: string, body: Uint8Array, call: ForwardedCall): Sent {
    const told: Uint8Array[] = [];
    const push = (text: string, end: boolean): void => {
      const bytes = utf8.encode(text);
      const middle = bytes.length >> 1;
      told.push(call.onAnswerBody(bytes.subarray(0, middle), false).slice(), call.onAnswerBody(bytes.subarray(middle), end).slice());
    };
    const headOf = (status: number, head: Partial<AnswerHead> = {}): AnswerHead => ({
      status,
      contentType: 'application/json',
      contentEncoding: undefined,
      local: undefined,
      ...head,
    });
    return {
      id,
      path,
      body: JSON.parse(utf8.decode(body)) as Sent['body'],
      answer: (status, value, head) => {
        const { status: changed = status, set } = call.onAnswerHead(headOf(status, head));
        push(typeof value === 'string' ? value : JSON.stringify(value), true);
        call.end('complete');
        this.seen.set(id, { status: changed, headers: Object.fromEntries(set), body: told.map((part) => utf8.decode(part)).join('') });
      },
      begin: (status, text) => {
        call.onAnswerHead(headOf(status));
        push(text, false);
      },
      close: () => call.end('closed'),
    };
  }
}

/** A vector that is that text's alone. */
export const vectorOf = (text: string): readonly number[] => [...text].map((letter) => letter.codePointAt(0) ?? 0);

/** What the provider answers to what was sent, if it counts that many tokens. */
export function answerTo({ body }: Sent, tokens: number): object {
  const texts = [body.input].flat().map(String);
  return {
    object: 'list',
    model: 'embedder',
    data: texts.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}
