import { isIP } from 'node:net';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DNS_NAME = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
const MAX_DNS_LENGTH = 253;

/** Why a certificate can't be for these; `undefined`: it can. */
export function namesFault(dns: readonly string[], ips: readonly string[], uris: readonly string[]): string | undefined {
  if (dns.length + ips.length + uris.length === 0) return 'no name is given';
  const wrongDns = dns.find((name) => name.length > MAX_DNS_LENGTH || !DNS_NAME.test(name) || isIP(name) !== 0);
  if (wrongDns !== undefined) return `${JSON.stringify(wrongDns.slice(0, MAX_DNS_LENGTH))} is no DNS name in lower case`;
  const wrongIp = ips.find((ip) => isIP(ip) === 0 || ip.includes('%'));
  if (wrongIp !== undefined) return `${JSON.stringify(wrongIp.slice(0, MAX_DNS_LENGTH))} is no IP address`;
  const wrongUri = uris.find((uri) => !URL.canParse(uri) || !/^[\x21-\x7e]+$/.test(uri));
  return wrongUri === undefined ? undefined : `${JSON.stringify(wrongUri.slice(0, MAX_DNS_LENGTH))} is no URI`;
}
