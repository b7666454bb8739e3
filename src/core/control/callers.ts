import { fingerprint, workloadId } from '../policy/index.ts';
import type { Compiled, KnownWorkload, Labels, Workload } from '../policy/index.ts';
import type { KeyBook } from './keybook.ts';
import { GATEWAY_LABEL } from './names.ts';
import type { SidecarState } from './state.ts';
import { stateOf } from './states.ts';

/** Stands for all who call by a gateway; no workload's name. */
export const EVERYONE: Workload = { namespace: '*', name: '*' };

/** What a gateway is given: of the workloads that call by it, and of namespaces alone that allow that. */
export interface GatewayPlan {
  /** Those that allow it. */
  readonly namespaces: ReadonlySet<string>;
  /** All that calls of theirs can meet, without a key: so that nothing of Envoy's has to change when somebody calls for the first time. */
  readonly common: SidecarState;
  /** By workload. Nobody's calls are taken in at a gateway, so no certificate for that is in them. */
  readonly states: ReadonlyMap<string, SidecarState>;
}

/** Namespaces whose workloads may call by a gateway, which then holds their policies and keys: their owners say so by a label. */
export function consenting(namespaces: ReadonlyMap<string, Labels>): ReadonlySet<string> {
  return new Set([...namespaces].filter(([, labels]) => Object.hasOwn(labels, GATEWAY_LABEL) && labels[GATEWAY_LABEL] === 'enabled').map(([name]) => name));
}

/** Those that call by gateways and may, besides those that are known already, whose pods say more of them; all in the order of their names. */
export function withCallers(known: readonly KnownWorkload[], callers: readonly KnownWorkload[], namespaces: ReadonlySet<string>): KnownWorkload[] {
  const all = new Map(callers.filter(({ namespace }) => namespaces.has(namespace)).map((caller) => [workloadId(caller), caller]));
  for (const workload of known) all.set(workloadId(workload), workload);
  return [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, workload]) => workload);
}

export function gatewayPlan(callers: readonly KnownWorkload[], { compiled, consenting: namespaces, rootNamespace }: GatewayGround, keys: KeyBook): GatewayPlan {
  const allowed = callers.filter(({ namespace }) => namespaces.has(namespace)).map(workloadId);
  const states = new Map<string, SidecarState>();
  for (const workload of allowed) {
    const snapshot = compiled.snapshots.get(workload);
    if (snapshot !== undefined) states.set(workload, stateOf(snapshot, keys, undefined));
  }
  return { namespaces, common: commonState(compiled, new Set([...namespaces, rootNamespace])), states };
}

/** What a gateway's plan is made from. */
export interface GatewayGround {
  readonly compiled: Compiled;
  readonly consenting: ReadonlySet<string>;
  readonly rootNamespace: string;
}

function commonState({ providers, rules, budgets }: Compiled, namespaces: ReadonlySet<string>): SidecarState {
  const isOne = ({ id }: { readonly id: string }): boolean => namespaces.has(id.slice(0, id.indexOf('/')));
  const own = rules.filter(isOne);
  const called = new Set(own.flatMap(({ backends }) => backends.map(({ provider }) => provider)));
  const contents = {
    providers: new Map([...providers].flatMap(([id, { policy }]) => (called.has(id) ? [[id, policy] as const] : []))),
    rules: own,
    budgets: budgets.filter(isOne),
  };
  const version = fingerprint([[...contents.providers], contents.rules, contents.budgets]);
  return {
    version,
    snapshot: { version, workload: EVERYONE, ...contents, hosts: [], aliases: new Map(), knownModels: new Map() },
    keys: new Map(),
  };
}
