import { requestRateId, tokenRateId } from '../units/index.ts';
import type { AccountRef } from '../ledger/index.ts';
import { matchesPattern } from '../policy/index.ts';
import type { BudgetPolicy, BudgetSubject, RulePolicy, Workload, WorkloadSnapshot } from '../policy/index.ts';

/** What of a call decides in which accounts it counts. */
export interface Chargeable {
  readonly workload: Workload;
  readonly rule: RulePolicy;
  /** Catalogue name. */
  readonly model: string;
  /** `namespace/name` of the AIProvider. */
  readonly provider: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** A header value names an account, so it is bounded: longer ones share an account with others of the same beginning. */
const MAX_SUBJECT_LENGTH = 128;

/** A caller without the header that a budget keeps accounts by. Angle brackets, so that no header value is confused with it. */
const NO_HEADER = '<none>';

/** The budgets that count this call. */
export function budgetsOf(snapshot: WorkloadSnapshot, call: Chargeable): BudgetPolicy[] {
  return snapshot.budgets.filter(
    (budget) =>
      matchesAny(budget.models, call.model) &&
      matchesAny(budget.providers, call.provider) &&
      budget.headers.every(({ name, value }) => call.headers.get(name) === value),
  );
}

/** Every account in which the call is held and posted: its budgets', and its rule's rate limits for this workload. */
export function accountsOf(budgets: readonly BudgetPolicy[], call: Chargeable): AccountRef[] {
  const accounts = budgets.map((budget) => ({ limit: budget.id, subject: budget.per.map((part) => subjectOf(part, call)).join('|') }));
  const subject = `${call.workload.namespace}/${call.workload.name}`;
  if (call.rule.limits?.requestsPerMinute !== undefined) accounts.push({ limit: requestRateId(call.rule.id), subject });
  if (call.rule.limits?.tokensPerMinute !== undefined) accounts.push({ limit: tokenRateId(call.rule.id), subject });
  return accounts;
}

/** Which limits count dollars and refuse by them. */
export function usdLimits({ budgets }: WorkloadSnapshot): (limit: string) => boolean {
  return (limit) => budgets.some((budget) => budget.id === limit && budget.unit === 'usd' && budget.mode !== 'Observe');
}

/** Whether calls of this workload can count in the account of that subject, of a budget with one for each combination of `per`. */
export function canCountIn(per: readonly BudgetSubject[], subject: string, workload: Workload): boolean {
  // Names in a cluster hold no `*`.
  return matchesPattern(per.map((part) => (OF_WORKLOAD.has(part.kind) ? workloadSubject(part, workload) : '*')).join('|'), subject);
}

/** Kinds of which a workload has one subject, whatever it calls. */
const OF_WORKLOAD: ReadonlySet<BudgetSubject['kind']> = new Set(['workload', 'namespace', 'serviceAccount']);

function workloadSubject({ kind }: BudgetSubject, { namespace, name, serviceAccount = 'default' }: Workload): string {
  if (kind === 'namespace') return namespace;
  return `${namespace}/${kind === 'workload' ? name : serviceAccount}`;
}

function subjectOf(part: BudgetSubject, call: Chargeable): string {
  switch (part.kind) {
    case 'workload':
    case 'namespace':
    case 'serviceAccount':
      return workloadSubject(part, call.workload);
    case 'model':
      return call.model;
    case 'provider':
      return call.provider;
    case 'header':
      return escapeSubject(call.headers.get(part.name));
  }
}

/** `|` separates the parts of a subject, so a caller's value must not hold one. */
function escapeSubject(value: string | undefined): string {
  return value === undefined ? NO_HEADER : value.slice(0, MAX_SUBJECT_LENGTH).replaceAll('%', '%25').replaceAll('|', '%7C').replaceAll('<', '%3C');
}

function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, name.toLowerCase()));
}
