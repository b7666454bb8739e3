import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import type { ProviderUrl } from './snapshot.ts';

/** An address that Airmesh itself listens on. */
export interface OwnAddress {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', '::']);

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
  const ourselves = own.some((address) => address.port === port && (address.host === host || (LOOPBACK.has(host) && LOOPBACK.has(address.host))));
  if (ourselves) return err('points back at Airmesh itself, which would send calls in a circle; give the provider’s own address');
  return ok({ tls, host, port, basePath: rawPath.replace(/\/+$/, '') });
}
