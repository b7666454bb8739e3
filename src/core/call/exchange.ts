import { costOf } from '../catalog/index.ts';
import type { Usage } from '../catalog/index.ts';
import type { EnderContext, FoundObject, ResponseMeter, StateWatcher, UsageReading } from '../dialects/index.ts';
import type { Granted, Quote } from '../ledger/index.ts';
import type { Admitted } from './admit.ts';
import { recordOf, settlementOf } from './ended.ts';
import type { Ended } from './ended.ts';
import type { CallPorts, CallTimings } from './ports.ts';
import type { CallHold } from './record.ts';
import type { NanoUsd } from '../units/index.ts';
import { usdLimits } from './accounts.ts';
import { isPlain, kindOf, translateAnswer } from './answer.ts';
import type { AnswerStart, AnswerTranslator } from './answer.ts';
import { StreamGate } from './gate.ts';
import { cutsStream, Growth } from './growth.ts';
import { retryAfterMs } from './health.ts';
import { isStored } from './inject.ts';
import type { KeptObject } from './kept.ts';
import { noteKey } from './keys.ts';
import { isFree } from './quote.ts';
import type { AnswerChanges, AnswerHead, ExchangeEnd, ForwardedCall } from './request.ts';
import type { ResolvedCall, SentCall } from './resolve.ts';
import { AnswerRecorder } from './reuse.ts';
import type { AnswerSlot } from './reuse.ts';
import { verdictOf } from './settlement.ts';
import type { Outcome, Verdict } from './settlement.ts';

/** A fair guess of how many bytes of text a token is. */
const BYTES_PER_TOKEN = 4;

/** JSON paths of what the provider was not told, as its API has no word for it. */
const WARNING_HEADER = 'x-airmesh-warning';

/** Of that header's value; the rest is counted. */
const MAX_WARNED = 20;

/** Header names of a body that another one takes the place of. */
export const GONE_WITH_THE_BODY = ['content-length', 'content-encoding', 'content-md5', 'digest', 'etag'];

/** Responses are kept for 30 days; a day more, so that nothing is forgotten before it is gone. Source: OpenAI API, "Conversation state". */
const RESPONSE_KEPT_MS = 31 * 86_400_000;

/** Statuses below 500 by which a provider refuses whatever is asked. */
const NOT_SERVED: ReadonlySet<number> = new Set([401, 403, 429]);

const NO_READING: UsageReading = { kind: 'missing', outputBytes: 0 };

/** A call at a provider: meters the answer as it passes, and settles exactly once. */
export class Exchange implements ForwardedCall {
  readonly #call: SentCall;
  readonly #granted: Granted;
  readonly #hold: CallHold;
  readonly #ports: CallPorts;
  readonly #growth: Growth;
  /** Whether a budget ends the stream when it is used up. */
  readonly #cuts: boolean;
  readonly #startedMs: number;
  #head: AnswerHead | undefined;
  #meter: ResponseMeter | undefined;
  #translator: AnswerTranslator | undefined;
  #gate: StreamGate | undefined;
  #watcher: StateWatcher | undefined;
  readonly #stored: KeptObject[] = [];
  readonly #recorder: AnswerRecorder | undefined;
  #firstByteMs: number | undefined;
  #ended = false;
  /** Its part of what several calls cost together. */
  #share: NanoUsd | undefined;

  /** `quote`: by what it was admitted. `slot`: others may be given this call's answer. */
  constructor(call: SentCall, { granted, hold, budgets, profile }: Admitted, quote: Quote, ports: CallPorts, slot?: AnswerSlot) {
    this.#call = call;
    this.#granted = granted;
    this.#hold = hold;
    this.#ports = ports;
    this.#growth = new Growth({ granted, quote, budgets, profile, gate: ports.budgets, clock: ports.clock });
    this.#cuts = cutsStream(budgets);
    this.#startedMs = ports.clock.monotonicMs();
    this.#recorder = slot === undefined ? undefined : new AnswerRecorder(slot);
    ports.health.chosen(call.provider.id, call.model.name.toLowerCase());
  }

