import { Option } from 'commander';
import type { Command } from 'commander';
import { SIDECAR_ENVIRONMENT, SIDECAR_PATHS, SIDECAR_PORTS } from '../../core/control/index.ts';
import { LOG_LEVELS } from '../../shell/telemetry/index.ts';
import { parseAddress, parseLedger, parseListen } from '../addresses.ts';
import { concurrencyOption } from '../root.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { ProcessorFlags, SidecarFlags } from './sidecar.ts';

/** The commands that run in pods: a sidecar, and a processor for another's Envoy. */
export function addBesideCommands(airmesh: Command, terminal: Terminal, finish: (code: number) => void): void {
  besideCommand(airmesh.command('sidecar'))
    .description('run beside a pod’s application: a real Envoy governed by the policies that a controller gives this pod')
    .addOption(
      new Option('--listen <address>', 'where the application connects')
        .default({ host: '127.0.0.1', port: SIDECAR_PORTS.api }, `127.0.0.1:${SIDECAR_PORTS.api}`)
        .argParser(parseAddress),
    )
    .option('--envoy <path>', 'the Envoy binary to run')
    .option('--envoy-version <version>', 'install and run this version')
    .addOption(concurrencyOption())
    .addOption(
      new Option(
        '--mesh-listen <address>',
        'where the Envoy that a mesh runs in the pod connects besides, as another user: an address, or unix:/path',
      ).argParser(parseListen),
    )
    .action(async (flags: SidecarFlags) => finish(await (await import('./sidecar.ts')).sidecar(flags, terminal)));

  besideCommand(airmesh.command('processor'))
    .description('the same without an Envoy of its own: external processing for the Envoy that a mesh runs in the pod')
    .addOption(new Option('--listen <address>', 'where that Envoy connects: an address, or unix:/path').makeOptionMandatory().argParser(parseListen))
    .option('--any-user', 'that Envoy runs as another user: whoever can reach the socket’s folder may open it', false)
    .action(async (flags: ProcessorFlags) => finish(await (await import('./sidecar.ts')).processor(flags, terminal)));
}

/** What all have that run beside an application; the injector sets the environment and mounts the paths. */
function besideCommand(command: Command): Command {
  return command
    .addOption(new Option('--controller <addresses>', `the controllers; else ${SIDECAR_ENVIRONMENT.controllers}; repeat`).argParser(parseLedger))
    .option('--controller-ca <file>', `who issues their certificates, in PEM; else ${SIDECAR_ENVIRONMENT.controllerRoots}`)
    .option('--token <file>', 'the service account’s token, for the controller alone', SIDECAR_PATHS.token)
    .option('--state <folder>', 'memory that nothing else mounts, for the last policies, budgets and records', SIDECAR_PATHS.state)
    .option('--state-on-disk', 'the state folder may be on a disk, where keys then lie', false)
    .addOption(
      new Option('--admin <address>', 'administration')
        .default({ host: '0.0.0.0', port: SIDECAR_PORTS.admin }, `0.0.0.0:${SIDECAR_PORTS.admin}`)
        .argParser(parseAddress),
    )
    .addOption(new Option('--log-level <level>', 'what is logged').choices(LOG_LEVELS).default('info'))
    .addOption(new Option('--log-format <format>', 'for people or for machines').choices(['pretty', 'json']));
}
