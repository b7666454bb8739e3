import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { runTool } from '../redirection/index.ts';
import type { RunTool } from '../redirection/index.ts';

/** The machine does not let us have one; the message says what was asked for. */
export class NoNamespace extends Error {}

/** A network namespace that lives until `close`. */
export interface OwnNetwork {
  /** For a process of ours outside it that is to listen in it. */
  readonly path: string;
  readonly hasIpv6: boolean;
  /** What comes before the program's own command. */
  readonly inside: readonly string[];
  /** Runs a tool in it, with all rights over it. */
  readonly run: RunTool;
  close(): void;
}

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Addresses that nobody has (RFC 5737, RFC 3849): what is not redirected goes nowhere. */
const DEVICE = [
  'link add airmesh0 type veth peer name airmesh1',
  'address add 192.0.2.2/24 dev airmesh0',
  'link set lo up',
  'link set airmesh0 up',
  'link set airmesh1 up',
  'route add default dev airmesh0',
];
const DEVICE_IPV6 = ['address add 2001:db8::2/64 dev airmesh0 nodad', '-6 route add default dev airmesh0'];

/** Opens one, as root. Its programs run as `as`, without a right over it. Throws NoNamespace. */
export async function openNetwork(as: Identity): Promise<OwnNetwork> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo open; exec cat'], { stdio: ['pipe', 'pipe', 'pipe'] });
  await opened(holder);
  const enter = ['--target', String(holder.pid), '--net', '--'];
  const run: RunTool = (program, args, input) => runTool('nsenter', [...enter, program, ...args], input);
  const hasIpv6 = hasIpv6Route();
  for (const words of [...DEVICE, ...(hasIpv6 ? DEVICE_IPV6 : [])]) {
    const done = run('ip', words.split(' '));
    if (done?.ok === true) continue;
    holder.kill('SIGKILL');
    throw new NoNamespace(`ip ${words}: ${done?.fault ?? 'nsenter (util-linux) is not there'}`);
  }
  const asUser = as.uid === 0 ? [] : ['setpriv', `--reuid=${as.uid}`, `--regid=${as.gid}`, '--init-groups', '--'];
  return { path: `/proc/${holder.pid}/ns/net`, hasIpv6, inside: ['nsenter', ...enter, ...asUser], run, close: () => void holder.kill('SIGKILL') };
}

/** Whether this machine gets anywhere by IPv6; a program that were told so in vain would wait. */
function hasIpv6Route(): boolean {
  const path = '/proc/net/ipv6_route';
  return (
    existsSync(path) &&
    readFileSync(path, 'utf8')
      .split('\n')
      .some((line) => /^0{32} 00 /.test(line) && !line.endsWith(' lo'))
  );
}

function opened(holder: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    holder.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    holder.stdout?.once('data', () => resolve());
    holder.once('error', (error) => reject(new NoNamespace(`unshare: ${error.message}`)));
    holder.once('exit', () => reject(new NoNamespace(said.trim() === '' ? 'unshare ended' : said.trim())));
  });
}