  onAnswerHead(head: AnswerHead): AnswerChanges {
    this.#noteHealth(head);
    return this.onSharedHead(head);
  }

  /** As `onAnswerHead`, of an answer that another call has told the provider's health by. */
  onSharedHead(head: AnswerHead): AnswerChanges {
    const changes = this.#changesOf(head);
    this.#recorder?.head(head, changes);
    return changes;
  }

  #changesOf(head: AnswerHead): AnswerChanges {
    const { front, back, endpoint, facts, provider, model, translated } = this.#call;
    const start = { status: head.status, kind: isPlain(head.contentEncoding) ? kindOf(head.contentType) : ('other' as const) };
    this.#head = head;
    // Where the answer is said anew, its usage is for the translator to tell or to keep.
    this.#meter = back.dialect.meter(endpoint, { ...start, hideStreamUsage: translated === undefined && facts.stream && !facts.wantsStreamUsage });
    if (head.local === undefined) noteKey(provider, head.status, this.#ports);
    if (head.local === undefined && isStored(this.#call)) this.#watch(start);
    // Envoy's own answers are in the caller's language already.
    if (translated !== undefined && head.local === undefined) {
      this.#translator = translateAnswer(translated, start, this.#hold.id, Math.floor(this.#ports.clock.epochMs() / 1000));
    }
    if (this.#cuts && head.canBeEnded === true && head.local === undefined && head.status < 300 && start.kind === 'sse') this.#gate = this.#gateOf(this.#meter);
    const ours: readonly (readonly [name: string, value: string])[] = [
      ['x-airmesh-request-id', this.#hold.id],
      ['x-airmesh-provider', provider.id],
      ['x-airmesh-model', model.name],
      ...(this.#granted.shrunk ? [['x-airmesh-output-cap', String(this.#granted.outputCap)] as const] : []),
      ...(translated === undefined || translated.dropped.length === 0 ? [] : [[WARNING_HEADER, warningOf(translated.dropped)] as const]),
    ];
    if (this.#translator === undefined) return { set: ours, remove: [] };
    const { status, headers } = this.#translator;
    return {
      ...(status === head.status ? {} : { status }),
      set: [[front.dialect.requestIdHeader, this.#hold.id], ...headers, ...ours],
      remove: GONE_WITH_THE_BODY,
    };
  }

  onAnswerBody(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    this.#firstByteMs ??= this.#ports.clock.monotonicMs();
    this.#watcher?.push(chunk, endOfStream);
    const told = this.#told(chunk, endOfStream);
    this.#recorder?.push(told);
    return told;
  }

  /** What of it goes on to the caller, in its language. */
  #told(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    if (this.#gate !== undefined) return this.#gate.push(chunk, endOfStream);
    const passed = this.#meter === undefined ? chunk : this.#meter.push(chunk, endOfStream);
    if (this.#call.facts.stream && this.#meter !== undefined) this.#isWithin(this.#meter);
    return this.#translator === undefined ? passed : this.#translator.push(chunk, endOfStream);
  }

  get isCut(): boolean {
    return this.#gate?.isCut === true;
  }

  /** `undefined` where nobody knows how to end what comes. */
  #gateOf(meter: ResponseMeter): StreamGate | undefined {
    const { front, translated } = this.#call;
    const counting = {
      count: (event: Uint8Array, end: boolean): Uint8Array => meter.push(event, end),
      isWithin: (): boolean => this.#isWithin(meter) || meter.hasFinalUsage?.() === true,
    };
    const usage = (): Usage => this.#estimatedUsage(meter.reading());
    const translator = this.#translator;
    if (translated !== undefined && translator !== undefined) {
      return new StreamGate({ ...counting, pass: (event, _rest, end) => translator.push(event, end), ending: () => translator.cut?.(usage()) ?? NOTHING });
    }
    const ender = front.dialect.ender(front.endpoint, enderContext(this.#call, this.#hold));
    if (ender === undefined) return undefined;
    const pass = (_event: Uint8Array, rest: Uint8Array): Uint8Array => {
      ender.passed(rest);
      return rest;
    };
    return new StreamGate({ ...counting, pass, ending: () => ender.ending(usage()) });
  }

  /** Whether the answer is within what it may use so far: surely, and by what it would be charged if it ended here. */
  #isWithin(meter: ResponseMeter): boolean {
    return this.#growth.reached(meter.outputTokensSoFar(), this.#tokensSeen(meter));
  }

  /** What the answer says of its usage so far. */
  reading(): UsageReading {
    return this.#meter?.reading() ?? NO_READING;
  }

  /** What of the cost of a call that was made for several is this one's, where the provider's own count is final. */
  owe(share: NanoUsd): void {
    this.#share = share;
  }

  end(how: ExchangeEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#head === undefined) this.#ports.health.spared(this.#call.provider.id, this.#call.model.name.toLowerCase());
    const reading = this.reading();
    const status = this.#head?.status ?? 0;
    const verdict = this.#verdictOf({ status, local: this.#head?.local, how, body: this.#meter?.end(), reading });
    const usage = verdict.basis === 'void' || isFree(this.#call.front.endpoint) ? { inputTokens: 0, outputTokens: 0 } : this.#usageOf(reading, verdict.basis);
    const ended: Ended = {
      at: this.#ports.clock.epochMs(),
      ending: verdict.ending,
      status,
      servedModel: this.#meter?.servedModel(),
      usage,
      basis: verdict.basis,
      costNanoUsd: verdict.basis === 'actual' && this.#share !== undefined ? this.#share : this.costOf(usage),
      shrunkToTokens: this.#granted.shrunk ? this.#granted.outputCap : undefined,
      isUsd: usdLimits(this.#call.snapshot),
    };
    if (reading.kind === 'reported') this.#keepSize(usage);
    this.#recorder?.end(verdict.ending === 'finished' && verdict.basis === 'actual' && !this.#granted.shrunk, ended.at, ended.costNanoUsd);
    this.#ports.budgets.settle(this.#hold.id, settlementOf(ended), (settled) => {
      const record = recordOf(this.#hold, ended, settled);
      this.#ports.observer.settled(record, this.#timings());
      return record;
    });
  }

  /** A provider that says no to one call's contents serves; one that says no to its key, or to calls as such, does not. */
  #noteHealth({ status, local, retryAfter }: AnswerHead): void {
    const { provider, model, rule } = this.#call;
    const isFailure = local !== undefined || status >= 500 || NOT_SERVED.has(status);
    const pauseMs = isFailure ? retryAfterMs(retryAfter, this.#ports.clock.epochMs()) : undefined;
    const news = isFailure ? ({ kind: 'failed', ...(pauseMs === undefined ? {} : { retryAfterMs: pauseMs }) } as const) : ({ kind: 'served' } as const);
    this.#ports.health.note(provider.id, model.name.toLowerCase(), news, rule.failover);
  }

  /** A kept answer's owner is written down before the last of it goes on. */
  #watch({ status, kind }: AnswerStart): void {
    if (status >= 300 || kind === 'other') return;
    const { provider, snapshot, back, endpoint } = this.#call;
    const workload = `${snapshot.workload.namespace}/${snapshot.workload.name}`;
    const found = ({ kind, id }: FoundObject): void =>
      this.#keep({ provider: provider.id, kind, id, workload, at: this.#hold.at, expiresAt: this.#hold.at + RESPONSE_KEPT_MS });
    this.#watcher = back.dialect.state.watch(endpoint, kind, found);
  }

  /** What is free costs what is known: nothing. */
  #verdictOf(outcome: Outcome): Verdict {
    const verdict = verdictOf(outcome);
    return verdict.basis === 'estimated' && isFree(this.#call.front.endpoint) ? { ...verdict, basis: 'actual' } : verdict;
  }

  /** The provider's own count where it is final, else a guess from what went by. */
  #usageOf(reading: UsageReading, basis: 'actual' | 'estimated'): Usage {
    return basis === 'actual' && reading.kind === 'reported' ? reading.usage : this.#estimatedUsage(reading);
  }

  #tokensSeen(meter: ResponseMeter): number {
    return Math.max(Math.ceil((meter.textBytesSoFar?.() ?? 0) / BYTES_PER_TOKEN), meter.outputTokensSoFar());
  }

  #estimatedUsage(reading: UsageReading): Usage {
    const meter = this.#meter;
    if (reading.kind === 'reported') {
      // Gemini says what was used by then with each part of an answer, which is the least of it.
      const isFinal = meter?.textBytesSoFar === undefined || meter.hasFinalUsage?.() === true;
      return isFinal ? reading.usage : { ...reading.usage, outputTokens: Math.max(reading.usage.outputTokens, this.#likely(this.#tokensSeen(meter))) };
    }
    const seen = Math.max(Math.ceil(reading.outputBytes / BYTES_PER_TOKEN), meter?.outputTokensSoFar() ?? 0);
    const guess = this.#head === undefined ? this.#hold.estimate.outputTokens : seen;
    return { inputTokens: this.#call.facts.inputTokenEstimate, outputTokens: this.#likely(guess) };
  }

  /** No answer is longer than its cap, however many bytes it takes. */
  #likely(outputTokens: number): number {
    const { facts } = this.#call;
    return facts.hasOutput ? Math.min(outputTokens, this.#granted.outputCap * facts.choices) : outputTokens;
  }

  /** At the tier that the provider says it served, which may be another than was asked for. `undefined`: the price is unknown. */
  costOf(usage: Usage): NanoUsd | undefined {
    const { model, facts } = this.#call;
    return model.price === undefined ? undefined : costOf(usage, model.price, this.#meter?.servedTier?.() ?? facts.tier);
  }

  /** A stored answer is the beginning of the next one's input: what both have used so far bounds it. One of its items is no longer than all of them. */
  #keepSize({ inputTokens, outputTokens }: Usage): void {
    for (const object of this.#stored) this.#ports.state.keep({ ...object, tokens: object.kind === 'item' ? outputTokens : inputTokens + outputTokens });
  }

  #keep(object: KeptObject): void {
    this.#stored.push(object);
    this.#ports.state.keep(object);
  }

  #timings(): CallTimings {
    const now = this.#ports.clock.monotonicMs();
    return {
      durationMs: now - this.#startedMs,
      firstByteMs: this.#firstByteMs === undefined ? undefined : this.#firstByteMs - this.#startedMs,
      traceparent: this.#call.headers.get('traceparent'),
    };
  }
}

/** Whether its answer is a stream that can be ended in the caller's language. */
export function canBeEnded(call: ResolvedCall): boolean {
  const { facts, front, translated } = call;
  return facts.stream && (translated !== undefined || front.dialect.ender(front.endpoint, NO_CONTEXT) !== undefined);
}

const NOTHING = new Uint8Array(0);
const NO_CONTEXT: EnderContext = { requestId: '', model: '', created: 0, wantsUsage: false };

function enderContext({ model, facts }: SentCall, { id, at }: CallHold): EnderContext {
  return { requestId: id, model: model.name, created: Math.floor(at / 1000), wantsUsage: facts.wantsStreamUsage };
}

/** `dropped: logit_bias, messages[0].name`. A field's name is the caller's own text, so only what a header may hold is said. */
function warningOf(paths: readonly string[]): string {
  const named = paths.slice(0, MAX_WARNED).map((path) => path.slice(0, 100).replaceAll(/[^\x21-\x7e]|,/g, '?'));
  const more = paths.length - named.length;
  return `dropped: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
