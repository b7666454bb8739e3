import { once } from 'node:events';
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
}

/** Runs until a signal comes. */
export async function controller(paths: readonly string[], flags: ControllerFlags, terminal: Terminal): Promise<number> {
  const logger = loggerFor(flags, terminal);
  const interruption = firstSignal();
  const { tlsCert, tlsKey, clientCa, trustDomain } = flags;
  const named = [tlsCert, tlsKey, clientCa].filter((path) => path !== undefined).length;
  if (named !== 0 && named !== 3) throw new StartError('A part of the certificates is missing.', 'Name --tls-cert, --tls-key and --client-ca together.');
  const running = await startController({
    paths,
    listen: flags.listen,
    admin: flags.admin,
    ...(tlsCert !== undefined && tlsKey !== undefined && clientCa !== undefined
      ? { certificates: { certificate: tlsCert, key: tlsKey, authorities: clientCa } }
      : {}),
    ...(trustDomain === undefined ? {} : { trustDomain }),
    store: await openStore(flags.store),
    retentionDays: flags.retention,
    environment: terminal.environment,
    logger,
  });
  terminal.out(`The ledger service listens at ${running.address}; administration is at ${httpUrl(running.admin)}\n`);
  if (!interruption.aborted) await once(interruption, 'abort');
  await running.stop();
  logger.flush();
  return EXIT.ok;
}
