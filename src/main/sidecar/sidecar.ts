import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { SIDECAR_PATHS, SIDECAR_PORTS } from '../../core/control/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import type { ServeAt } from '../mesh/calls.ts';
import { accessLedger } from '../mesh/ledger.ts';
import { startMesh } from '../mesh/mesh.ts';
import type { RunningMesh, WorkloadListener } from '../mesh/mesh.ts';
import type { RedirectedConnections } from '../mesh/settings.ts';
import { SOLE_WORKLOAD } from '../mesh/snapshot-for.ts';
import type { Address, EnvoyOptions } from '../ports.ts';
import { openAccess } from './access.ts';
import { ControllerFeed } from './feed.ts';
import { KeptState } from './kept.ts';

export interface SidecarOptions {
  /** Of the controllers, `host:port`. */
  readonly controllers: readonly string[];
  /** Authorities of the controllers' certificates, PEM; newer ones come with states. */
  readonly controllerRoots: string;
  /** Where the kubelet keeps the service account's token. */
  readonly tokenPath: string;
  readonly stateDir: string;
  /** Keys may come to lie on a disk. */
  readonly allowDisk: boolean;
  readonly admin: Address;
  /** An Envoy of its own, and where applications find it; or where another's Envoy finds the processor; or both, which then share it. */
  readonly proxy: { readonly envoy: EnvoyOptions; readonly listen: Address; readonly serve?: ServeAt } | { readonly serve: ServeAt };
  readonly environment: NodeJS.ProcessEnv;
  readonly interruption?: AbortSignal;
  readonly logger: Logger;
}

/** Starts what governs one pod's calls by a controller's policies, and its budgets by the controller's ledger. Throws a StartError for what a person can mend. */
export async function startSidecar(options: SidecarOptions): Promise<RunningMesh> {
  const { controllers, controllerRoots, tokenPath, stateDir, allowDisk, proxy, logger } = options;
  const kept = KeptState.in(stateDir, allowDisk);
  const access = openAccess(controllerRoots, tokenPath);
  const feed = new ControllerFeed({ addresses: controllers, access, kept, logger });
  const ledger = accessLedger({ addresses: controllers, access }, logger);
  const listeners: WorkloadListener[] = 'listen' in proxy ? [{ ...proxy.listen, workload: SOLE_WORKLOAD, option: '--listen' }] : [];
  const own = {
    ...('envoy' in proxy ? { envoy: proxy.envoy, redirected: redirectedTo(SIDECAR_PORTS.outbound) } : {}),
    ...(proxy.serve === undefined ? {} : { serve: proxy.serve }),
  };
  // The application is beside it, and other pods can reach it.
  const mesh = await startMesh({
    ...options,
    isAdminShared: true,
    feed,
    listeners,
    ledger,
    ...own,
    ...(existsSync(SIDECAR_PATHS.trust) ? { trust: { folder: SIDECAR_PATHS.trust, others: SIDECAR_PATHS.authorities } } : {}),
  });
  return {
    ...mesh,
    stop: async () => {
      await mesh.stop();
      access.token.close();
    },
  };
}

/** What an init container redirects comes to the loopback addresses; those of IPv6 only where there is any. */
function redirectedTo(port: number): RedirectedConnections {
  const hosts = hasLoopback6() ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
  return { workload: SOLE_WORKLOAD, addresses: hosts.map((host) => ({ host, port })) };
}

/** Whether `::1` is there to listen at: a kernel may have IPv6, and a pod none. */
function hasLoopback6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1') === true);
}
