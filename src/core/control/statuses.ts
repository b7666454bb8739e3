import type { AccountView } from '../ledger/index.ts';
import type { AIBudgetStatus, AIProviderStatus, AIRouteStatus, Compiled, Finding } from '../policy/index.ts';
import type { EpochMs } from '../units/index.ts';
import { amountsOf } from './budgetstatus.ts';
import { MAX_MESSAGE, accepted, bounded, programmed, resolved, timeText, withTimes } from './conditions.ts';
import type { KeyBook } from './keybook.ts';
import { keyStatusOf } from './keystatus.ts';
import type { Reach, Straggler } from './reach.ts';
import { labelOf } from './resources.ts';
import type { Observed } from './resources.ts';
import type { SidecarView } from './sidecar.ts';

export type Status = AIRouteStatus | AIProviderStatus | AIBudgetStatus;

/** All that statuses are made of. */
export interface Situation {
  readonly compiled: Compiled;
  /** What is wrong with each resource, by `Kind namespace/name`. */
  readonly findings: ReadonlyMap<string, readonly Finding[]>;
  readonly keys: KeyBook;
  readonly reach: ReadonlyMap<string, Reach>;
  readonly views: readonly SidecarView[];
  /** By budget; `undefined` where no accounts are known here, as the ledger is led elsewhere or not at all. */
  readonly accounts: ReadonlyMap<string, readonly AccountView[]> | undefined;
  readonly at: EpochMs;
}

/** Bounds of the status' schema. */
const MAX_FINDINGS = 16;
const MAX_BEHIND = 10;
const MAX_PATH = 512;

/** What a resource's status is to say now. The same situation and the same former status give the same status. */
export function statusOf(observed: Observed, situation: Situation): Status {
  const { kind, namespace, name } = observed;
  const id = `${namespace}/${name}`;
  const common = commonOf(observed, situation);
  const reach = situation.reach.get(labelOf(observed));
  switch (kind) {
    case 'AIRoute':
      return { ...common, sidecars: sidecarsOf(reach) };
    case 'AIProvider': {
      const provider = situation.compiled.providers.get(id);
      if (provider === undefined) return { ...common, sidecars: sidecarsOf(reach) };
      const key = keyStatusOf(provider, situation.keys.get(id), situation.views, observed.status);
      return { ...common, sidecars: sidecarsOf(reach), models: provider.policy.models.size, key };
    }
    case 'AIBudget': {
      const policy = situation.compiled.budgets.find((budget) => budget.id === id);
      return policy === undefined ? common : { ...common, ...amountsOf(policy, situation.accounts && (situation.accounts.get(id) ?? []), observed.status) };
    }
  }
}

function commonOf(
  observed: Observed,
  { findings, keys, compiled, reach, views, at }: Situation,
): Pick<AIRouteStatus, 'observedGeneration' | 'conditions' | 'findings'> {
  const label = labelOf(observed);
  const { generation, namespace, name } = observed;
  const id = `${namespace}/${name}`;
  const own = findings.get(label) ?? [];
  const lost = observed.kind === 'AIProvider' ? keyFindings(label, id, keys, views) : [];
  const all = [...own, ...lost].toSorted((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
  const isRead = observed.resource !== undefined;
  const isUsable =
    isRead &&
    (observed.kind === 'AIRoute' || (observed.kind === 'AIProvider' ? compiled.providers.has(id) : compiled.budgets.some((budget) => budget.id === id)));
  const verdicts = [accepted(all), resolved(all, isRead), programmed(reach.get(label), isUsable)];
  return {
    observedGeneration: generation,
    conditions: withTimes(verdicts, generation, observed.status, at),
    findings: all
      .slice(0, MAX_FINDINGS)
      .map(({ severity, path, message }) => ({ severity, path: bounded(path, MAX_PATH), message: bounded(message, MAX_MESSAGE) })),
  };
}

/** A provider without its key is not what was declared, whoever is to blame. */
function keyFindings(label: string, id: string, keys: KeyBook, views: readonly SidecarView[]): Finding[] {
  const entry = keys.get(id);
  if (entry?.fault === undefined) return [];
  const { reason, message } = entry.fault;
  const isKept = views.some(({ isConnected, keys: reports }) => isConnected && reports.some(({ ref, used }) => ref === id && used));
  const meanwhile = entry.material !== undefined ? '; the last good key stays in use' : isKept ? '; sidecars that have its last good key keep it' : '';
  return [{ severity: 'error', resource: label, path: 'spec.auth.apiKey.secretRef', message: `${message}${meanwhile}`, reason }];
}

function sidecarsOf({ total, applied, behind }: Reach = { total: 0, applied: 0, behind: [] }): NonNullable<AIRouteStatus['sidecars']> {
  return { total, applied, summary: `${applied}/${total}`, behind: behind.slice(0, MAX_BEHIND).map(stragglerText) };
}

const stragglerText = ({ pod, reason, message, since }: Straggler): NonNullable<AIRouteStatus['sidecars']>['behind'][number] => ({
  pod: bounded(pod, MAX_PATH),
  reason,
  ...(message === undefined ? {} : { message: bounded(message, MAX_MESSAGE) }),
  ...(since === undefined ? {} : { since: timeText(since) }),
});
