import type { Logger } from '../shell/telemetry/index.ts';
import type { InterceptedNetwork } from './mesh/intercepted-command.ts';
import type { LedgerAccess } from './mesh/ledger.ts';
import type { StartSummary } from './views/banner.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Which Envoy to run; by default the one that is installed, else the one that is known to work. */
export interface EnvoyOptions {
  readonly path?: string;
  readonly version?: string;
  /** Worker threads. */
  readonly concurrency?: number;
}

export interface RunOptions {
  /** Files and folders of resources; empty: the environment's providers, else the example with the simulated one. */
  readonly paths: readonly string[];
  readonly listen: Address;
  readonly admin: Address;
  /** Further workloads, each with a listener of its own. */
  readonly workloads: readonly (Address & { readonly name: string })[];
  readonly stateDir: string;
  readonly envoy: EnvoyOptions;
  /** Where limits are shared with other processes; absent where all of each limit is here. */
  readonly ledger?: LedgerAccess;
  readonly environment: NodeJS.ProcessEnv;
  /** `auto`: the simulated provider where a resource asks for it. */
  readonly simulate: 'auto' | 'never';
  /** Aborted while it starts: what was started is stopped, and the start rejects with the signal's reason. */
  readonly interruption?: AbortSignal;
  /** A program whose connections are taken in; absent where callers come by themselves. */
  readonly intercepted?: Pick<InterceptedNetwork, 'redirected' | 'trust'>;
  readonly logger: Logger;
}

/** The whole of Airmesh, running. */
export interface Running {
  readonly summary: StartSummary;
  /** Accepts no more calls, lets those in flight end, settles, stops Envoy. */
  stop(): Promise<void>;
}
