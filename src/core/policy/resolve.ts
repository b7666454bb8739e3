import { matchesPattern } from './pattern.ts';
import type { BackendPolicy, RulePolicy, WorkloadSnapshot } from './snapshot.ts';

/** What of a call decides its rule. */
export interface ModelQuery {
  readonly model: string;
  /** Below the API's root. */
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
}

export type ModelResolution =
  | { readonly kind: 'resolved'; readonly rule: RulePolicy; /** Catalogue name. */ readonly model: string }
  /** No provider here has it. */
  | { readonly kind: 'unknown'; readonly available: readonly string[] }
  /** Others may call it, or this workload at other paths. */
  | { readonly kind: 'not_allowed'; readonly available: readonly string[] };

/** How many names a refusal lists. */
const MAX_LISTED = 50;

/** Name (or alias) → the first rule that matches and has a backend for it. */
export function resolveModel(snapshot: WorkloadSnapshot, query: ModelQuery): ModelResolution {
  const lower = query.model.toLowerCase();
  const known = snapshot.knownModels.get(lower) ?? snapshot.knownModels.get(snapshot.aliases.get(lower) ?? '');
  const model = known ?? query.model;
  for (const rule of snapshot.rules) {
    if (matchesRule(rule, lower, model, query) && serves(rule, snapshot, model)) return { kind: 'resolved', rule, model };
  }
  const available = callableModels(snapshot)
    .map(({ id }) => id)
    .slice(0, MAX_LISTED);
  return { kind: known === undefined ? 'unknown' : 'not_allowed', available };
}

/** A rule may name the model as the caller did, or as the catalogue does. */
function matchesRule(rule: RulePolicy, asked: string, model: string, query: ModelQuery): boolean {
  const { models, paths, headers } = rule.match;
  if (models.length > 0 && !models.some((pattern) => matchesPattern(pattern, asked) || matchesPattern(pattern, model.toLowerCase()))) return false;
  if (paths.length > 0 && !paths.includes(query.path)) return false;
  return headers.every(({ name, value }) => query.headers.get(name) === value);
}

/** Whether each backend that takes calls has the model, or names one of its own. */
function serves(rule: RulePolicy, snapshot: WorkloadSnapshot, model: string): boolean {
  return backendsFor(rule, snapshot, model).length > 0;
}

function backendsFor(rule: RulePolicy, snapshot: WorkloadSnapshot, model: string): BackendPolicy[] {
  return rule.backends.filter(
    (backend) => backend.weight > 0 && snapshot.providers.get(backend.provider)?.models.has((backend.model ?? model).toLowerCase()) === true,
  );
}

/**
 * The backend of one call: among those that have the model, of the lowest priority that has any in use, by weight; the
 * same for the same value of the sticky header. Where all are out of use, as if none were. `preferred`: the provider that
 * is taken if it is among them. `undefined`: none has it.
 */
export function pickBackend(
  rule: RulePolicy,
  snapshot: WorkloadSnapshot,
  model: string,
  random: () => number,
  headers: ReadonlyMap<string, string>,
  preferred?: string,
  isOut: (backend: BackendPolicy) => boolean = () => false,
): BackendPolicy | undefined {
  const able = backendsFor(rule, snapshot, model);
  const asPreferred = preferred === undefined ? undefined : able.find(({ provider }) => provider === preferred);
  if (asPreferred !== undefined || able.length <= 1) return asPreferred ?? able[0];
  const inUse = able.filter((backend) => !isOut(backend));
  const backends = firstTier(inUse.length > 0 ? inUse : able);
  const value = rule.sticky === undefined ? undefined : headers.get(rule.sticky.header);
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  let point = (value === undefined ? random() : hashToUnit(value)) * total;
  for (const backend of backends) {
    point -= backend.weight;
    if (point < 0) return backend;
  }
  return backends.at(-1);
}

function firstTier(backends: readonly BackendPolicy[]): BackendPolicy[] {
  const first = Math.min(...backends.map(({ priority }) => priority));
  return backends.filter(({ priority }) => priority === first);
}

/** A text's place in [0, 1): FNV-1a with a final mix, so that similar texts lie far apart. */
function hashToUnit(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** The models that some rule lets this workload call, by the names that it may use, with who serves them. */
export function callableModels(snapshot: WorkloadSnapshot): { readonly id: string; readonly ownedBy: string }[] {
  const found = new Map<string, string>();
  for (const rule of snapshot.rules) {
    for (const backend of rule.backends) {
      const provider = snapshot.providers.get(backend.provider);
      if (provider === undefined || backend.weight === 0) continue;
      for (const name of namesThrough(rule, backend, snapshot)) if (!found.has(name)) found.set(name, provider.id);
    }
  }
  return [...found].map(([id, ownedBy]) => ({ id, ownedBy })).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** A backend with a model of its own answers for the names that its rule lists; any other for those of its models that match. */
function namesThrough(rule: RulePolicy, backend: BackendPolicy, snapshot: WorkloadSnapshot): string[] {
  const { models } = rule.match;
  if (backend.model !== undefined) {
    const exact = models.filter((pattern) => !pattern.includes('*'));
    return exact.length > 0 ? exact.map((name) => snapshot.knownModels.get(name) ?? name) : [backend.model];
  }
  const served = [...(snapshot.providers.get(backend.provider)?.models.values() ?? [])].map(({ name }) => name);
  return models.length === 0
    ? served
    : served.filter((name) => models.some((pattern) => matchesPattern(pattern, name.toLowerCase()) || snapshot.aliases.get(pattern) === name));
}
