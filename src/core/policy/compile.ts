import { SHIPPED_ALIASES } from '../catalog/index.ts';
import type { ModelInfo } from '../catalog/index.ts';
import { timeZoneError } from '../ledger/index.ts';
import { nearest } from './findings.ts';
import type { Finding } from './findings.ts';
import { fingerprint } from './fingerprint.ts';
import { compileProvider, resourceId } from './providers.ts';
import type { CompiledProvider, ProviderContext } from './providers.ts';
import type { AIBudget, AIRoute, Resource } from './schema.ts';
import type { BudgetPolicy, BudgetSubject, BudgetWindow, ProviderPolicy, RulePolicy, Workload, WorkloadSnapshot } from './snapshot.ts';

export interface Compiled {
  /** By `namespace/name`; every workload that was given has one. */
  readonly snapshots: ReadonlyMap<string, WorkloadSnapshot>;
  readonly providers: ReadonlyMap<string, CompiledProvider>;
  readonly findings: readonly Finding[];
}

export const workloadId = ({ namespace, name }: Workload): string => `${namespace}/${name}`;

/**
 * Resources → what each workload may do. Pure. Whatever is wrong becomes a finding; an error in one resource leaves the
 * others standing, so whoever applies the result decides whether to.
 */
export function compile(resources: readonly Resource[], workloads: readonly Workload[], context: ProviderContext): Compiled {
  const findings: Finding[] = [];
  const report = (finding: Finding): void => void findings.push(finding);
  // Whoever reads them may do so in any order, and a snapshot's version must not depend on it.
  const unique = withoutDuplicates(resources, report).toSorted((a, b) => compareText(resourceId(a), resourceId(b)));
  const providers = new Map<string, CompiledProvider>();
  for (const resource of unique) {
    if (resource.kind !== 'AIProvider') continue;
    const compiled = compileProvider(resource, context, report);
    if (compiled !== undefined) providers.set(compiled.policy.id, compiled);
  }
  const declared = new Set(unique.filter((resource) => resource.kind === 'AIProvider').map(resourceId));
  const routes = unique.filter((resource) => resource.kind === 'AIRoute');
  const rules = new Map(routes.map((route) => [route, compileRules(route, providers, declared, report)]));
  for (const route of routes) if (!workloads.some((workload) => selectsAny(route.spec.workloads, workload, route.metadata.namespace))) report(selectsNobody(`AIRoute ${resourceId(route)}`, 'spec.workloads', 'so its rules are for nobody'));
  const budgets = unique.filter((resource) => resource.kind === 'AIBudget').flatMap((budget) => compileBudget(budget, workloads, declared, report));
  const policies = new Map([...providers].map(([id, { policy }]) => [id, policy]));
  const snapshots = new Map(workloads.map((workload) => [workloadId(workload), snapshotOf(workload, routes, rules, budgets, policies)]));
  return { snapshots, providers, findings };
}

function withoutDuplicates(resources: readonly Resource[], report: (finding: Finding) => void): Resource[] {
  const seen = new Set<string>();
  return resources.filter((resource) => {
    const label = `${resource.kind} ${resourceId(resource)}`;
    if (!seen.has(label)) return seen.add(label);
    report({ severity: 'error', resource: label, path: 'metadata.name', message: 'is declared twice; the first one counts' });
    return false;
  });
}

function snapshotOf(
  workload: Workload,
  routes: readonly AIRoute[],
  compiled: ReadonlyMap<AIRoute, readonly RulePolicy[]>,
  budgets: readonly { readonly policy: BudgetPolicy; readonly workloads: readonly string[] }[],
  policies: ReadonlyMap<string, ProviderPolicy>,
): WorkloadSnapshot {
  const rules = routes.filter((route) => selectsAny(route.spec.workloads, workload, route.metadata.namespace)).flatMap((route) => compiled.get(route) ?? []);
  const used = new Set(rules.flatMap((rule) => rule.backends.map((backend) => backend.provider)));
  const content = {
    workload,
    providers: new Map([...policies].filter(([id]) => used.has(id))),
    rules,
    budgets: budgets.filter((budget) => budget.workloads.length === 0 || selectsAny(budget.workloads, workload, namespaceOf(budget.policy.id))).map(({ policy }) => policy),
    aliases: SHIPPED_ALIASES,
    knownModels: new Map([...policies.values()].flatMap(({ models }) => [...models].map(([key, { name }]): [string, string] => [key, name]))),
  };
  return { version: fingerprint(content), ...content };
}

/** `*`, a name in the resource's own namespace, or `namespace/name`. */
function selects(selector: string, workload: Workload, namespace: string): boolean {
  return selector === '*' || selector === workloadId(workload) || (selector === workload.name && workload.namespace === namespace);
}

const selectsAny = (selectors: readonly string[], workload: Workload, namespace: string): boolean => selectors.some((selector) => selects(selector, workload, namespace));

/** A slip of the pen, or a workload that is yet to come: not an error. */
const selectsNobody = (resource: string, path: string, consequence: string): Finding => ({ severity: 'warning', resource, path, message: `selects no workload that is known here, ${consequence}` });

const namespaceOf = (id: string): string => id.split('/', 1)[0] ?? '';

function qualified(reference: string, namespace: string): string {
  return reference.includes('/') ? reference : `${namespace}/${reference}`;
}

