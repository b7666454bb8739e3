import { costOf } from '../../catalog/index.ts';
import type { Endpoint, FoundObject, StateKind, StateWatcher, UsageReading } from '../../dialects/index.ts';
import type { WorkloadSnapshot } from '../../policy/index.ts';
import { usdLimits } from '../accounts.ts';
import type { Admitted } from '../admit.ts';
import { Gathered, isPlain, kindOf } from '../answer.ts';
import { recordOf, settlementOf } from '../ended.ts';
import type { Ended } from '../ended.ts';
import { GONE_WITH_THE_BODY } from '../exchange.ts';
import type { BatchRequests, KeptObject } from '../kept.ts';
import { noteKey } from '../keys.ts';
import type { CallPorts } from '../ports.ts';
import type { CallHold } from '../record.ts';
import { refusal } from '../refusals.ts';
import type { AnswerChanges, AnswerHead, ExchangeEnd, ForwardedCall } from '../request.ts';
import { verdictOf } from '../settlement.ts';
import type { Verdict } from '../settlement.ts';
import type { Place } from './place.ts';
import type { OneRequest } from './requests.ts';

export interface StateCall {
  readonly endpoint: Endpoint;
  /** `namespace/name`. */
  readonly workload: string;
  readonly place: Place;
  readonly snapshot: WorkloadSnapshot;
  /** For a batch, one for each of its parts; else one that costs nothing. */
  readonly admitted: readonly Admitted[];
  readonly object: KeptObject | undefined;
  /** Requests that the file to be kept holds. */
  readonly requests: BatchRequests | undefined;
  /** Requests that the batch to be made will serve. */
  readonly starts: BatchRequests | undefined;
  /** Input that a model reads now. */
  readonly input: OneRequest | undefined;
  /** For a list: what of it may be shown, and how much. */
  readonly owned: ReadonlySet<string> | undefined;
  readonly limit: number;
}

const NOTHING = new Uint8Array(0);
const NO_READING: UsageReading = { kind: 'missing', outputBytes: 0 };
const BAD_GATEWAY = 502;

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** A request about what a provider keeps: notes what is made, shows of lists one's own only, forgets what is deleted, and settles. */
export class StateExchange implements ForwardedCall {
  readonly #call: StateCall;
  readonly #ports: CallPorts;
  readonly #startedMs: number;
  #head: AnswerHead | undefined;
  #watcher: StateWatcher | undefined;
  /** A list that is kept until its end, or one that cannot be read. */
  #list: Gathered | 'unreadable' | undefined;
  /** An answer that is kept until its end, to be changed. */
  #whole: Gathered | undefined;
  /** What was made, as far as it is known. */
  #made: KeptObject | undefined;
  #ended = false;

  constructor(call: StateCall, ports: CallPorts) {
    this.#call = call;
    this.#ports = ports;
    this.#startedMs = ports.clock.monotonicMs();
  }

