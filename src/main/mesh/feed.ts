import type { Interception } from '../../core/control/index.ts';
import type { Compiled } from '../../core/policy/index.ts';
import type { KeyHealth } from '../../shell/keys/index.ts';

/** What governs: a snapshot for each workload that this process serves, their providers, and whose calls are taken in. */
export interface Policies extends Pick<Compiled, 'snapshots' | 'providers'> {
  /** Absent: calls come to the listeners by themselves. */
  readonly interception?: Interception;
}

/** Where policies come from: files that a person edits, or a controller. */
export interface PolicyFeed {
  /** What to begin with. Throws a StartError where there is nothing to go by. */
  first(): Promise<Policies>;
  /** Tells of changes from now on, one after another, until what it returns is called. */
  follow(listener: PolicyListener): () => void;
  stop(): Promise<void> | void;
  /** Why nothing governs yet, which is no fault of Envoy's; `undefined`: something does. Absent where something does from the first. */
  absence?(): string | undefined;
  /** Why newer ones cannot come; `undefined`: they can. */
  problem?(): string | undefined;
}

export interface PolicyListener {
  /** Takes effect as a whole or not at all: why it has not, `undefined` where it has. */
  apply(policies: Policies): Promise<readonly string[] | undefined>;
  /** There is a change that cannot even be tried. */
  refuse(errors: readonly string[]): void;
  /** How the keys that were applied fare. */
  keys(): readonly KeyHealth[];
  /** Hosts of providers to which the application lately sent keys of its own, sorted. */
  ownKeysFor(): readonly string[];
}
