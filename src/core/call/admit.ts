import { requestRateId, tokenRateId } from '../units/index.ts';
import type { Operation } from '../dialects/index.ts';
import type { Granted, Quote } from '../ledger/index.ts';
import type { BudgetPolicy, ProviderPolicy, RulePolicy, WorkloadSnapshot } from '../policy/index.ts';
import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import type { Refusal } from '../dialects/index.ts';
import { accountsOf, budgetsOf } from './accounts.ts';
import type { CallPorts } from './ports.ts';
import type { CallHold } from './record.ts';
import { ledgerRefusal, refusal } from './refusals.ts';

/** What is to be held, and for what. */
export interface Ask {
  readonly snapshot: WorkloadSnapshot;
  readonly rule: RulePolicy;
  readonly provider: ProviderPolicy;
  /** Catalogue name. */
  readonly model: string;
  readonly priceSource: string | undefined;
  readonly operation: Operation;
  readonly stream: boolean;
  /** Whether its answer can be ended before its provider ends it. Absent: it cannot. */
  readonly canBeEnded?: boolean;
  readonly headers: ReadonlyMap<string, string>;
  readonly quote: Quote;
  readonly inputTokenEstimate: number;
  /** What has no bound, each named for people. */
  readonly unbounded: readonly string[];
  /** The rule's limits for a minute in which it counts. What is done over a day counts as a request at most. */
  readonly rates: 'both' | 'requests' | 'none';
}

export interface Admitted {
  readonly granted: Granted;
  readonly hold: CallHold;
  /** That count the call. */
  readonly budgets: readonly BudgetPolicy[];
  readonly profile: string;
}

/** Reserves the worst case in every budget that counts the call, and in its rate limits: all or nothing, and durable. */
export async function admit(id: string, ask: Ask, ports: CallPorts): Promise<Result<Admitted, Refusal>> {
  const { snapshot, rule, provider, model, quote, unbounded } = ask;
  const chargeable = { workload: snapshot.workload, rule, model, provider: provider.id, headers: ask.headers };
  const budgets = budgetsOf(snapshot, chargeable);
  const strict = budgets.find((budget) => budget.mode === 'Strict' && budget.unit !== 'requests');
  if (strict !== undefined && unbounded.length > 0) {
    return err(refusal('cost_unbounded', `The strict budget ${strict.id} cannot bound the cost of: ${unbounded.join(', ')}.`));
  }
  const at = ports.clock.epochMs();
  const describe = (granted: Granted): CallHold => ({
    id,
    at,
    namespace: snapshot.workload.namespace,
    workload: snapshot.workload.name,
    rule: rule.id,
    provider: provider.id,
    model,
    operation: ask.operation,
    stream: ask.stream,
    priceSource: ask.priceSource,
    holds: granted.holds,
    heldNanoUsd: quote.fixedNanoUsd + (quote.outputNanoUsdPerMillion * BigInt(granted.outputCap * quote.choices) + 999_999n) / 1_000_000n,
    estimate: {
      nanoUsd: quote.estimate.nanoUsd,
      inputTokens: ask.inputTokenEstimate,
      outputTokens: Math.max(0, quote.estimate.tokens - ask.inputTokenEstimate),
    },
  });
  const profile = `${snapshot.workload.namespace}/${snapshot.workload.name}|${model}|${ask.operation}`;
  const command = {
    id,
    at,
    now: ports.clock.monotonicMs(),
    accounts: accountsOf(budgets, chargeable).filter(({ limit }) => countsIn(limit, ask)),
    quote,
    profile,
    ...(ask.canBeEnded === true ? { canBeEnded: true } : {}),
  };
  const outcome = await ports.budgets.admit(command, describe);
  switch (outcome.kind) {
    case 'granted':
      return ok({ granted: outcome, hold: describe(outcome), budgets, profile });
    case 'refused':
      return err(ledgerRefusal(outcome, ports.clock.epochMs()));
    case 'unavailable':
      return err(refusal('budget_unavailable', `Budgets cannot be kept right now: ${outcome.reason}.`));
  }
}

function countsIn(limit: string, { rule, rates }: Ask): boolean {
  if (limit === tokenRateId(rule.id)) return rates === 'both';
  return limit !== requestRateId(rule.id) || rates !== 'none';
}
