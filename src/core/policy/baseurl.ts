import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import type { ProviderUrl } from './snapshot.ts';

/** An address that Airmesh itself listens on. */
export interface OwnAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads a provider's root URL. No credentials, query or fragment; not ourselves, which would be a loop. */
export function parseBaseUrl(text: string, own: readonly OwnAddress[]): Result<ProviderUrl, string> {
  const match = /^(https?):\/\/(\[[0-9a-fA-F:.]+\]|[^/?#:@\s]+)(?::(\d{1,5}))?(\/[^?#\s]*)?$/.exec(text);
  if (match === null) {
    if (/^[a-z]+:\/\/[^/]*@/i.test(text)) return err('holds credentials; keys belong in auth.apiKey');
    if (/[?#]/.test(text)) return err('holds a query or a fragment; give the root of the API only');
    return err('is not an http(s) URL such as https://api.openai.com/v1');
  }
  const [, scheme, rawHost = '', rawPort, rawPath = ''] = match;
  const host = rawHost.replace(/^\[|\]$/g, '').toLowerCase();
  const tls = scheme === 'https';
  const port = rawPort === undefined ? (tls ? 443 : 80) : Number(rawPort);
  if (port < 1 || port > 65_535) return err(`names port ${port}, which does not exist`);
  if (!/^[a-z0-9.:_-]+$/.test(host)) return err('has a host name with characters that host names do not have');
  if (isNumber(host) && !isIpv4(host)) return err('has a host that is a number, but not an address such as 10.0.0.7');
  if (own.some((address) => address.port === port && isSameHost(address.host.toLowerCase(), host))) {
    return err('points back at Airmesh itself, which would send calls in a circle; give the provider’s own address');
  }
  return ok({ tls, host, port, basePath: rawPath.replace(/\/+$/, '') });
}

/** Browsers and resolvers take a host whose last part is a number for an IPv4 address, in whatever base and number of parts. */
const isNumber = (host: string): boolean => !host.includes(':') && /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/.test(host);

const isIpv4 = (host: string): boolean => /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) && host.split('.').every((part) => Number(part) <= 255);

/** Where we listen on every address, or on a loopback one, each loopback name of this machine leads to us. */
function isSameHost(own: string, host: string): boolean {
  return own === host || (isThisMachine(own) && isThisMachine(host));
}

/** Loopback and unspecified addresses, IPv4 ones within IPv6 as well, and the names that RFC 6761 keeps for this machine. */
function isThisMachine(host: string): boolean {
  const name = host.replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const ipv4 = name.replace(/^[0:]*:ffff:/, '');
  return /^127\.|^0\.0\.0\.0$|^7f[0-9a-f]{2}:/.test(ipv4) || /^[0:]*:[0:]*1?$/.test(name);
}
