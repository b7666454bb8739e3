import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { openCluster } from '../../shell/kube/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { rootsFault } from '../../shell/wire/index.ts';
import { httpUrl } from '../addresses.ts';
import { EXIT } from '../exit-codes.ts';
import { startGateway } from '../gateway/gateway.ts';
import type { GatewayOptions } from '../gateway/gateway.ts';
import { reviewerOf } from '../gateway/reviewer.ts';
import { systemClock } from '../mesh/clock.ts';
import { firstSignal, loggerFor } from '../process.ts';
import { openAccess } from '../sidecar/access.ts';
import { StartError } from '../start-error.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { rootsFrom } from './controllers.ts';
import { ledgerOf } from './run.ts';
import type { RunFlags } from './run.ts';

export interface GatewayFlags extends Omit<RunFlags, 'workload'> {
  readonly controller?: readonly string[];
  readonly controllerCa?: string;
  readonly token: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly clientCa?: string;
  readonly trustDomain: readonly string[];
}

/** Authorities change once in years, and are told long before they count. */
const LOOK_MS = 60_000;

/** Runs until a signal comes. */
export async function gateway(paths: readonly string[], flags: GatewayFlags, terminal: Terminal): Promise<number> {
  const { environment } = terminal;
  const cluster = openCluster(environment);
  if (!cluster.ok) throw new StartError(`Nobody can tell whose tokens are: ${cluster.error}.`, 'A gateway asks the API server about each token.');
  if ((flags.controller === undefined) === (paths.length === 0))
    throw new StartError('Where policies come from is not said.', 'Name files and folders, or controllers with --controller.');
  if (flags.controller !== undefined && flags.ledger !== undefined)
    throw new StartError('Controllers keep the ledger as well.', 'Leave out --ledger, or name files instead of --controller.');
  const logger = loggerFor(flags, terminal);
  const ledger = ledgerOf(flags, logger);
  const interruption = firstSignal();
  const tls = tlsOf(flags);
  const controllers = flags.controller === undefined ? undefined : accessControllers(flags, flags.controller, environment, logger);
  const starting = startGateway({
    interruption,
    policies: controllers?.policies ?? { paths, simulate: 'auto' },
    listen: flags.listen,
    ...(tls === undefined ? {} : { tls }),
    trustDomains: flags.trustDomain,
    tokens: reviewerOf(cluster.value.api, systemClock),
    admin: flags.admin,
    stateDir: flags.state,
    envoy: {
      ...(flags.envoy === undefined ? {} : { path: flags.envoy }),
      ...(flags.envoyVersion === undefined ? {} : { version: flags.envoyVersion }),
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    },
    ...(ledger === undefined ? {} : { ledger }),
    environment,
    logger,
  });
  const running = await starting.catch((error: unknown) => {
    if (!interruption.aborted) throw error;
    terminal.err('Stopped before it was ready.\n');
    logger.flush();
    // A download may still be under way.
    return process.exit(EXIT.interrupted);
  });
  terminal.out(`The gateway listens at ${httpUrl(flags.listen)}; administration at ${httpUrl(running.admin)}\n`);
  if (!interruption.aborted) await once(interruption, 'abort');
  terminal.err('Stopping: waiting for calls in flight …\n');
  await running.stop();
  controllers?.close();
  logger.flush();
  return EXIT.ok;
}

/** By the token of its own service account. The file of authorities is followed, as one of a ConfigMap is written anew. */
function accessControllers(
  { controllerCa, token }: GatewayFlags,
  addresses: readonly string[],
  environment: NodeJS.ProcessEnv,
  logger: Logger,
): { readonly policies: Exclude<GatewayOptions['policies'], { readonly paths: unknown }>; close(): void } {
  const pem = rootsFrom(controllerCa, environment);
  const access = openAccess(pem, token);
  let seen = pem;
  // What controllers have told meanwhile is newer than a file that has not changed.
  const look = (path: string): void => {
    try {
      const now = readFileSync(path, 'utf8');
      if (now === seen) return;
      seen = now;
      if (rootsFault(now) === undefined) access.roots.pem = now;
    } catch (error) {
      logger.warn('controller.authorities_unreadable', { path, error: (error as NodeJS.ErrnoException).code });
    }
  };
  const timer = controllerCa === undefined ? undefined : setInterval(() => look(controllerCa), LOOK_MS).unref();
  return {
    policies: { addresses, access },
    close: () => {
      clearInterval(timer);
      access.token.close();
    },
  };
}

function tlsOf({
  tlsCert,
  tlsKey,
  clientCa,
  trustDomain,
}: GatewayFlags): { certificateFile: string; keyFile: string; clientAuthoritiesFile?: string } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) {
    if (clientCa === undefined) return undefined;
    throw new StartError('Callers show certificates only in TLS.', 'Name --tls-cert and --tls-key as well.');
  }
  if (tlsCert === undefined || tlsKey === undefined) throw new StartError('A certificate and its key go together.', 'Name --tls-cert and --tls-key.');
  if ((clientCa === undefined) !== (trustDomain.length === 0))
    throw new StartError('Callers’ certificates need an authority and a trust domain.', 'Name --client-ca and --trust-domain, or neither.');
  return { certificateFile: tlsCert, keyFile: tlsKey, ...(clientCa === undefined ? {} : { clientAuthoritiesFile: clientCa }) };
}
