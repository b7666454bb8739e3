import { fingerprint } from '../policy/index.ts';
import type { KeyRef, WorkloadSnapshot } from '../policy/index.ts';
import type { KeyBook } from './keybook.ts';
import type { Interception, KeyMaterial, SidecarState } from './state.ts';

/** What one workload's sidecars are given: its snapshot, the keys of the providers in it and no other, and whose calls are taken in. */
export function stateOf(snapshot: WorkloadSnapshot, book: KeyBook, interception: Interception | undefined): SidecarState {
  const keys = new Map<KeyRef, KeyMaterial>();
  const sources = new Map<KeyRef, string>();
  const revisions: (readonly string[])[] = [];
  for (const { key } of snapshot.providers.values()) {
    const entry = key === undefined ? undefined : book.get(key);
    if (key === undefined || entry === undefined) continue;
    const source = fingerprint(entry.source);
    sources.set(key, source);
    // Without a key the source decides which one a sidecar may go on with.
    revisions.push(entry.material === undefined ? [key, '', source] : [key, entry.revision ?? '']);
    if (entry.material !== undefined) keys.set(key, entry.material);
  }
  return {
    version: versionOf([snapshot.version, revisions], interception),
    snapshot,
    keys,
    ...(sources.size === 0 ? {} : { keySources: sources }),
    ...(interception === undefined ? {} : { interception }),
  };
}

/**
 * A state with the keys that it lacks, as the one that it takes the place of has them, where they are declared to come from the
 * same place: a controller that has not seen a Secret, or not since it began, takes no key away.
 */
export function withFormerKeys(next: SidecarState, present: Pick<SidecarState, 'keys' | 'keySources'> | undefined): SidecarState {
  if (present === undefined) return next;
  const former = [...(next.keySources ?? [])].flatMap(([ref, source]): (readonly [KeyRef, KeyMaterial])[] => {
    const material = next.keys.has(ref) || present.keySources?.get(ref) !== source ? undefined : present.keys.get(ref);
    return material === undefined ? [] : [[ref, material]];
  });
  return former.length === 0 ? next : { ...next, keys: new Map([...next.keys, ...former]) };
}

/**
 * Two parts: what was declared, which all controllers agree upon; and behind a dot, the certificates, as each controller issues
 * its own. A certificate tells which key it is, so the keys of leaves have no part in it.
 */
function versionOf(declared: unknown, interception: Interception | undefined): string {
  if (interception === undefined) return fingerprint(declared);
  const { hosts, roots, ...settings } = interception;
  const places = hosts.map(({ leaf, ...host }) => ({ ...host, takesLeaf: leaf !== undefined }));
  return `${fingerprint([declared, settings, places])}.${fingerprint([roots, hosts.map(({ leaf }) => leaf?.certificate)])}`;
}

/**
 * Makes of a state the same, with the authorities by which sidecars are to know controllers from now on, PEM: newer ones come to
 * them long before a certificate of theirs is shown. `undefined`: not known yet, so they keep what they have.
 */
export function rootedBy(controllerRoots: string | undefined): (state: SidecarState) => SidecarState {
  if (controllerRoots === undefined) return (state) => state;
  const mark = fingerprint(controllerRoots);
  return (state) => ({ ...state, version: `${state.version}.${mark}`, controllerRoots });
}

/** All of them so. */
export function withControllerRoots(states: ReadonlyMap<string, SidecarState>, controllerRoots: string | undefined): ReadonlyMap<string, SidecarState> {
  if (controllerRoots === undefined) return states;
  const rooted = rootedBy(controllerRoots);
  return new Map([...states].map(([workload, state]) => [workload, rooted(state)]));
}

/** The part of a version that all controllers agree upon. */
export const declaredVersion = (version: string): string => version.split('.', 1)[0] ?? version;

/**
 * Of each resource that a state has something of, what: a fingerprint. A sidecar that applies a state with the same part
 * applies that resource as it is now, whatever else has changed since. By `Kind namespace/name`.
 */
export function partsOf({ snapshot }: SidecarState, book: KeyBook): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  const rules = Map.groupBy(snapshot.rules, ({ id }) => id.slice(0, id.indexOf('#')));
  for (const [route, own] of rules) parts.set(`AIRoute ${route}`, fingerprint(own));
  for (const [id, policy] of snapshot.providers) parts.set(`AIProvider ${id}`, fingerprint([policy, book.get(id)?.revision]));
  for (const policy of snapshot.budgets) parts.set(`AIBudget ${policy.id}`, fingerprint(policy));
  return parts;
}
