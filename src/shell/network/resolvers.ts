import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

const DNS_PORT = 53;

/** Whom this machine asks for names. Source: resolv.conf(5); where it names nobody, this machine itself. */
export function resolversOf(path = '/etc/resolv.conf'): readonly { readonly host: string; readonly port: number }[] {
  const lines = read(path).split('\n');
  const hosts = lines.flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []).filter((host) => isIP(host) !== 0);
  return (hosts.length === 0 ? ['127.0.0.1'] : hosts).map((host) => ({ host, port: DNS_PORT }));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
