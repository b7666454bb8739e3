/** An IPv4 or IPv6 address rather than a name. */
export function isIpAddress(host: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) || host.includes(':');
}

/**
 * Addresses that are private by standard, as CIDR, for clusters that do not say which are their own: RFC 1918, RFC 6598 (used
 * for pods by some), RFC 4193; and where NodeLocal DNSCache listens. Not the link-local ones: clouds keep credentials there.
 */
export const PRIVATE_NETWORKS: readonly string[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.20.0/24', 'fc00::/7'];
