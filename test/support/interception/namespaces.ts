/** Two network namespaces with a wire between them: a pod's, and the world outside it. Needs root. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';

/** Addresses of the world outside: those of documentation (RFC 5737, RFC 3849), and one of a cluster's. */
export const OUTSIDE = {
  providers: '203.0.113.10',
  providers6: '2001:db8:113::10',
  /** Other people's servers. */
  others: '203.0.113.20',
  others6: '2001:db8:113::20',
  /** A server of whoever attacks. */
  attacker: '203.0.113.66',
  /** A model server in the cluster. */
  models: '10.98.0.7',
  /** Somebody else's service in the cluster. */
  cluster: '10.98.0.8',
} as const;

/** The pod's own, as others reach it, and the router's. */
export const WIRE = { pod: '10.99.0.2', outside: '10.99.0.1', pod6: 'fd99::2', outside6: 'fd99::1' };

/** What tests of interception need, and how it is got where it is missing. */
export function ensureTools(): void {
  const missing = ['ip', 'iptables', 'curl'].filter((program) => spawnSync('sh', ['-c', `command -v ${program}`], { env: PATHS }).status !== 0);
  if (missing.length === 0) return;
  // Two files of tests may find so at the same time.
  execFileSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', 'iproute2', 'iptables', 'curl'], {
    stdio: 'ignore',
    env: { ...PATHS, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

const PATHS = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

export interface Who {
  readonly uid: number;
}

/** Namespaces that go away with `remove`. `hosts` are names and their addresses, for both. */
export class Namespaces {
  readonly pod: string;
  readonly outside: string;

  constructor(name: string, hosts: readonly (readonly [address: string, ...names: string[]])[]) {
    this.pod = `amp-${name}`;
    this.outside = `amo-${name}`;
    for (const each of [this.pod, this.outside]) {
      ip('netns', 'add', each);
      mkdirSync(`/etc/netns/${each}`, { recursive: true });
      writeFileSync(`/etc/netns/${each}/hosts`, ['127.0.0.1 localhost', '::1 localhost', ...hosts.map((row) => row.join(' ')), ''].join('\n'));
      writeFileSync(`/etc/netns/${each}/resolv.conf`, `nameserver ${OUTSIDE.cluster}\noptions timeout:1 attempts:1\n`);
      ip('-n', each, 'link', 'set', 'lo', 'up');
    }
    ip('link', 'add', 'wire', 'netns', this.pod, 'type', 'veth', 'peer', 'name', 'wire', 'netns', this.outside);
    this.#address(this.pod, 'wire', `${WIRE.pod}/24`, `${WIRE.pod6}/64`);
    this.#address(this.outside, 'wire', `${WIRE.outside}/24`, `${WIRE.outside6}/64`);
    this.#address(this.outside, 'lo', ...Object.values(OUTSIDE).map((address) => (address.includes(':') ? `${address}/128` : `${address}/32`)));
    ip('-n', this.pod, 'route', 'add', 'default', 'via', WIRE.outside);
    ip('-6', '-n', this.pod, 'route', 'add', 'default', 'via', WIRE.outside6);
  }

  #address(namespace: string, device: string, ...addresses: readonly string[]): void {
    for (const address of addresses) ip('-n', namespace, 'address', 'add', address, 'dev', device, ...(address.includes(':') ? ['nodad'] : []));
    ip('-n', namespace, 'link', 'set', device, 'up');
  }

  spawn(namespace: string, command: readonly string[], options: SpawnOptions & { readonly who?: Who } = {}): ChildProcess {
    const { who, ...others } = options;
    const drop = who === undefined ? [] : ['setpriv', `--reuid=${who.uid}`, `--regid=${who.uid}`, '--clear-groups'];
    return spawn('ip', ['netns', 'exec', namespace, ...drop, ...command], { ...others, env: { ...PATHS, ...others.env } });
  }

  remove(): void {
    for (const each of [this.pod, this.outside]) {
      spawnSync('ip', ['netns', 'del', each], { env: PATHS });
      rmSync(`/etc/netns/${each}`, { recursive: true, force: true });
    }
    if (existsSync('/etc/netns')) spawnSync('rmdir', ['--ignore-fail-on-non-empty', '/etc/netns']);
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { env: PATHS, stdio: ['ignore', 'ignore', 'pipe'] });
}
