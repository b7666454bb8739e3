import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { quote } from './fields.ts';

/** Where a service may be. */
export interface Target {
  /** As gRPC writes it: one address, not to be resolved any more. */
  readonly target: string;
  /** What the service's certificate must name; absent for a socket file. */
  readonly host?: string;
  readonly authority: string;
}

/** Whether it is `host:port` or `unix:/path`; else what is wrong with it. */
export function addressFault(address: string): string | undefined {
  if (address.startsWith('unix:/')) return undefined;
  const { host, port } = split(address);
  if (host !== '' && port > 0 && port < 65_536) return undefined;
  return `${quote(address)} is no address of a controller; write host:port, [IPv6]:port or unix:/path`;
}

/** All addresses that the name has now. */
export async function resolveAddress(address: string): Promise<Result<readonly Target[], string>> {
  if (address.startsWith('unix:')) return ok([{ target: address, authority: 'localhost' }]);
  const { host, port } = split(address);
  try {
    const found = await lookup(host, { all: true });
    return ok(found.map((at) => ({ target: at.family === 6 ? `ipv6:[${at.address}]:${port}` : `ipv4:${at.address}:${port}`, host, authority: address })));
  } catch (error) {
    return err(`${host} cannot be resolved: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
}

function split(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:/[\]]+)):(\d{1,5})$/.exec(address);
  const [, six, name = '', port = '0'] = match ?? [];
  return { host: six === undefined ? name : isIP(six) === 6 ? six : '', port: Number(port) };
}
