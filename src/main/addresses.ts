import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { addressFault } from '../shell/wire/index.ts';
import type { Address } from './ports.ts';

const MAX_PORT = 65_535;
const DEFAULT_HOST = '127.0.0.1';
/** A century. */
const MAX_DAYS = 36_525;

/** `--listen` and `--admin`: `4000`, `0.0.0.0:4000` or `[::1]:4000`. */
export function parseAddress(text: string): Address {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[2]);
  if (match === null || port > MAX_PORT) {
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no address. Write a port such as 4000, or host:port such as 127.0.0.1:4000 or [::1]:4000.`);
  }
  return { host: match[1]?.replace(/^\[|\]$/g, '') ?? DEFAULT_HOST, port };
}

/** `--workload checkout=4010`, once or often. */
export function parseWorkload(text: string, earlier: readonly (Address & { readonly name: string })[] = []): (Address & { readonly name: string })[] {
  const split = text.indexOf('=');
  const name = text.slice(0, Math.max(0, split)).trim();
  // A workload's name is part of file names, labels and accounts, as a Kubernetes name is (RFC 1123 label).
  if (split < 0 || !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no workload. Write name=port or name=host:port; names are lower-case letters, digits and "-".`);
  }
  if (name === 'default') throw new InvalidArgumentError('The workload "default" listens on --listen already.');
  if (earlier.some((workload) => workload.name === name)) throw new InvalidArgumentError(`The workload "${name}" is named twice.`);
  return [...earlier, { name, ...parseAddress(text.slice(split + 1)) }];
}

/** `--listen` of the controller: an address, or `unix:/path`. */
export function parseListen(text: string): Address | { readonly socketPath: string } {
  const socketPath = /^unix:(\/.+)$/.exec(text.trim())?.[1];
  return socketPath === undefined ? parseAddress(text) : { socketPath };
}

/** `--ledger host:port,unix:/path`, once or often. */
export function parseLedger(text: string, earlier: readonly string[] = []): string[] {
  const addresses = text.split(',').map((address) => address.trim());
  for (const address of addresses) {
    const fault = addressFault(address);
    if (fault !== undefined) throw new InvalidArgumentError(`${fault}.`);
  }
  return [...earlier, ...addresses];
}

/** `--header name=value` or `name: value`, once or often; by lower-case name. */
export function parseHeader(text: string, earlier: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*[=:]\s*(.*)$/.exec(text);
  if (match === null) throw new InvalidArgumentError(`${JSON.stringify(text)} is no header. Write name=value.`);
  return new Map([...earlier, [(match[1] ?? '').toLowerCase(), match[2] ?? '']]);
}

/** `--admin` of the commands that ask: a URL, or an address as `run` takes it. */
export function parseAdminUrl(text: string): URL {
  // A bare number would otherwise be read as an IPv4 address in decimal, which nobody means.
  if (/^\d+$/.test(text)) return new URL(httpUrl(parseAddress(text)));
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no URL. Write one such as http://127.0.0.1:4001.`);
  }
  return url;
}

/** `--retention 90`. */
export function parseDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS)
    throw new InvalidArgumentError(`${JSON.stringify(text)} is not a number of days from 1 to ${MAX_DAYS}.`);
  return days;
}

/** `--since 2026-01-31`. */
export function parseTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError(`${JSON.stringify(text)} is no time. Write one such as 2026-01-31 or 2026-01-31T12:00:00Z.`);
  return time;
}

/** As a person or a client writes it; an address that means every interface becomes one that can be called. */
export function httpUrl({ host, port }: Address): string {
  const callable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${callable.includes(':') ? `[${callable}]` : callable}:${port}`;
}

/** `a,b`: names of namespaces, each once. */
export function parseNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`${JSON.stringify(wrong.slice(0, 80))} is not the name of a namespace.`);
  return [...new Set(names)];
}

/** `10.0.0.0/8,fd00::/8`: CIDR, each once. */
export function parseNetworks(text: string): string[] {
  const networks = text.split(',').map((network) => network.trim());
  const wrong = networks.find((network) => !isNetwork(network));
  if (wrong !== undefined) throw new InvalidArgumentError(`${JSON.stringify(wrong.slice(0, 80))} is no network, such as 10.0.0.0/8 or fd00::/8.`);
  return [...new Set(networks)];
}

function isNetwork(text: string): boolean {
  const [address = '', length = '', ...more] = text.split('/');
  const version = isIP(address);
  return more.length === 0 && version !== 0 && /^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128);
}

/** `a.example,*.b.example`: DNS names in lower case, each once. */
export function parseHosts(text: string): string[] {
  const hosts = text.split(',').map((host) => host.trim());
  const wrong = hosts.find((host) => host.length > 253 || !/^(?:\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(host));
  if (wrong !== undefined) throw new InvalidArgumentError(`${JSON.stringify(wrong.slice(0, 80))} is no host, such as api.example.com or *.example.com.`);
  return [...new Set(hosts)];
}
