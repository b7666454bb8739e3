import { existsSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { redirect, runTool, takeBack } from '../../shell/redirection/index.ts';
import { EXIT } from '../exit-codes.ts';
import { StartError } from '../start-error.ts';
import type { Terminal } from '../terminal/terminal.ts';

interface InitFlags {
  readonly toPort: number;
  readonly ports: readonly number[] | 'all';
  readonly except?: number;
  readonly exceptMesh: readonly number[];
  readonly reached?: readonly number[];
  readonly undo: boolean;
}

const MAX_PORT = 65_535;

/**
 * Redirects a pod's connections to its sidecar. It stands in the way of the pod's start, so nothing is loaded for it that
 * other commands need.
 */
export function addInitCommand(airmesh: Command, terminal: Terminal, finish: (code: number) => void): void {
  airmesh
    .command('init')
    .description('redirect the connections of this network namespace to the sidecar; needs NET_ADMIN and iptables')
    .option('--to-port <port>', 'where they arrive, on the loopback address', parsePort, 15_401)
    .option('--ports <ports>', 'TCP ports, separated by commas, or `all`', parsePorts, [80, 443])
    .option('--except <uid>', 'whose connections are not redirected: a user’s and a group’s number', parseUid)
    .option(
      '--except-mesh <uid>',
      'a user whose connections a mesh’s own proxy makes; repeat',
      (text: string, before: readonly number[]) => [...before, parseUid(text)],
      [],
    )
    .option('--reached <ports>', 'TCP ports at which the sidecar is reached from outside, whatever a mesh redirects', parsePortList)
    .option('--undo', 'take it back', false)
    .action((flags: InitFlags) => finish(init(flags, terminal)));
}

function init({ toPort, ports, except, exceptMesh, reached, undo }: InitFlags, terminal: Terminal): number {
  const hasIpv6 = existsSync('/proc/net/if_inet6');
  if (undo) {
    const faults = takeBack(hasIpv6, runTool);
    if (faults.length > 0) throw new StartError(`Not all could be taken back: ${faults.join('; ')}.`, 'Look at iptables-save.');
    terminal.out('Connections are no longer redirected.\n');
    return EXIT.ok;
  }
  const done = redirect(
    {
      toPort,
      ports,
      exceptUsers: exceptMesh,
      ...(reached === undefined ? {} : { reached }),
      ...(except === undefined ? {} : { except: { uid: except, gid: except } }),
    },
    hasIpv6,
    runTool,
  );
  if (!done.ok)
    throw new StartError(
      `${done.error}.`,
      'A pod whose connections cannot be redirected must not start: give the init container NET_ADMIN, or switch interception off for the namespace.',
    );
  terminal.out(`TCP ${ports === 'all' ? 'of all ports' : ports.join(', ')} goes to port ${toPort}, by ${Object.values(done.value.by).join(' and ')}.\n`);
  return EXIT.ok;
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > MAX_PORT) throw new InvalidArgumentError(`${JSON.stringify(text)} is no port.`);
  return port;
}

function parsePorts(text: string): readonly number[] | 'all' {
  return text === 'all' ? 'all' : parsePortList(text);
}

function parsePortList(text: string): readonly number[] {
  return text.split(',').map((port) => parsePort(port.trim()));
}

function parseUid(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`${JSON.stringify(text)} is no user’s number.`);
  return Number(text);
}
