import { once } from 'node:events';
import type { InterceptionSettings } from '../../core/control/index.ts';
import { CONTROLLER_PORTS } from '../../core/control/index.ts';
import type { MeshName } from '../../core/meshes/index.ts';
import type { ClusterScope } from '../controller/cluster.ts';
import { startController } from '../controller/controller.ts';
import { openStore } from '../controller/store.ts';
import { EXIT } from '../exit-codes.ts';
import { httpUrl } from '../addresses.ts';
import type { Address } from '../ports.ts';
import { firstSignal, loggerFor } from '../process.ts';
import type { LogFlags } from '../process.ts';
import { StartError } from '../start-error.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface ControllerFlags extends LogFlags {
  readonly listen: Address | { readonly socketPath: string };
  readonly admin: Address;
  readonly store: string;
  /** In days. */
  readonly retention: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly clientCa?: string;
  readonly trustDomain?: string;
  readonly kubernetes: boolean;
  readonly rootNamespace?: string;
  readonly namespaces?: readonly string[];
  readonly lease: string;
  readonly authorities: string;
  readonly service: string;
  readonly tlsFolder?: string;
  readonly views: string;
  readonly egress?: 'Open' | 'Enforced';
  readonly passHosts: readonly string[];
  readonly refuseHosts: readonly string[];
  readonly networks: readonly string[];
  readonly webSocketHosts: readonly string[];
  readonly clusterDomain: string;
  readonly simulatedUrl?: string;
  readonly injector?: string;
  readonly mesh?: MeshName;
  readonly gateway?: string;
  readonly roots?: string;
}

/** Runs until a signal comes. */
export async function controller(paths: readonly string[], flags: ControllerFlags, terminal: Terminal): Promise<number> {
  const logger = loggerFor(flags, terminal);
  const interruption = firstSignal();
  const { tlsCert, tlsKey, clientCa, trustDomain } = flags;
  const named = [tlsCert, tlsKey, clientCa].filter((path) => path !== undefined).length;
  if (named !== 0 && named !== 3) throw new StartError('A part of the certificates is missing.', 'Name --tls-cert, --tls-key and --client-ca together.');
  if (flags.kubernetes === paths.length > 0)
    throw new StartError('Where policies come from is not said.', 'Name files and folders, or a cluster with --kubernetes.');
  const { rootNamespace, namespaces, lease, authorities, service, views, simulatedUrl } = flags;
  const starting = startController({
    policies: flags.kubernetes
      ? {
          kind: 'cluster',
          scope: {
            rootNamespace,
            namespaces,
            lease,
            authorities,
            service,
            views,
            interception: interceptionBy(flags),
            simulatedUrl,
            injector: await injectorOf(flags),
            ...(flags.tlsFolder === undefined ? {} : { tlsFolder: flags.tlsFolder }),
            ...(flags.mesh === undefined ? {} : { mesh: flags.mesh }),
            ...(flags.gateway === undefined ? {} : { gateway: flags.gateway }),
            ...(flags.roots === undefined ? {} : { roots: flags.roots }),
          },
        }
      : { kind: 'files', paths },
    listen: flags.listen,
    admin: flags.admin,
    ...(tlsCert !== undefined && tlsKey !== undefined && clientCa !== undefined
      ? { certificates: { certificate: tlsCert, key: tlsKey, authorities: clientCa } }
      : {}),
    ...(trustDomain === undefined ? {} : { trustDomain }),
    store: await openStore(flags.store),
    retentionDays: flags.retention,
    environment: terminal.environment,
    interruption,
    logger,
  });
  const running = await starting.catch((error: unknown) => {
    if (interruption.aborted) return undefined;
    throw error;
  });
  if (running === undefined) return EXIT.interrupted;
  terminal.out(`The ledger service listens at ${running.address}; administration is at ${httpUrl(running.admin)}\n`);
  if (!interruption.aborted) await once(interruption, 'abort');
  await running.stop();
  logger.flush();
  return EXIT.ok;
}

/** Where API servers ask for injection, and what is injected. */
async function injectorOf({ injector, listen, tlsCert, mesh }: ControllerFlags): Promise<ClusterScope['injector']> {
  if (injector === undefined) return undefined;
  if (!('port' in listen) || tlsCert !== undefined)
    throw new StartError('--injector needs a certificate of the mesh’s own.', 'Let it listen on TCP, without --tls-cert; or leave --injector out.');
  // Only here, as with it comes the client of Kubernetes.
  const { loadInjectorFile } = await import('../controller/injectorfile.ts');
  const file = loadInjectorFile(injector);
  if (mesh !== undefined && file.interceptedPorts === 'all')
    throw new StartError('Beside a mesh, not all ports can be taken.', 'List interceptedPorts in the file that --injector names, or leave out --mesh.');
  return { listen: { host: listen.host, port: CONTROLLER_PORTS.webhook }, file };
}

function interceptionBy({ egress, passHosts, refuseHosts, networks, webSocketHosts, clusterDomain }: ControllerFlags): InterceptionSettings | undefined {
  if (egress === undefined) return undefined;
  return { egress, passedHosts: passHosts, refusedHosts: refuseHosts, webSocketHosts, clusterDomain, ...(networks.length === 0 ? {} : { networks }) };
}
