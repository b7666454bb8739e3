import { SHIPPED_ALIASES } from '../catalog/index.ts';
import type { ModelInfo } from '../catalog/index.ts';
import { timeZoneError } from '../ledger/index.ts';
import type { Finding } from './findings.ts';
import { fingerprint } from './fingerprint.ts';
import { interceptedBy } from './hosts.ts';
import { compileProvider, resourceId } from './providers.ts';
import type { CompiledProvider, ProviderContext } from './providers.ts';
import { lookUpProvider, meant } from './references.ts';
import type { ProviderDirectory } from './references.ts';
import type { AIBudget, AIProvider, AIRoute, Resource } from './schema.ts';
import { selects, selectsAll, trespasses } from './selection.ts';
import type { Boundaries, KnownWorkload } from './selection.ts';
import type { BudgetPolicy, BudgetSubject, BudgetWindow, MergePolicy, RulePolicy, Workload, WorkloadSnapshot } from './snapshot.ts';

export interface Compiled {
  /** By `namespace/name`; every workload that was given has one. */
  readonly snapshots: ReadonlyMap<string, WorkloadSnapshot>;
  readonly providers: ReadonlyMap<string, CompiledProvider>;
  /** All of them, whether they select a workload that was given or not. */
  readonly rules: readonly RulePolicy[];
  readonly budgets: readonly BudgetPolicy[];
  readonly findings: readonly Finding[];
}

export const workloadId = ({ namespace, name }: Workload): string => `${namespace}/${name}`;

/**
 * Resources → what each workload may do. Pure. Whatever is wrong becomes a finding; an error in one resource leaves the
 * others standing, so whoever applies the result decides whether to.
 */
