import { frontOf } from '../dialects/index.ts';
import type { Dialect, LocalReply, Refusal } from '../dialects/index.ts';
import type { Granted } from '../ledger/index.ts';
import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import { accountsOf, budgetsOf } from './accounts.ts';
import { Exchange } from './exchange.ts';
import { inject } from './inject.ts';
import type { CallPorts } from './ports.ts';
import { FREE, isFree, quoteOf } from './quote.ts';
import type { CallHold } from './record.ts';
import { ledgerRefusal, refusal } from './refusals.ts';
import type { Forwarded, IncomingRequest, Replied } from './request.ts';
import { resolve } from './resolve.ts';
import type { ResolvedCall } from './resolve.ts';

/**
 * Decides upon a request: identify, resolve, admit, inject. `id` names the call from here on; whoever gives it may
 * `abandon` it while this waits.
 */
export async function begin(id: string, request: IncomingRequest, ports: CallPorts): Promise<Replied | Forwarded> {
  const dialect = frontOf(request.path, request.headers);
  const snapshot = ports.snapshots.current(request.workload);
  if (snapshot === undefined) {
    return refuse(ports, dialect, id, request.workload, refusal('model_not_allowed', `No policies are known for the workload ${request.workload}.`));
  }
  const resolution = resolve(request, snapshot, dialect, ports.random);
  if (!resolution.ok) return refuse(ports, dialect, id, request.workload, resolution.error);
  if (resolution.value.kind === 'listing') return { kind: 'reply', reply: resolution.value.reply, refusal: undefined };

  const call = resolution.value.call;
  const key = keyOf(call, ports);
  if (!key.ok) return refuse(ports, dialect, id, request.workload, key.error);
  const admitted = await admit(id, call, ports);
  if (!admitted.ok) return refuse(ports, dialect, id, request.workload, admitted.error);

  const { granted, hold } = admitted.value;
  const outputCap = call.facts.hasOutput ? granted.outputCap : undefined;
  return {
    kind: 'forward',
    instructions: inject({ ...call, outputCap, key: key.value }),
    call: new Exchange(call, granted, hold, ports),
  };
}

function keyOf(call: ResolvedCall, ports: CallPorts): Result<string | undefined, Refusal> {
  if (call.provider.key === undefined) return ok(undefined);
  const key = ports.keys.get(call.provider.key);
  return key === undefined
    ? err(refusal('provider_key_missing', `There is no usable key for the provider ${call.provider.id}. Its operator finds the reason in the readiness report.`))
    : ok(key);
}

interface Admitted {
  readonly granted: Granted;
  readonly hold: CallHold;
}

/** Reserves the worst case in every budget that counts the call, and in its rate limits: all or nothing, and durable. */
async function admit(id: string, call: ResolvedCall, ports: CallPorts): Promise<Result<Admitted, Refusal>> {
  const { facts, model, provider, rule, snapshot } = call;
  const chargeable = { workload: snapshot.workload, rule, model: model.name, provider: provider.id, headers: call.headers };
  const budgets = budgetsOf(snapshot, chargeable);
  const strict = budgets.find((budget) => budget.mode === 'Strict' && budget.unit !== 'requests');
  if (strict !== undefined && facts.unbounded.length > 0) {
    return err(refusal('cost_unbounded', `The strict budget ${strict.id} cannot bound the cost of: ${facts.unbounded.join(', ')}.`));
  }
  const quote = isFree(call.front.endpoint) ? FREE : quoteOf(facts, model, rule.transform);
  const at = ports.clock.epochMs();
  const describe = (granted: Granted): CallHold => ({
    id,
    at,
    namespace: snapshot.workload.namespace,
    workload: snapshot.workload.name,
    rule: rule.id,
    provider: provider.id,
    model: model.name,
    operation: call.front.endpoint.operation,
    stream: facts.stream,
    priceSource: model.price?.source,
    holds: granted.holds,
    heldNanoUsd: quote.fixedNanoUsd + (quote.outputNanoUsdPerMillion * BigInt(granted.outputCap * quote.choices) + 999_999n) / 1_000_000n,
    estimate: {
      nanoUsd: quote.estimate.nanoUsd,
      inputTokens: facts.inputTokenEstimate,
      outputTokens: Math.max(0, quote.estimate.tokens - facts.inputTokenEstimate),
    },
  });
  const command = {
    id,
    at,
    now: ports.clock.monotonicMs(),
    accounts: accountsOf(budgets, chargeable),
    quote,
    profile: `${snapshot.workload.namespace}/${snapshot.workload.name}|${model.name}|${call.front.endpoint.operation}`,
  };
  const outcome = await ports.budgets.admit(command, describe);
  switch (outcome.kind) {
    case 'granted':
      return ok({ granted: outcome, hold: describe(outcome) });
    case 'refused':
      return err(ledgerRefusal(outcome, ports.clock.epochMs()));
    case 'unavailable':
      return err(refusal('budget_unavailable', `Budgets cannot be kept right now: ${outcome.reason}.`));
  }
}

function refuse(ports: CallPorts, dialect: Dialect, id: string, workload: string, reason: Refusal): Replied {
  ports.observer.refused({ workload, code: reason.code });
  return { kind: 'reply', reply: withCallId(dialect.refusal(reason, id), id), refusal: reason };
}

function withCallId(reply: LocalReply, id: string): LocalReply {
  return { ...reply, headers: [...reply.headers, ['x-airmesh-request-id', id]] };
}