function compileRules(route: AIRoute, providers: ReadonlyMap<string, CompiledProvider>, declared: ReadonlySet<string>, report: (finding: Finding) => void): RulePolicy[] {
  const resource = `AIRoute ${resourceId(route)}`;
  const names = new Set<string>();
  return route.spec.rules.flatMap((rule, index): RulePolicy[] => {
    const at = `spec.rules[${index}]`;
    const fault = (path: string, message: string): void => report({ severity: 'error', resource, path: `${at}.${path}`, message });
    if (rule.name !== undefined && names.has(rule.name)) fault('name', `${rule.name} names another rule already`);
    if (rule.name !== undefined) names.add(rule.name);
    const backends = rule.backends.map((backend) => ({ provider: qualified(backend.provider, route.metadata.namespace), model: backend.model, weight: backend.weight }));
    backends.forEach((backend, position) => {
      const provider = providers.get(backend.provider);
      if (provider === undefined) return fault(`backends[${position}].provider`, missingProvider(backend.provider, declared));
      if (backend.model !== undefined && !provider.policy.models.has(backend.model.toLowerCase())) {
        fault(`backends[${position}].model`, `${provider.policy.id} does not serve ${backend.model}${meant(backend.model, modelNames(provider.policy.models))}`);
      }
    });
    if (backends.every(({ weight }) => weight === 0)) fault('backends', 'have no weight at all, so none would be called');
    const { transform } = rule;
    return [
      {
        id: `${resourceId(route)}#${rule.name ?? index}`,
        match: { models: rule.match.models, paths: rule.match.paths, headers: rule.match.headers },
        backends: backends.filter(({ provider }) => providers.has(provider)),
        sticky: rule.sticky,
        transform: {
          systemPrompt: transform.systemPrompt,
          defaultMaxOutputTokens: transform.defaultMaxOutputTokens,
          maxOutputTokens: transform.maxOutputTokens,
          headers: {
            set: transform.headers.set.map(({ name, value }) => [name, value] as const),
            add: transform.headers.add.map(({ name, value }) => [name, value] as const),
            remove: transform.headers.remove,
          },
          body: transform.body,
        },
        limits: rule.limits === undefined ? undefined : { requestsPerMinute: rule.limits.requestsPerMinute, tokensPerMinute: rule.limits.tokensPerMinute },
      },
    ];
  });
}

function missingProvider(id: string, declared: ReadonlySet<string>): string {
  return declared.has(id) ? `the AIProvider ${id} has errors of its own` : `there is no AIProvider ${id}${meant(id, [...declared])}`;
}

const meant = (word: string, candidates: readonly string[]): string => {
  const guess = nearest(word, candidates);
  return guess === undefined ? '' : `; did you mean ${guess}?`;
};

const modelNames = (models: ReadonlyMap<string, ModelInfo>): string[] => [...models.values()].map(({ name }) => name);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function compileBudget(budget: AIBudget, workloads: readonly Workload[], declared: ReadonlySet<string>, report: (finding: Finding) => void): { policy: BudgetPolicy; workloads: readonly string[] }[] {
  const { spec } = budget;
  const id = resourceId(budget);
  const fault = (path: string, message: string): void => report({ severity: 'error', resource: `AIBudget ${id}`, path, message });
  const zone = timeZoneError(spec.window.timeZone);
  if (zone !== undefined) {
    fault('spec.window.timeZone', zone);
    return [];
  }
  const providers = spec.selector.providers.map((reference) => qualified(reference, budget.metadata.namespace));
  providers.forEach((provider, index) => {
    if (!declared.has(provider)) fault(`spec.selector.providers[${index}]`, missingProvider(provider, declared));
  });
  const selected = spec.selector.workloads;
  if (selected.length > 0 && !workloads.some((workload) => selectsAny(selected, workload, budget.metadata.namespace))) {
    report(selectsNobody(`AIBudget ${id}`, 'spec.selector.workloads', 'so the budget counts nothing'));
  }
  const { limit } = spec;
  const unit = limit.usd !== undefined ? 'usd' : limit.tokens !== undefined ? 'tokens' : 'requests';
  const policy: BudgetPolicy = {
    id,
    unit,
    limit: limit.usd ?? BigInt(limit.tokens ?? limit.requests ?? 0),
    window: windowOf(spec.window),
    mode: spec.mode,
    nearLimit: spec.nearLimit,
    floorOutputTokens: spec.floorOutputTokens,
    waitMs: spec.waitTimeout,
    per: spec.per.map(subjectOf),
    models: spec.selector.models,
    providers,
    headers: spec.selector.headers,
  };
  return [{ policy, workloads: selected }];
}

const CALENDAR_UNIT = { Minute: 'minute', Hour: 'hour', Day: 'day', Week: 'week', Month: 'month' } as const;

function windowOf(window: AIBudget['spec']['window']): BudgetWindow {
  if (window.calendar !== undefined) return { kind: 'calendar', unit: CALENDAR_UNIT[window.calendar], timeZone: window.timeZone };
  return window.rolling === undefined ? { kind: 'lifetime' } : { kind: 'rolling', durationMs: window.rolling };
}

const SUBJECT = {
  Workload: { kind: 'workload' },
  Namespace: { kind: 'namespace' },
  ServiceAccount: { kind: 'serviceAccount' },
  Model: { kind: 'model' },
  Provider: { kind: 'provider' },
} as const;

function subjectOf(part: AIBudget['spec']['per'][number]): BudgetSubject {
  return typeof part === 'string' ? SUBJECT[part] : { kind: 'header', name: part.header };
}
