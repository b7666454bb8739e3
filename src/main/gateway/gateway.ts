import type { ListenerTls } from '../../core/envoyconfig/index.ts';
import { CREDENTIAL_HEADERS, identifyCallers } from '../../shell/gateway/index.ts';
import type { CallerReviewer } from '../../shell/gateway/index.ts';
import { startMesh } from '../mesh/mesh.ts';
import type { MeshOptions, RunningMesh } from '../mesh/mesh.ts';
import { ownAddresses } from '../mesh/own.ts';
import { policySource } from '../mesh/policies.ts';
import type { Address } from '../ports.ts';
import { GatewayFeed } from './feed.ts';

/** Names the listener; no workload's, as those have a slash. */
const LISTENER = 'gateway';

export interface GatewayOptions extends Pick<MeshOptions, 'admin' | 'stateDir' | 'envoy' | 'ledger' | 'environment' | 'interruption' | 'logger'> {
  /** Files and folders of resources. */
  readonly paths: readonly string[];
  readonly listen: Address;
  readonly tls?: ListenerTls;
  /** Of callers' certificates. */
  readonly trustDomains: readonly string[];
  readonly tokens: CallerReviewer;
  readonly simulate: 'auto' | 'never';
}

/** Starts a real Envoy that callers come to, and what governs each call by whose it is. Throws a StartError for what a person can mend. */
export function startGateway({ paths, listen, tls, trustDomains, tokens, simulate, ...common }: GatewayOptions): Promise<RunningMesh> {
  const { environment, logger, admin } = common;
  const feed = new GatewayFeed({ source: policySource(paths, environment), own: ownAddresses([listen, admin]), simulate, environment, logger });
  return startMesh({
    ...common,
    feed,
    listeners: [{ ...listen, workload: LISTENER, option: '--listen', ...(tls === undefined ? {} : { tls }) }],
    whose: {
      identify: identifyCallers({ tokens, trustDomains: new Set(trustDomains), meet: (workload) => feed.meet(workload), now: () => Date.now() }),
      credentialHeaders: new Set(CREDENTIAL_HEADERS),
    },
  });
}
