import type { CachePolicy } from '../policy/index.ts';
import type { EpochMs, NanoUsd } from '../units/index.ts';
import type { CallPorts } from './ports.ts';
import type { AnswerHead, AnswerChanges, Replied } from './request.ts';
import type { ResolvedCall } from './resolve.ts';
import { Gathered, isPlain } from './answer.ts';
import { isStored } from './inject.ts';

/** Longer answers are not kept: one of them would take the place of hundreds. */
export const MAX_KEPT_ANSWER_BYTES = 1_048_576;

/** All that an answer depends on. Two calls with the same question may have the same answer. */
export interface Question {
  readonly parts: readonly string[];
  /** As the caller sent it, byte for byte. */
  readonly body: Uint8Array;
}

/** A whole answer, as a caller saw it. */
export interface KeptAnswer {
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly at: EpochMs;
  /** What it cost the first time; `undefined`: not known. */
  readonly costNanoUsd: NanoUsd | undefined;
}

/** Owed by who asks the provider. Only the first word counts. */
export interface AnswerSlot {
  /** `undefined`: there is none that could be given again. */
  end(answer: KeptAnswer | undefined): void;
}

export type Lookup =
  | { readonly kind: 'kept'; readonly answer: KeptAnswer }
  /** Another call asks just that now. Resolves when it has ended; `undefined`: look again. */
  | { readonly kind: 'coming'; readonly answer: Promise<KeptAnswer | undefined> }
  /** Nobody knows: ask, and tell. */
  | { readonly kind: 'unknown'; readonly slot: AnswerSlot };

/** Answers that may be given again, and those on their way that others wait for. Its contents are the callers' own: shown to nobody else, written nowhere. */
export interface AnswerCache {
  /** `waits`: whether to be told of one that is on its way. */
  look(question: Question, policy: CachePolicy, waits: boolean): Lookup;
}

export type Reuse = { readonly kind: 'reply'; readonly replied: Replied } | { readonly kind: 'ask'; readonly slot: AnswerSlot | undefined };

/** An answer that is there already, or who is to be told of the one to come. Streams are kept, but not waited for: their first word would come with their last. */
export async function reuse(id: string, call: ResolvedCall, ports: Pick<CallPorts, 'answers' | 'clock' | 'observer'>): Promise<Reuse> {
  const { cache } = call.rule;
  const question = cache === undefined ? undefined : questionOf(call);
  if (cache === undefined || question === undefined) return { kind: 'ask', slot: undefined };
  // Who has waited in vain once asks for himself, so that a failing provider makes nobody wait in a line.
  for (let waits = cache.coalesce && !call.facts.stream; ; waits = false) {
    const found = ports.answers.look(question, cache, waits);
    if (found.kind === 'unknown') return { kind: 'ask', slot: found.slot };
    const answer = found.kind === 'kept' ? found.answer : await found.answer;
    if (answer === undefined) continue;
    const { snapshot, provider, model } = call;
    ports.observer.reused({
      workload: `${snapshot.workload.namespace}/${snapshot.workload.name}`,
      provider: provider.id,
      model: model.name,
      how: found.kind === 'kept' ? 'kept' : 'coalesced',
      savedNanoUsd: answer.costNanoUsd,
    });
    return { kind: 'reply', replied: { kind: 'reply', reply: said(id, call, answer, ports.clock.epochMs()), refusal: undefined } };
  }
}

/** `undefined` where an answer is more than what it says: the provider keeps it, or it goes on from what the provider keeps. */
function questionOf(call: ResolvedCall): Question | undefined {
  const { snapshot, rule, provider, model, front, query, facts, received } = call;
  if (facts.references.length > 0 || isStored(call)) return undefined;
  const { namespace, name } = snapshot.workload;
  return { parts: [namespace, name, snapshot.version, rule.id, provider.id, model.name, front.dialect.name, front.endpoint.path, query], body: received };
}

function said(id: string, { front, provider, model }: ResolvedCall, answer: KeptAnswer, now: EpochMs): Replied['reply'] {
  return {
    status: 200,
    headers: [
      ['content-type', answer.contentType],
      [front.dialect.requestIdHeader, id],
      ['x-airmesh-request-id', id],
      ['x-airmesh-provider', provider.id],
      ['x-airmesh-model', model.name],
      ['x-airmesh-cache', 'hit'],
      ['age', String(Math.max(0, Math.floor((now - answer.at) / 1000)))],
    ],
    body: answer.body,
  };
}

/** Listens to an answer on its way to the caller, for those who ask the same. */
export class AnswerRecorder {
  readonly #slot: AnswerSlot;
  #contentType: string | undefined;
  #body: Gathered | undefined;

  constructor(slot: AnswerSlot) {
    this.#slot = slot;
  }

  head({ status, contentType, contentEncoding, local }: AnswerHead, changes: AnswerChanges): void {
    const type = changes.set.findLast(([name]) => name === 'content-type')?.[1] ?? contentType;
    if ((changes.status ?? status) !== 200 || local !== undefined || type === undefined || !isPlain(contentEncoding)) return;
    this.#contentType = type;
    this.#body = new Gathered(MAX_KEPT_ANSWER_BYTES);
  }

  /** As it goes on to the caller. */
  push(bytes: Uint8Array): void {
    this.#body?.add(bytes);
  }

  /** `mayBeGivenAgain`: it is whole, and nothing of this one call has made it shorter. */
  end(mayBeGivenAgain: boolean, at: EpochMs, costNanoUsd: NanoUsd | undefined): void {
    const body = this.#body;
    const isKept = mayBeGivenAgain && body !== undefined && !body.isTooLong && this.#contentType !== undefined;
    this.#slot.end(isKept ? { contentType: this.#contentType ?? '', body: body.whole(), at, costNanoUsd } : undefined);
  }
}
