/** The names that whatever is below a root can have (RFC 5280, section 4.2.1.10). */
export interface NameConstraints {
  /** DNS names, and all below them; none: any. */
  readonly permittedDns: readonly string[];
  /** Whether addresses are excluded. */
  readonly noIps: boolean;
}

export const NAME_CONSTRAINTS_OID = '2.5.29.30';

const SEQUENCE = 0x30;
const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;
/** Kinds of GeneralName. */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** The extension's value in DER; `undefined` where nothing is constrained. */
export function encodeConstraints({ permittedDns, noIps }: NameConstraints): Uint8Array | undefined {
  const permitted = permittedDns.map((name) => subtree(DNS_NAME, Buffer.from(name, 'ascii')));
  // An address and a mask of nothing but zeros: all of them.
  const excluded = noIps ? [subtree(IP_ADDRESS, Buffer.alloc(8)), subtree(IP_ADDRESS, Buffer.alloc(32))] : [];
  if (permitted.length + excluded.length === 0) return undefined;
  return element(SEQUENCE, [
    ...(permitted.length === 0 ? [] : [element(PERMITTED, permitted)]),
    ...(excluded.length === 0 ? [] : [element(EXCLUDED, excluded)]),
  ]);
}

/** Why a leaf with these names would be believed by nobody; `undefined`: it would. */
export function constraintFault({ permittedDns, noIps }: NameConstraints, dns: readonly string[], ips: readonly string[]): string | undefined {
  if (noIps && ips.length > 0) return `the address ${ips[0]}: this authority certifies no addresses`;
  if (permittedDns.length === 0) return undefined;
  const outside = dns.find((name) => !permittedDns.some((permitted) => name === permitted || name.endsWith(`.${permitted}`)));
  return outside === undefined ? undefined : `the name ${outside}: this authority certifies ${permittedDns.join(', ')} and names below them`;
}

const subtree = (kind: number, base: Uint8Array): Uint8Array => element(SEQUENCE, [element(kind, [base])]);

function element(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  return [0x82, length >> 8, length & 0xff];
}
