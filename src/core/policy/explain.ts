import { matchesPattern } from './pattern.ts';
import { resolveModel } from './resolve.ts';
import type { ModelQuery } from './resolve.ts';
import type { BudgetPolicy, RateLimitPolicy, WorkloadSnapshot } from './snapshot.ts';

/** What a given call would meet, and why. */
export interface Explanation {
  readonly outcome: 'allowed' | 'unknown' | 'not_allowed';
  /** Sentences for people, in the order in which things are decided. */
  readonly steps: readonly string[];
  readonly rule: string | undefined;
  readonly model: string | undefined;
  readonly backends: readonly ExplainedBackend[];
  readonly budgets: readonly BudgetPolicy[];
  readonly limits: RateLimitPolicy | undefined;
}

export interface ExplainedBackend {
  readonly provider: string;
  readonly model: string;
  /** Of the calls that backends of its priority take. */
  readonly sharePercent: number;
  /** It has calls only while those of a lower priority do not serve. */
  readonly isStandIn: boolean;
  readonly priceSource: string | undefined;
}

export function explain(snapshot: WorkloadSnapshot, query: ModelQuery): Explanation {
  const who = `${snapshot.workload.namespace}/${snapshot.workload.name}`;
  const steps = [`${who} asks for ${query.model} at ${query.path}; ${snapshot.rules.length} rules are its own.`];
  const found = resolveModel(snapshot, query);
  if (found.kind !== 'resolved') {
    steps.push(
      found.kind === 'unknown' ? 'No provider here has that model.' : 'No rule of this workload allows it.',
      `It may call: ${found.available.join(', ') || 'nothing'}.`,
    );
    return { outcome: found.kind, steps, rule: undefined, model: undefined, backends: [], budgets: [], limits: undefined };
  }
  const { rule, model } = found;
  if (model.toLowerCase() !== query.model.toLowerCase()) steps.push(`${query.model} is another name of ${model}.`);
  steps.push(`The rule ${rule.id} is the first that matches.`);
  const usable = rule.backends.filter(
    (backend) => backend.weight > 0 && snapshot.providers.get(backend.provider)?.models.has((backend.model ?? model).toLowerCase()) === true,
  );
  const totalOf = (priority: number): number => usable.reduce((sum, backend) => (backend.priority === priority ? sum + backend.weight : sum), 0);
  const first = Math.min(...usable.map(({ priority }) => priority));
  const backends = usable.map((backend) => ({
    provider: backend.provider,
    model: backend.model ?? model,
    sharePercent: (100 * backend.weight) / totalOf(backend.priority),
    isStandIn: backend.priority > first,
    priceSource: snapshot.providers.get(backend.provider)?.models.get((backend.model ?? model).toLowerCase())?.price?.source,
  }));
  for (const { provider, model: served, sharePercent, isStandIn } of backends)
    steps.push(
      `${Math.round(sharePercent * 10) / 10}% of such calls go to ${provider} as ${served}${isStandIn ? ', while those before it do not serve' : ''}.`,
    );
  const budgets = snapshot.budgets.filter((budget) => counts(budget, backends, query));
  for (const budget of budgets) steps.push(`The budget ${budget.id} counts it (${budget.mode}, ${budget.nearLimit} near the limit).`);
  if (budgets.length === 0) steps.push('No budget counts it.');
  return { outcome: 'allowed', steps, rule: rule.id, model, backends, budgets, limits: rule.limits };
}

/** Whether a budget counts the call at some backend that it may go to. */
function counts(budget: BudgetPolicy, backends: Explanation['backends'], query: ModelQuery): boolean {
  const any = (patterns: readonly string[], name: string): boolean =>
    patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, name.toLowerCase()));
  return (
    backends.some(({ provider, model }) => any(budget.providers, provider) && any(budget.models, model)) &&
    budget.headers.every(({ name, value }) => query.headers.get(name) === value)
  );
}
