import { once } from 'node:events';
import { httpUrl } from '../addresses.ts';
import { EXIT } from '../exit-codes.ts';
import type { ServeAt } from '../mesh/calls.ts';
import type { Address } from '../ports.ts';
import { firstSignal, loggerFor } from '../process.ts';
import type { LogFlags } from '../process.ts';
import { startSidecar } from '../sidecar/sidecar.ts';
import type { SidecarOptions } from '../sidecar/sidecar.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { controllersIn, rootsFrom } from './controllers.ts';

/** What a sidecar with an Envoy of its own and one without have in common. */
interface CommonFlags extends LogFlags {
  readonly controller?: readonly string[];
  readonly controllerCa?: string;
  readonly token: string;
  readonly state: string;
  readonly stateOnDisk: boolean;
  readonly admin: Address;
}

export interface SidecarFlags extends CommonFlags {
  readonly listen: Address;
  readonly envoy?: string;
  readonly envoyVersion?: string;
  readonly concurrency?: number;
  /** Where a mesh's Envoy in the same pod connects. */
  readonly meshListen?: ServeAt;
}

export interface ProcessorFlags extends CommonFlags {
  readonly listen: ServeAt;
  readonly anyUser: boolean;
}

/** Runs beside one pod's application until a signal comes; then no more calls are taken, and those in flight end. */
export function sidecar(flags: SidecarFlags, terminal: Terminal): Promise<number> {
  const { envoy, envoyVersion, concurrency, listen, meshListen } = flags;
  const options = {
    ...(envoy === undefined ? {} : { path: envoy }),
    ...(envoyVersion === undefined ? {} : { version: envoyVersion }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
  return runBeside({ envoy: options, listen, ...(meshListen === undefined ? {} : { serve: forAnyUser(meshListen) }) }, flags, terminal);
}

/** The same for a pod whose Envoy is another's. */
export function processor(flags: ProcessorFlags, terminal: Terminal): Promise<number> {
  const { listen, anyUser } = flags;
  return runBeside({ serve: anyUser ? forAnyUser(listen) : listen }, flags, terminal);
}

/** Who reaches a socket's folder is decided by who mounts it. */
const forAnyUser = (listen: ServeAt): ServeAt => ('socketPath' in listen ? { ...listen, isForAll: true } : listen);

async function runBeside(proxy: SidecarOptions['proxy'], flags: CommonFlags, terminal: Terminal): Promise<number> {
  const logger = loggerFor(flags, terminal);
  const interruption = firstSignal();
  const { environment } = terminal;
  const starting = startSidecar({
    controllers: flags.controller ?? controllersIn(environment),
    controllerRoots: rootsFrom(flags.controllerCa, environment),
    tokenPath: flags.token,
    stateDir: flags.state,
    allowDisk: flags.stateOnDisk,
    admin: flags.admin,
    proxy,
    environment,
    interruption,
    logger,
  });
  const mesh = await starting.catch((error: unknown) => {
    if (!interruption.aborted) throw error;
    logger.flush();
    return process.exit(EXIT.interrupted);
  });
  logger.info('sidecar.started', { admin: httpUrl(mesh.admin), envoy: mesh.envoyVersion });
  if (!interruption.aborted) await once(interruption, 'abort');
  logger.info('sidecar.stopping');
  await mesh.stop();
  logger.flush();
  return EXIT.ok;
}
