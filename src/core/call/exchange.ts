import { costOf } from '../catalog/index.ts';
import type { Usage } from '../catalog/index.ts';
import type { ResponseMeter, UsageReading } from '../dialects/index.ts';
import type { Granted, Settled, Settlement } from '../ledger/index.ts';
import type { CallPorts } from './ports.ts';
import type { CallHold, CallRecord } from './record.ts';
import { kindOf, translateAnswer } from './answer.ts';
import type { AnswerTranslator } from './answer.ts';
import { isFree } from './quote.ts';
import type { AnswerChanges, AnswerHead, ExchangeEnd, ForwardedCall } from './request.ts';
import type { ResolvedCall } from './resolve.ts';
import { verdictOf } from './settlement.ts';
import type { Outcome, Verdict } from './settlement.ts';

/** A fair guess of how many bytes of text a token is. */
const BYTES_PER_TOKEN = 4;

/** JSON paths of what the provider was not told, as its API has no word for it. */
const WARNING_HEADER = 'x-airmesh-warning';

/** Of that header's value; the rest is counted. */
const MAX_WARNED = 20;

/** Header names of a body that another one takes the place of. */
const GONE_WITH_THE_BODY = ['content-length', 'content-encoding', 'content-md5', 'digest', 'etag'];

const NO_READING: UsageReading = { kind: 'missing', outputBytes: 0 };

/** A call at a provider: meters the answer as it passes, and settles exactly once. */
export class Exchange implements ForwardedCall {
  readonly #call: ResolvedCall;
  readonly #granted: Granted;
  readonly #hold: CallHold;
  readonly #ports: CallPorts;
  readonly #startedMs: number;
  #head: AnswerHead | undefined;
  #meter: ResponseMeter | undefined;
  #translator: AnswerTranslator | undefined;
  #firstByteMs: number | undefined;
  #ended = false;

  constructor(call: ResolvedCall, granted: Granted, hold: CallHold, ports: CallPorts) {
    this.#call = call;
    this.#granted = granted;
    this.#hold = hold;
    this.#ports = ports;
    this.#startedMs = ports.clock.monotonicMs();
  }

