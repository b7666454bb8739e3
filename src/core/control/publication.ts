import type { KeyBook } from './keybook.ts';
import { declaredVersion, partsOf } from './states.ts';
import type { SidecarState } from './state.ts';

/** What was published for one workload under one version, as far as it was declared. */
export interface Edition {
  readonly version: string;
  readonly parts: ReadonlyMap<string, string>;
}

/** By workload, the newest first. */
export type Editions = ReadonlyMap<string, readonly Edition[]>;

/** A sidecar that is further behind counts as having nothing. */
const MAX_KEPT = 8;

/** The next record of what was published. What did not change keeps its editions, and costs nothing. */
export function publish(before: Editions, states: ReadonlyMap<string, SidecarState>, book: KeyBook): Editions {
  const editions = new Map<string, readonly Edition[]>();
  for (const [workload, state] of states) {
    const former = before.get(workload) ?? [];
    const version = declaredVersion(state.version);
    const older = former.filter((edition) => edition.version !== version);
    const isNewest = former[0]?.version === version;
    editions.set(workload, isNewest ? former : [{ version, parts: partsOf(state, book) }, ...older].slice(0, MAX_KEPT));
  }
  return editions;
}
