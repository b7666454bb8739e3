import { formatNanoUsd } from '../../core/units/index.ts';
import { SHIPPED_MODELS } from '../../core/catalog/index.ts';
import { callableModels } from '../../core/policy/index.ts';
import type { BudgetPolicy, ProviderPolicy } from '../../core/policy/index.ts';
import type { KeyHealth } from '../../shell/keys/index.ts';
import type { Address, RunOptions } from '../ports.ts';
import type { StartSummary } from '../views/banner.ts';
import type { Policies } from './feed.ts';
import { QUICKSTART } from './policies.ts';
import type { PolicySource } from './policies.ts';

export interface SummaryFacts {
  readonly options: RunOptions;
  readonly policies: Policies;
  readonly source: PolicySource;
  readonly keys: readonly KeyHealth[];
  readonly envoyVersion: string;
  readonly admin: Address;
}

export function summaryOf({ options, policies, source, keys, envoyVersion, admin }: SummaryFacts): StartSummary {
  const budgets = new Map([...policies.snapshots.values()].flatMap((snapshot) => snapshot.budgets.map((budget) => [budget.id, budgetLine(budget)])));
  return {
    envoyVersion,
    listen: options.listen,
    admin,
    workloads: options.workloads,
    source: sourceText(source),
    providers: [...policies.providers.values()].map(({ policy }) => ({
      name: policy.id,
      url: urlText(policy),
      simulated: policy.type === 'Simulated',
      problem: keys.find(({ ref, usable }) => ref === policy.id && !usable)?.reason,
    })),
    budgets: [...budgets.values()],
    model: modelToTry(policies),
  };
}

/** The first that this project names of those that may be called, else any. */
function modelToTry({ snapshots }: Policies): string {
  const [snapshot] = snapshots.values();
  const callable = snapshot === undefined ? [] : callableModels(snapshot).map(({ id }) => id);
  const known = SHIPPED_MODELS.find(({ name }) => callable.includes(name));
  return known?.name ?? callable[0] ?? 'gpt-4.1';
}

function sourceText(source: PolicySource): string {
  if (source.kind === 'environment') return 'the environment';
  return source.paths[0] === QUICKSTART ? 'examples/quickstart' : source.paths.join(', ');
}

function urlText({ baseUrl: { tls, host, port, basePath } }: ProviderPolicy): string {
  return `${tls ? 'https' : 'http'}://${host}${port === (tls ? 443 : 80) ? '' : `:${port}`}${basePath}`;
}

function budgetLine({ id, unit, limit, window, mode, per }: BudgetPolicy): string {
  const amount = unit === 'usd' ? `$${formatNanoUsd(limit)}` : `${limit} ${unit}`;
  const period = window.kind === 'calendar' ? `a ${window.unit}` : window.kind === 'rolling' ? `in any ${window.durationMs / 3_600_000} h` : 'ever';
  const each = per.length === 0 ? '' : ` for each ${per.map(({ kind }) => kind).join(' and ')}`;
  return `${id}: ${amount} ${period}${each} (${mode})`;
}