export function compile(resources: readonly Resource[], workloads: readonly KnownWorkload[], context: ProviderContext): Compiled {
  const findings: Finding[] = [];
  const report = (finding: Finding): void => void findings.push(finding);
  // Whoever reads them may do so in any order, and a snapshot's version must not depend on it.
  const unique = withoutDuplicates(resources, report).toSorted((a, b) => compareText(resourceId(a), resourceId(b)));
  const providers = new Map<string, CompiledProvider>();
  const declared = new Map<string, AIProvider>();
  for (const resource of unique) {
    if (resource.kind !== 'AIProvider') continue;
    declared.set(resourceId(resource), resource);
    const compiled = compileProvider(resource, context, report);
    if (compiled !== undefined) providers.set(compiled.policy.id, compiled);
  }
  const directory = { declared, compiled: providers, boundaries: context.boundaries };
  const routes = unique
    .filter((resource) => resource.kind === 'AIRoute')
    .map((route): CompiledRoute => ({ route, rules: compileRules(route, directory, report) }));
  for (const { route } of routes) selectionFindings(route, workloads, context.boundaries).forEach(report);
  const budgets = unique
    .filter((resource) => resource.kind === 'AIBudget')
    .flatMap((budget) => {
      const policy = compileBudget(budget, directory, report);
      if (policy !== undefined) selectionFindings(budget, workloads, context.boundaries).forEach(report);
      return policy === undefined ? [] : [{ budget, policy }];
    });
  const snapshots = new Map(workloads.map((workload) => [workloadId(workload), snapshotOf(workload, routes, budgets, directory)]));
  return { snapshots, providers, rules: routes.flatMap(({ rules }) => rules), budgets: budgets.map(({ policy }) => policy), findings };
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

interface CompiledRoute {
  readonly route: AIRoute;
  readonly rules: readonly RulePolicy[];
}

interface CompiledBudget {
  readonly budget: AIBudget;
  readonly policy: BudgetPolicy;
}

function snapshotOf(
  known: KnownWorkload,
  routes: readonly CompiledRoute[],
  budgets: readonly CompiledBudget[],
  directory: ProviderDirectory,
): WorkloadSnapshot {
  const { labels: _labels, ...workload } = known;
  const { boundaries } = directory;
  const own = inPrecedence(routes, known, boundaries);
  const rules = own.flatMap((route) => route.rules);
  const used = new Set(rules.flatMap((rule) => rule.backends.map((backend) => backend.provider)));
  // A workload learns of no provider that it may not use, not even by the names of its models.
  const visible = [...directory.compiled].filter(([id]) => used.has(id) || lookUpProvider(id, workload.namespace, directory).found);
  const content = {
    workload,
    providers: new Map(visible.filter(([id]) => used.has(id)).map(([id, { policy }]) => [id, policy])),
    rules,
    budgets: budgets
      .filter(({ budget }) => selects(budget.spec.selector, budget.metadata.namespace, known, boundaries) !== undefined)
      .map(({ policy }) => policy),
    aliases: SHIPPED_ALIASES,
    knownModels: new Map(visible.flatMap(([, { policy }]) => [...policy.models].map(([key, { name }]): [string, string] => [key, name]))),
    hosts: interceptedBy(own.map(({ route }) => route.spec)),
  };
  return { version: fingerprint(content), ...content };
}

/**
 * The routes that select a workload, in the order in which their rules are tried: of its own namespace before those of
 * others; where it is named, before by its labels, before as any; the older first; then by `namespace/name`.
 */
function inPrecedence(routes: readonly CompiledRoute[], workload: KnownWorkload, boundaries: Boundaries | undefined): CompiledRoute[] {
  const ranked = routes.flatMap((compiled) => {
    const { metadata, spec } = compiled.route;
    const closeness = selects(spec, metadata.namespace, workload, boundaries);
    return closeness === undefined
      ? []
      : [{ compiled, foreign: Number(metadata.namespace !== workload.namespace), closeness, created: metadata.creationTimestamp ?? '' }];
  });
  // `routes` are in the order of their names already, and sorting keeps what is equal in its order.
  return ranked.toSorted((a, b) => a.foreign - b.foreign || a.closeness - b.closeness || compareText(a.created, b.created)).map(({ compiled }) => compiled);
}

/** What is wrong with whom a resource selects: a slip of the pen, or a workload that is yet to come, is no error; what may not be selected is. */
function selectionFindings(resource: AIRoute | AIBudget, workloads: readonly KnownWorkload[], boundaries: Boundaries | undefined): Finding[] {
  const { kind, metadata } = resource;
  const [selection, at, consequence] =
    kind === 'AIRoute'
      ? ([resource.spec, 'spec', 'so its rules are for nobody'] as const)
      : ([resource.spec.selector, 'spec.selector', 'so the budget counts nothing'] as const);
  const label = `${kind} ${resourceId(resource)}`;
  const beyond = trespasses(selection, metadata.namespace, boundaries).map(({ path, message }): Finding => ({
    severity: 'error',
    resource: label,
    path: `${at}.${path}`,
    message,
    reason: 'RefNotPermitted',
  }));
  if (selectsAll(selection) || workloads.some((workload) => selects(selection, metadata.namespace, workload, boundaries) !== undefined)) return beyond;
  const path = (selection.workloads ?? []).length > 0 ? `${at}.workloads` : at;
  return [...beyond, { severity: 'warning', resource: label, path, message: `selects no workload that is known here, ${consequence}` }];
}

function compileRules(route: AIRoute, directory: ProviderDirectory, report: (finding: Finding) => void): RulePolicy[] {
  const resource = `AIRoute ${resourceId(route)}`;
  const names = new Set<string>();
  return route.spec.rules.flatMap((rule, index): RulePolicy[] => {
    const at = `spec.rules[${index}]`;
    const fault = (path: string, message: string, reason?: Finding['reason']): void =>
      report({ severity: 'error', resource, path: `${at}.${path}`, message, ...(reason === undefined ? {} : { reason }) });
    if (rule.name !== undefined && names.has(rule.name)) fault('name', `${rule.name} names another rule already`);
    if (rule.name !== undefined) names.add(rule.name);
    const backends = rule.backends.map(({ provider, model, weight, priority }) => ({
      reference: lookUpProvider(provider, route.metadata.namespace, directory),
      model,
      weight,
      priority,
    }));
    backends.forEach(({ reference, model }, position) => {
      if (!reference.found) return fault(`backends[${position}].provider`, reference.message, reference.reason);
      const { models } = reference.provider.policy;
      if (model !== undefined && !models.has(model.toLowerCase()))
        fault(`backends[${position}].model`, `${reference.id} does not serve ${model}${meant(model, modelNames(models))}`);
    });
    if (backends.every(({ weight }) => weight === 0)) fault('backends', 'have no weight at all, so none would be called');
    const { transform } = rule;
    return [
      {
        id: `${resourceId(route)}#${rule.name ?? index}`,
        match: { models: rule.match.models, paths: rule.match.paths, headers: rule.match.headers },
        backends: backends.filter(({ reference }) => reference.found).map(({ reference, ...backend }) => ({ provider: reference.id, ...backend })),
        failover: {
          consecutiveFailures: rule.failover.consecutiveFailures,
          ejectionTimeMs: rule.failover.ejectionTime,
          maxEjectionTimeMs: Math.max(rule.failover.ejectionTime, rule.failover.maxEjectionTime),
        },
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
        cache: rule.cache === undefined ? undefined : { ttlMs: rule.cache.ttl, coalesce: rule.cache.coalesce },
        mergeEmbeddings: mergeOf(rule.mergeEmbeddings),
      },
    ];
  });
}

function mergeOf(merge: AIRoute['spec']['rules'][number]['mergeEmbeddings']): MergePolicy | undefined {
  return merge === undefined ? undefined : { maxDelayMs: merge.maxDelay, maxInputs: merge.maxInputs, maxBytes: merge.maxBytes };
}

const modelNames = (models: ReadonlyMap<string, ModelInfo>): string[] => [...models.values()].map(({ name }) => name);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function compileBudget(budget: AIBudget, directory: ProviderDirectory, report: (finding: Finding) => void): BudgetPolicy | undefined {
  const { spec } = budget;
  const id = resourceId(budget);
  const resource = `AIBudget ${id}`;
  const zone = timeZoneError(spec.window.timeZone);
  if (zone !== undefined) {
    report({ severity: 'error', resource, path: 'spec.window.timeZone', message: zone });
    return undefined;
  }
  const providers = spec.selector.providers.map((reference) => lookUpProvider(reference, budget.metadata.namespace, directory));
  providers.forEach((reference, index) => {
    // One with errors of its own is meant all the same.
    if (!reference.found && reference.reason !== 'RefInvalid')
      report({ severity: 'error', resource, path: `spec.selector.providers[${index}]`, message: reference.message, reason: reference.reason });
  });
  const { limit } = spec;
  const unit = limit.usd !== undefined ? 'usd' : limit.tokens !== undefined ? 'tokens' : 'requests';
  return {
    id,
    unit,
    limit: limit.usd ?? BigInt(limit.tokens ?? limit.requests ?? 0),
    window: windowOf(spec.window),
    mode: spec.mode,
    nearLimit: spec.nearLimit,
    floorOutputTokens: spec.floorOutputTokens,
    waitMs: spec.waitTimeout,
    alerts: [...new Set(spec.alerts)].toSorted((a, b) => a - b),
    per: spec.per.map(subjectOf),
    models: spec.selector.models,
    providers: providers.map((reference) => reference.id),
    headers: spec.selector.headers,
  };
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
