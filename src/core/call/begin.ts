import type { Dialect, LocalReply, Refusal } from '../dialects/index.ts';
import type { Quote } from '../ledger/index.ts';
import { ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import { admit } from './admit.ts';
import type { Admitted } from './admit.ts';
import { canBeEnded, Exchange } from './exchange.ts';
import { frontOfCall } from './front.ts';
import { keyOf } from './keys.ts';
import { goAlone, merge } from './merge/merge.ts';
import type { HeldCall } from './merge/merge.ts';
import type { CallPorts } from './ports.ts';
import { FREE, isFree, quoteOf } from './quote.ts';
import { refusal } from './refusals.ts';
import type { Forwarded, IncomingRequest, Replied } from './request.ts';
import { resolve } from './resolve.ts';
import type { ResolvedCall } from './resolve.ts';
import { reuse } from './reuse.ts';
import type { AnswerSlot } from './reuse.ts';
import { beginState } from './state/begin.ts';

/**
 * Decides upon a request: identify, resolve, admit, inject. `id` names the call from here on; whoever gives it may
 * `abandon` it while this waits.
 */
export async function begin(id: string, incoming: IncomingRequest, ports: CallPorts): Promise<Replied | Forwarded> {
  const snapshot = ports.snapshots.current(incoming.workload);
  const { dialect, request } = frontOfCall(incoming, snapshot);
  if (snapshot === undefined) {
    return refuse(ports, dialect, id, request.workload, refusal('model_not_allowed', `No policies are known for the workload ${request.workload}.`));
  }
  const resolution = await resolve(request, snapshot, dialect, ports);
  if (!resolution.ok) return refuse(ports, dialect, id, request.workload, resolution.error);
  switch (resolution.value.kind) {
    case 'listing':
      return { kind: 'reply', reply: resolution.value.reply, refusal: undefined };
    case 'state': {
      const { endpoint, query } = resolution.value;
      const begun = await beginState(id, request, { endpoint, query }, { snapshot, dialect, endpoint, headers: request.headers }, ports);
      return begun.ok ? begun.value : refuse(ports, dialect, id, request.workload, begun.error);
    }
    case 'call': {
      const begun = await beginCall(id, resolution.value.call, ports);
      return begun.ok ? begun.value : refuse(ports, dialect, id, request.workload, begun.error);
    }
  }
}

/** The caller of a call that has not begun yet is gone. What was held for it is settled by whoever goes on with it. */
export function abandon(id: string, { merging, budgets }: Pick<CallPorts, 'merging' | 'budgets'>): void {
  merging.leave(id);
  budgets.cancel(id);
  budgets.cancel(secondId(id));
}

/** Refuses a call of which nobody knows whose it is. */
export function refuseStranger(id: string, incoming: IncomingRequest, reason: StrangerReason, ports: Pick<CallPorts, 'observer'>): Replied {
  const { dialect } = frontOfCall(incoming, undefined);
  return refuse(ports, dialect, id, incoming.workload, refusal(reason.code, reason.message));
}

/** Refuses a call whose body there is no room for. */
export function refuseBody(id: string, incoming: IncomingRequest, reason: Refusal, ports: Pick<CallPorts, 'observer'>): Replied {
  const { dialect } = frontOfCall(incoming, undefined);
  return refuse(ports, dialect, id, incoming.workload, reason);
}

/** `unauthenticated`: it does not prove who it is. `model_not_allowed`: whoever it is may not call here. `processor_unavailable`: that cannot be found out now. */
export interface StrangerReason {
  readonly code: 'unauthenticated' | 'model_not_allowed' | 'processor_unavailable';
  readonly message: string;
}

async function beginCall(id: string, call: ResolvedCall, ports: CallPorts): Promise<Result<Replied | Forwarded, Refusal>> {
  const reused = await reuse(id, call, ports);
  if (reused.kind === 'reply') return ok(reused.replied);
  let begun: Result<Replied | Forwarded, Refusal> | undefined;
  try {
    begun = await ask(id, call, reused.slot, ports);
    return begun;
  } finally {
    // Whoever waits for this answer looks elsewhere; a call that goes on tells them itself.
    if (begun?.ok !== true) reused.slot?.end(undefined);
  }
}

async function ask(id: string, call: ResolvedCall, slot: AnswerSlot | undefined, ports: CallPorts): Promise<Result<Replied | Forwarded, Refusal>> {
  const held = await hold(id, call, slot, ports);
  if (!held.ok) return held;
  const merged = await merge(id, held.value, ports);
  if (merged.kind !== 'lost') return ok(merged);
  const again = await hold(secondId(id), call, undefined, ports);
  return again.ok ? ok(goAlone(again.value)) : again;
}

/** Of the hold by which a call is made by itself, where another's was to bring its answer and was broken off. */
const secondId = (id: string): string => `${id}.2`;

async function hold(id: string, call: ResolvedCall, slot: AnswerSlot | undefined, ports: CallPorts): Promise<Result<HeldCall, Refusal>> {
  const key = keyOf(call.provider, ports);
  if (!key.ok) return key;
  const quote = isFree(call.front.endpoint) ? FREE : quoteOf(call.facts, call.model, call.rule.transform);
  const admitted = await admitCall(id, call, quote, ports);
  if (!admitted.ok) return admitted;

  const { granted } = admitted.value;
  const outputCap = call.facts.hasOutput ? granted.outputCap : undefined;
  const { received: _received, body: _body, ...sent } = call;
  return ok({ injection: { ...call, outputCap, key: key.value }, granted, exchange: new Exchange(sent, admitted.value, quote, ports, slot) });
}

/** Reserves the worst case of a call. */
function admitCall(id: string, call: ResolvedCall, quote: Quote, ports: CallPorts): Promise<Result<Admitted, Refusal>> {
  const { facts, model, provider, rule, snapshot, headers } = call;
  const { operation } = call.front.endpoint;
  const ask = {
    snapshot,
    rule,
    provider,
    model: model.name,
    priceSource: model.price?.source,
    operation,
    stream: facts.stream,
    canBeEnded: canBeEnded(call),
    headers,
    quote,
    inputTokenEstimate: facts.inputTokenEstimate,
    unbounded: facts.unbounded,
    rates: 'both' as const,
  };
  return admit(id, ask, ports);
}

function refuse(ports: Pick<CallPorts, 'observer'>, dialect: Dialect, id: string, workload: string, reason: Refusal): Replied {
  ports.observer.refused({ workload, code: reason.code });
  return { kind: 'reply', reply: withCallId(dialect.refusal(reason, id), id), refusal: reason };
}

function withCallId(reply: LocalReply, id: string): LocalReply {
  return { ...reply, headers: [...reply.headers, ['x-airmesh-request-id', id]] };
}
