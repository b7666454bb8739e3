import { once } from 'node:events';
import type { CertificatePaths } from '../../shell/wire/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { accessLedger } from '../mesh/ledger.ts';
import type { LedgerAccess } from '../mesh/ledger.ts';
import { firstSignal, loggerFor } from '../process.ts';
import type { LogFlags } from '../process.ts';
import { StartError } from '../start-error.ts';
import { EXIT } from '../exit-codes.ts';
import { openInterceptedNetwork } from '../mesh/intercepted-command.ts';
import { DEFAULT_WORKLOAD, startRun } from '../mesh/run.ts';
import type { Address } from '../ports.ts';
import { painter } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { banner } from '../views/banner.ts';

type LedgerFlags = Pick<RunFlags, 'ledger' | 'ledgerCa' | 'ledgerCert' | 'ledgerKey'>;

export interface RunFlags extends LogFlags {
  readonly listen: Address;
  readonly admin: Address;
  readonly workload: readonly (Address & { readonly name: string })[];
  readonly state: string;
  readonly envoy?: string;
  readonly envoyVersion?: string;
  readonly concurrency?: number;
  readonly ledger?: readonly string[];
  readonly ledgerCa?: string;
  readonly ledgerCert?: string;
  readonly ledgerKey?: string;
  readonly intercept: boolean;
}

/** Runs until a signal comes. The first one drains, or gives up the start; a second one ends it at once. */
export async function run(paths: readonly string[], command: readonly string[], flags: RunFlags, terminal: Terminal): Promise<number> {
  if (flags.intercept !== command.length > 0)
    throw new StartError('--intercept and a command go together.', 'Write airmesh run --intercept -- COMMAND, such as: airmesh run --intercept -- node app.js');
  const logger = loggerFor(flags, terminal);
  const ledger = ledgerOf(flags, logger);
  const interruption = firstSignal();
  const network = flags.intercept ? await openInterceptedNetwork(DEFAULT_WORKLOAD, terminal.environment) : undefined;
  const starting = startRun({
    interruption,
    paths,
    listen: flags.listen,
    admin: flags.admin,
    workloads: flags.workload,
    stateDir: flags.state,
    envoy: {
      ...(flags.envoy === undefined ? {} : { path: flags.envoy }),
      ...(flags.envoyVersion === undefined ? {} : { version: flags.envoyVersion }),
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    },
    ...(ledger === undefined ? {} : { ledger }),
    environment: terminal.environment,
    simulate: 'auto',
    ...(network === undefined ? {} : { intercepted: network }),
    logger,
  });
  const mesh = await starting.catch((error: unknown) => {
    network?.close();
    if (!interruption.aborted) throw error;
    terminal.err('Stopped before it was ready.\n');
    logger.flush();
    // A download may still be under way.
    return process.exit(EXIT.interrupted);
  });
  let code: number = EXIT.ok;
  if (network === undefined) {
    terminal.out(banner(mesh.summary, painter(terminal.colour)));
    if (!interruption.aborted) await once(interruption, 'abort');
    terminal.err('Stopping: waiting for calls in flight …\n');
  } else code = await network.run(command, terminal.environment, interruption);
  await mesh.stop();
  network?.close();
  logger.flush();
  return code;
}

/** The ledger service that the flags name, if any. */
export function ledgerOf(flags: LedgerFlags, logger: Logger): LedgerAccess | undefined {
  return flags.ledger === undefined ? undefined : accessLedger({ addresses: flags.ledger, ...certificatesOf(flags) }, logger);
}

/** In plain text on a socket file; over TCP with certificates, all three. */
function certificatesOf({ ledger = [], ledgerCa, ledgerCert, ledgerKey }: LedgerFlags): { certificates?: CertificatePaths } {
  if (ledgerCa !== undefined && ledgerCert !== undefined && ledgerKey !== undefined)
    return { certificates: { authorities: ledgerCa, certificate: ledgerCert, key: ledgerKey } };
  if (ledger.every((address) => address.startsWith('unix:')) && [ledgerCa, ledgerCert, ledgerKey].every((path) => path === undefined)) return {};
  throw new StartError('The ledger service must know who this is.', 'Name --ledger-ca, --ledger-cert and --ledger-key.');
}
