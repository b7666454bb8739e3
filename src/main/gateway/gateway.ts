import type { ListenerTls } from '../../core/envoyconfig/index.ts';
import { CREDENTIAL_HEADERS, identifyCallers } from '../../shell/gateway/index.ts';
import type { CallerReviewer } from '../../shell/gateway/index.ts';
import { accessLedger } from '../mesh/ledger.ts';
import { startMesh } from '../mesh/mesh.ts';
import type { MeshOptions, RunningMesh } from '../mesh/mesh.ts';
import { ownAddresses } from '../mesh/own.ts';
import { policySource } from '../mesh/policies.ts';
import type { Address } from '../ports.ts';
import { CallersFeed } from './controllerfeed.ts';
import type { GatewayControllers } from './controllerfeed.ts';
import { GatewayFeed } from './feed.ts';

/** Names the listener; no workload's, as those have a slash. */
const LISTENER = 'gateway';

export interface GatewayOptions extends Pick<MeshOptions, 'admin' | 'stateDir' | 'envoy' | 'ledger' | 'environment' | 'interruption' | 'logger'> {
  /** Files and folders of resources; or controllers, which give the policies of those who call, and whose ledger is theirs. */
  readonly policies: { readonly paths: readonly string[]; readonly simulate: 'auto' | 'never' } | GatewayControllers;
  readonly listen: Address;
  readonly tls?: ListenerTls;
  /** Of callers' certificates. */
  readonly trustDomains: readonly string[];
  readonly tokens: CallerReviewer;
}

/** Starts a real Envoy that callers come to, and what governs each call by whose it is. Throws a StartError for what a person can mend. */
export function startGateway({ policies, listen, tls, trustDomains, tokens, ...common }: GatewayOptions): Promise<RunningMesh> {
  const { environment, logger, admin } = common;
  const feed =
    'paths' in policies
      ? new GatewayFeed({
          source: policySource(policies.paths, environment),
          own: ownAddresses([listen, admin]),
          simulate: policies.simulate,
          environment,
          logger,
        })
      : new CallersFeed(policies, logger);
  return startMesh({
    ...common,
    feed,
    ...('access' in policies ? { ledger: accessLedger(policies, logger) } : {}),
    listeners: [{ ...listen, workload: LISTENER, option: '--listen', ...(tls === undefined ? {} : { tls }) }],
    whose: {
      identify: identifyCallers({ tokens, trustDomains: new Set(trustDomains), meet: (workload) => feed.meet(workload), now: () => Date.now() }),
      credentialHeaders: new Set(CREDENTIAL_HEADERS),
    },
  });
}
