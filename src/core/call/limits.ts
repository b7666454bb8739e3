import type { LimitSpec } from '../ledger/index.ts';
import type { BudgetPolicy, WorkloadSnapshot } from '../policy/index.ts';
import { requestRateId, tokenRateId } from '../units/index.ts';

const MINUTE_MS = 60_000;

/** Every limit that calls under these policies can meet, for the ledger: budgets and rate limits, each once. */
export function limitsOf(policies: Iterable<Pick<WorkloadSnapshot, 'budgets' | 'rules'>>): LimitSpec[] {
  const limits = new Map<string, LimitSpec>();
  for (const { budgets, rules } of policies) {
    for (const budget of budgets) limits.set(budget.id, budgetLimit(budget));
    for (const rule of rules) {
      const { requestsPerMinute, tokensPerMinute } = rule.limits ?? {};
      if (requestsPerMinute !== undefined) limits.set(requestRateId(rule.id), rateLimit(requestRateId(rule.id), 'requests', requestsPerMinute));
      if (tokensPerMinute !== undefined) limits.set(tokenRateId(rule.id), rateLimit(tokenRateId(rule.id), 'tokens', tokensPerMinute));
    }
  }
  return [...limits.values()];
}

function budgetLimit(budget: BudgetPolicy): LimitSpec {
  const { id, unit, limit, window, mode, nearLimit, floorOutputTokens, waitMs, alerts } = budget;
  return { kind: 'budget', id, unit, limit, window, mode, nearLimit, floorOutputTokens, waitMs, alerts };
}

function rateLimit(id: string, unit: 'requests' | 'tokens', perMinute: number): LimitSpec {
  return {
    kind: 'rate',
    id,
    unit,
    limit: BigInt(perMinute),
    window: { kind: 'rolling', durationMs: MINUTE_MS },
    mode: 'Bounded',
    nearLimit: 'Reject',
    floorOutputTokens: 1,
    waitMs: 0,
  };
}
