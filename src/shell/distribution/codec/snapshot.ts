import type { Workload, WorkloadSnapshot } from '../../../core/policy/index.ts';
import { child, list, name, optionalText, texts, withoutAbsent } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';
import { rawBudget, readBudget } from './budgets.ts';
import { rawPairs, readPairs } from './pairs.ts';
import { packedProviders, readProvider } from './providers.ts';
import { rawRule, readRule } from './rules.ts';

const MAX_RESOURCES = 10_000;
const MAX_NAMES = 50_000;

export function rawSnapshot({ version, workload, providers, rules, budgets, aliases, knownModels, hosts }: WorkloadSnapshot): Raw {
  return {
    version,
    workload,
    providers: [...providers.values()].map((provider) => packedProviders.pack(provider)),
    rules: rules.map(rawRule),
    budgets: budgets.map(rawBudget),
    aliases: rawPairs(aliases),
    knownModels: rawPairs(besides(knownModels, modelsOf(providers))),
    hosts,
  };
}

export function readSnapshot(raw: Raw): WorkloadSnapshot {
  const providers = new Map(packedProviders.unpackList(raw, 'providers', MAX_RESOURCES, readProvider).map((provider) => [provider.id, provider]));
  return {
    version: name(raw, 'version'),
    workload: child(raw, 'workload', readWorkload),
    providers,
    rules: list(raw, 'rules', MAX_RESOURCES, readRule),
    budgets: list(raw, 'budgets', MAX_RESOURCES, readBudget),
    aliases: new Map(readPairs(raw, 'aliases', MAX_NAMES)),
    knownModels: new Map([...modelsOf(providers), ...readPairs(raw, 'knownModels', MAX_NAMES)]),
    hosts: texts(raw, 'hosts', MAX_NAMES),
  };
}

/** Whatever a provider serves is known. */
function modelsOf(providers: WorkloadSnapshot['providers']): ReadonlyMap<string, string> {
  return new Map([...providers.values()].flatMap(({ models }) => [...models].map(([key, { name: model }]) => [key, model] as const)));
}

function besides(names: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): [string, string][] {
  return [...names].filter(([key, value]) => others.get(key) !== value);
}

export function readWorkload(raw: Raw): Workload {
  return withoutAbsent<Workload>({ namespace: name(raw, 'namespace'), name: name(raw, 'name'), serviceAccount: optionalText(raw, 'serviceAccount') });
}