  onAnswerHead(head: AnswerHead): AnswerChanges {
    const { place, endpoint } = this.#call;
    this.#head = head;
    if (head.local === undefined) noteKey(place.provider, head.status, this.#ports);
    const set: [string, string][] = [
      ['x-airmesh-request-id', this.#id],
      ['x-airmesh-provider', place.provider.id],
    ];
    if (head.local !== undefined || !isSuccess(head.status)) {
      if (head.status === 404 && endpoint.state?.action === 'delete') this.#forget();
      return { set, remove: [] };
    }
    const { rewrite } = place.back.dialect.state;
    const kind = isPlain(head.contentEncoding) ? kindOf(head.contentType) : 'other';
    switch (endpoint.state?.action) {
      case 'list':
        this.#list = kind === 'json' ? new Gathered() : 'unreadable';
        return { ...(kind === 'json' ? {} : { status: BAD_GATEWAY }), set: [...set, ['content-type', 'application/json']], remove: GONE_WITH_THE_BODY };
      case 'delete':
        this.#forget();
        break;
      case 'content':
        break;
      default:
        if (kind !== 'other') this.#watcher = place.back.dialect.state.watch(endpoint, kind, (found) => this.#found(found));
        if (kind === 'json' && rewrite?.concerns(endpoint) === true) this.#whole = new Gathered();
    }
    return { set, remove: this.#whole === undefined ? [] : GONE_WITH_THE_BODY };
  }

  onAnswerBody(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    if (this.#list !== undefined) return this.#ofList(this.#list, chunk, endOfStream);
    this.#watcher?.push(chunk, endOfStream);
    return this.#whole === undefined ? chunk : this.#ofWhole(this.#whole, chunk, endOfStream);
  }

  end(how: ExchangeEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    // Whoever looks after the batch settles it.
    if (this.#call.starts !== undefined && this.#made !== undefined) return;
    for (const { hold } of this.#call.admitted) this.#settle(hold, how);
  }

  get #id(): string {
    return this.#call.admitted[0]?.hold.id ?? '';
  }

  #settle(hold: CallHold, how: ExchangeEnd): void {
    const status = this.#head?.status ?? 0;
    const tokens = this.#made?.tokens;
    const reading: UsageReading =
      this.#call.input === undefined || tokens === undefined ? NO_READING : { kind: 'reported', usage: { inputTokens: tokens, outputTokens: 0 } };
    const verdict = verdictOf({ status, local: this.#head?.local, how, body: how === 'complete' ? 'complete' : 'truncated', reading });
    const ended: Ended = {
      ...this.#costOf(hold, verdict, reading),
      at: this.#ports.clock.epochMs(),
      ending: verdict.ending,
      status,
      servedModel: undefined,
      shrunkToTokens: undefined,
      isUsd: usdLimits(this.#call.snapshot),
    };
    this.#ports.budgets.settle(hold.id, settlementOf(ended), (settled) => {
      const record = recordOf(hold, ended, settled);
      this.#ports.observer.settled(record, { durationMs: this.#ports.clock.monotonicMs() - this.#startedMs, firstByteMs: undefined });
      return record;
    });
  }

  /** What costs nothing is known to cost nothing; a batch or an input that may have been made without our having heard of it costs what was expected. */
  #costOf({ estimate }: CallHold, { basis }: Verdict, reading: UsageReading): Pick<Ended, 'usage' | 'basis' | 'costNanoUsd'> {
    const { starts, input } = this.#call;
    const free = { usage: { inputTokens: 0, outputTokens: 0 }, costNanoUsd: 0n };
    if (starts === undefined && input === undefined) return { ...free, basis: basis === 'estimated' ? 'actual' : basis };
    if (basis === 'void') return { ...free, basis };
    if (reading.kind !== 'reported')
      return { usage: { inputTokens: estimate.inputTokens, outputTokens: estimate.outputTokens }, basis, costNanoUsd: estimate.nanoUsd };
    const price = input?.model.price;
    return { usage: reading.usage, basis, costNanoUsd: price === undefined ? undefined : costOf(reading.usage, price) };
  }

  #found({ kind, id, expiresAtS, tokens }: FoundObject): void {
    const { endpoint, workload, place, object, requests, starts, admitted } = this.#call;
    const more = { ...(expiresAtS === undefined ? {} : { expiresAt: expiresAtS * 1000 }), ...(tokens === undefined ? {} : { tokens }) };
    const target = endpoint.state;
    const isMade = target?.action === 'create' && target.kind === kind;
    if (object !== undefined && object.kind === kind && object.id === id) {
      if (Object.keys(more).length > 0) this.#ports.state.keep({ ...object, ...more });
      return;
    }
    const kept: KeptObject = {
      provider: place.provider.id,
      kind,
      id,
      workload,
      at: this.#ports.clock.epochMs(),
      ...more,
      ...(isMade && requests !== undefined ? { requests } : {}),
      ...(isMade && starts !== undefined ? { open: { endpointPath: starts.endpointPath, holds: admitted.map(({ hold }) => hold.id) } } : {}),
    };
    if (isMade) this.#made = kept;
    this.#ports.state.keep(kept);
  }

  #forget(): void {
    if (this.#call.object !== undefined) this.#ports.state.forget(this.#call.object);
  }

  #ofWhole(whole: Gathered, chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    whole.add(chunk);
    if (!endOfStream) return NOTHING;
    const body = whole.whole();
    return this.#call.place.back.dialect.state.rewrite?.edit(body) ?? body;
  }

  #ofList(list: Gathered | 'unreadable', chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    if (list !== 'unreadable') list.add(chunk);
    if (!endOfStream) return NOTHING;
    const { endpoint, place, owned, limit } = this.#call;
    const { dialect } = place.back;
    const owns = (kind: StateKind, id: string): boolean => kind === endpoint.state?.kind && owned?.has(id) === true;
    const page = list === 'unreadable' || list.isTooLong ? undefined : dialect.state.filterList(endpoint, list.whole(), owns, limit);
    // Nothing of a list goes on that could not be read.
    if (page === undefined)
      return dialect.refusal(refusal('internal_error', "The provider's list could not be read, so what of it is yours could not be told."), this.#id).body;
    for (const found of page.found) this.#found(found);
    const { rewrite } = dialect.state;
    return rewrite?.concerns(endpoint) === true ? rewrite.edit(page.body) : page.body;
  }
}