  onAnswerHead(head: AnswerHead): AnswerChanges {
    const { back, endpoint, facts, provider, model, translated } = this.#call;
    const start = { status: head.status, kind: isPlain(head.contentEncoding) ? kindOf(head.contentType) : ('other' as const) };
    this.#head = head;
    // Where the answer is said anew, its usage is for the translator to tell or to keep.
    this.#meter = back.dialect.meter(endpoint, { ...start, hideStreamUsage: translated === undefined && facts.stream && !facts.wantsStreamUsage });
    if (head.local === undefined) this.#noteKey(head.status);
    // Envoy's own answers are in the caller's language already.
    if (translated !== undefined && head.local === undefined) {
      this.#translator = translateAnswer(translated, start, this.#hold.id, Math.floor(this.#ports.clock.epochMs() / 1000));
    }
    const ours: readonly (readonly [name: string, value: string])[] = [
      ['x-airmesh-request-id', this.#hold.id],
      ['x-airmesh-provider', provider.id],
      ['x-airmesh-model', model.name],
      ...(this.#granted.shrunk ? [['x-airmesh-output-cap', String(this.#granted.outputCap)] as const] : []),
      ...(translated === undefined || translated.dropped.length === 0 ? [] : [[WARNING_HEADER, warningOf(translated.dropped)] as const]),
    ];
    if (this.#translator === undefined) return { set: ours, remove: [] };
    const { status, headers } = this.#translator;
    return { ...(status === head.status ? {} : { status }), set: [...headers, ...ours], remove: GONE_WITH_THE_BODY };
  }

  onAnswerBody(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    this.#firstByteMs ??= this.#ports.clock.monotonicMs();
    const passed = this.#meter === undefined ? chunk : this.#meter.push(chunk, endOfStream);
    return this.#translator === undefined ? passed : this.#translator.push(chunk, endOfStream);
  }

  end(how: ExchangeEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    const reading = this.#meter?.reading() ?? NO_READING;
    const status = this.#head?.status ?? 0;
    const verdict = this.#verdictOf({ status, local: this.#head?.local, how, body: this.#meter?.end(), reading });
    const usage = verdict.basis === 'void' || isFree(this.#call.front.endpoint) ? { inputTokens: 0, outputTokens: 0 } : this.#usageOf(reading);
    const settlement = this.#settlementOf(verdict, usage);
    const { id } = this.#hold;
    this.#ports.budgets.settle(id, settlement, (settled) => this.#record(verdict, usage, settled));
  }

  /** What is free costs what is known: nothing. */
  #verdictOf(outcome: Outcome): Verdict {
    const verdict = verdictOf(outcome);
    return verdict.basis === 'estimated' && isFree(this.#call.front.endpoint) ? { ...verdict, basis: 'actual' } : verdict;
  }

  /** The provider's own count, else a guess from what went by. */
  #usageOf(reading: UsageReading): Usage {
    if (reading.kind === 'reported') return reading.usage;
    const { facts } = this.#call;
    const seen = Math.max(Math.ceil(reading.outputBytes / BYTES_PER_TOKEN), this.#meter?.outputTokensSoFar() ?? 0);
    const outputTokens = this.#head === undefined ? this.#hold.estimate.outputTokens : seen;
    return { inputTokens: facts.inputTokenEstimate, outputTokens };
  }

  #settlementOf(verdict: Verdict, usage: Usage): Settlement {
    if (verdict.basis === 'void') return { kind: 'void' };
    const figures = {
      nanoUsd: this.#costOf(usage) ?? 0n,
      tokens: usage.inputTokens + usage.outputTokens,
      outputTokens: usage.outputTokens,
    };
    return verdict.basis === 'actual' ? { kind: 'actual', actual: figures } : { kind: 'estimated', estimate: figures };
  }

  /** At the tier that the provider says it served, which may be another than was asked for. */
  #costOf(usage: Usage): bigint | undefined {
    const { model, facts } = this.#call;
    return model.price === undefined ? undefined : costOf(usage, model.price, this.#meter?.servedTier?.() ?? facts.tier);
  }

  #record(verdict: Verdict, usage: Usage, settled: Settled): CallRecord {
    const { holds: _holds, estimate: _estimate, ...hold } = this.#hold;
    const cost = verdict.basis === 'void' ? 0n : this.#costOf(usage);
    const postedUsd = settled.posted.filter(({ limit }) => this.#isUsd(limit)).map(({ amount }) => amount);
    const record: CallRecord = {
      ...hold,
      endedAt: this.#ports.clock.epochMs(),
      ending: verdict.ending,
      status: this.#head?.status ?? 0,
      servedModel: this.#meter?.servedModel(),
      usage,
      estimated: verdict.basis === 'estimated',
      costNanoUsd: cost,
      chargedNanoUsd: postedUsd.reduce((most, amount) => (amount > most ? amount : most), cost ?? 0n),
      posted: settled.posted,
      shrunkToTokens: this.#granted.shrunk ? this.#granted.outputCap : undefined,
    };
    this.#ports.observer.settled(record, this.#timings());
    return record;
  }

  #isUsd(limit: string): boolean {
    return this.#call.snapshot.budgets.some((budget) => budget.id === limit && budget.unit === 'usd' && budget.mode !== 'Observe');
  }

  #timings(): { readonly durationMs: number; readonly firstByteMs: number | undefined } {
    const now = this.#ports.clock.monotonicMs();
    return { durationMs: now - this.#startedMs, firstByteMs: this.#firstByteMs === undefined ? undefined : this.#firstByteMs - this.#startedMs };
  }

  #noteKey(status: number): void {
    const { key } = this.#call.provider;
    if (key === undefined) return;
    if (status === 401 || status === 403) this.#ports.keys.rejected(key);
    else if (status < 400) this.#ports.keys.accepted(key);
  }
}

const isPlain = (encoding: string | undefined): boolean => encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity';

/** `dropped: logit_bias, messages[0].name`. A field's name is the caller's own text, so only what a header may hold is said. */
function warningOf(paths: readonly string[]): string {
  const named = paths.slice(0, MAX_WARNED).map((path) => path.slice(0, 100).replaceAll(/[^\x21-\x7e]|,/g, '?'));
  const more = paths.length - named.length;
  return `dropped: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
