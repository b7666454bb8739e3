import type { ListenerSettings } from '../../core/envoyconfig/index.ts';
import type { KeyHealth } from '../../shell/keys/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import type { Address, EnvoyOptions } from '../ports.ts';
import type { ServeAt, Whose } from './calls.ts';
import type { Policies, PolicyFeed } from './feed.ts';
import type { LedgerAccess } from './ledger.ts';
import type { RedirectedConnections } from './settings.ts';
import type { TrustPlace } from './trust.ts';

/** A listener of Envoy's, and whose calls come in by it. */
export interface WorkloadListener extends ListenerSettings {
  /** The option that says where it listens, for messages. */
  readonly option: string;
}

export interface MeshOptions {
  readonly feed: PolicyFeed;
  readonly listeners: readonly WorkloadListener[];
  readonly admin: Address;
  /** Where connections come in that an application opened to somewhere else; absent where none are redirected. */
  readonly redirected?: RedirectedConnections;
  /** Where applications find whom to trust; absent where nobody asks. */
  readonly trust?: TrustPlace;
  /** Whether others than whoever runs this can ask there: then for probes and metrics alone. */
  readonly isAdminShared?: boolean;
  readonly stateDir: string;
  /** The Envoy to run; absent where one calls that is another's. */
  readonly envoy?: EnvoyOptions;
  /** Where an Envoy that is another's finds the processor, alone or besides ours. */
  readonly serve?: ServeAt;
  /** How a call's workload is known; by its listener, if nothing is said. */
  readonly whose?: Whose;
  /** Where limits are shared with other processes; absent where all of each limit is here. */
  readonly ledger?: LedgerAccess;
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted while it starts: what was started is stopped, and the start rejects with the signal's reason. */
  readonly interruption?: AbortSignal;
  readonly logger: Logger;
}

/** The whole of a sidecar, running. */
export interface RunningMesh {
  readonly policies: Policies;
  readonly keys: readonly KeyHealth[];
  readonly envoyVersion: string;
  readonly admin: Address;
  /** Accepts no more calls, lets those in flight end, settles, stops Envoy. */
  stop(): Promise<void>;
}
