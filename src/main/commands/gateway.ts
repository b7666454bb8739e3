import { once } from 'node:events';
import { openCluster } from '../../shell/kube/index.ts';
import { httpUrl } from '../addresses.ts';
import { EXIT } from '../exit-codes.ts';
import { startGateway } from '../gateway/gateway.ts';
import { reviewerOf } from '../gateway/reviewer.ts';
import { systemClock } from '../mesh/clock.ts';
import { firstSignal, loggerFor } from '../process.ts';
import { StartError } from '../start-error.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { ledgerOf } from './run.ts';
import type { RunFlags } from './run.ts';

export interface GatewayFlags extends Omit<RunFlags, 'workload'> {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly clientCa?: string;
  readonly trustDomain: readonly string[];
}

/** Runs until a signal comes. */
export async function gateway(paths: readonly string[], flags: GatewayFlags, terminal: Terminal): Promise<number> {
  const { environment } = terminal;
  const cluster = openCluster(environment);
  if (!cluster.ok) throw new StartError(`Nobody can tell whose tokens are: ${cluster.error}.`, 'A gateway asks the API server about each token.');
  const logger = loggerFor(flags, terminal);
  const ledger = ledgerOf(flags, logger);
  const interruption = firstSignal();
  const tls = tlsOf(flags);
  const running = await startGateway({
    interruption,
    paths,
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
    simulate: 'auto',
    logger,
  });
  terminal.out(`The gateway listens at ${httpUrl(flags.listen)}; administration at ${httpUrl(running.admin)}\n`);
  if (!interruption.aborted) await once(interruption, 'abort');
  terminal.err('Stopping: waiting for calls in flight …\n');
  await running.stop();
  logger.flush();
  return EXIT.ok;
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
