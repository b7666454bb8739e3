/** Which connections are redirected, and to where. */
export interface RedirectionSettings {
  /** Where redirected connections arrive, on the loopback address. */
  readonly toPort: number;
  /** Of TCP; `all`: every one. */
  readonly ports: readonly number[] | 'all';
  /** Whose connections are not redirected: the sidecar's, of this user and this group. Absent: nobody's. */
  readonly except?: { readonly uid: number; readonly gid: number };
  /** Users of a mesh's own proxies, whose connections are theirs: what they originate TLS to must not come back to us. */
  readonly exceptUsers?: readonly number[];
  /** Of TCP, at which the sidecar is reached from outside, whatever a mesh redirects. */
  readonly reached?: readonly number[];
  /** Where questions for names are redirected to, on the loopback address. Absent: they go where they were going. */
  readonly namesToPort?: number;
}

export type Family = 'ipv4' | 'ipv6';

/** Chains of our own, where they are; others' are left as they are, but for one jump to each. */
export const CHAINS = {
  redirect: { name: 'AIRMESH_OUTPUT', table: 'nat', from: 'OUTPUT' },
  refuse: { name: 'AIRMESH_REFUSE', table: 'filter', from: 'OUTPUT' },
  reach: { name: 'AIRMESH_REACHED', table: 'nat', from: 'PREROUTING' },
} as const;

export type ChainKey = keyof typeof CHAINS;

const LOOPBACK: Readonly<Record<Family, string>> = { ipv4: '127.0.0.0/8', ipv6: '::1/128' };
const UNREACHABLE: Readonly<Record<Family, string>> = { ipv4: 'icmp-port-unreachable', ipv6: 'icmp6-port-unreachable' };

/** As many as one `multiport` match takes. Source: iptables-extensions(8). */
const PORTS_OF_A_RULE = 15;

/**
 * What `iptables-restore --noflush` is given: in one go, all of it or nothing. Chains that are declared there are emptied
 * first, so that applying it again changes nothing; the jump is put in where `isJumpAbsent` says that there is none, before
 * what others have there, so that a mesh's redirection takes what we leave, whoever came first.
 *
 * Only what the pod's own processes send is redirected, in the chain OUTPUT; of what comes to it from outside, the sidecar's own
 * ports are kept from a mesh's redirection, which may not know of them.
 * HTTP/3 to port 443 is refused with an answer, so that clients turn to TCP at once.
 */
export function redirectionRules(family: Family, settings: RedirectionSettings, isJumpAbsent: Readonly<Record<ChainKey, boolean>>): string {
  const { toPort, ports, except, exceptUsers = [], reached = [], namesToPort } = settings;
  const [nat, filter] = [CHAINS.redirect.name, CHAINS.refuse.name];
  const chain = (key: ChainKey): readonly string[] => {
    const { name, from } = CHAINS[key];
    return [`:${name} - [0:0]`, ...(isJumpAbsent[key] ? [`-I ${from} -j ${name}`] : [])];
  };
  const ours = [
    ...(except === undefined ? [] : [`-m owner --uid-owner ${except.uid} --gid-owner ${except.gid}`]),
    ...exceptUsers.map((uid) => `-m owner --uid-owner ${uid}`),
  ];
  const names =
    namesToPort === undefined
      ? []
      : [`-A ${nat} -p udp --dport 53 -j REDIRECT --to-ports ${namesToPort}`, `-A ${nat} -p tcp --dport 53 -j REDIRECT --to-ports ${toPort}`];
  return lines(
    '*nat',
    ...chain('redirect'),
    ...ours.map((match) => `-A ${nat} ${match} -j RETURN`),
    ...names,
    `-A ${nat} -o lo -j RETURN`,
    `-A ${nat} -d ${LOOPBACK[family]} -j RETURN`,
    ...matchesOf(ports).map((match) => `-A ${nat} -p tcp${match} -j REDIRECT --to-ports ${toPort}`),
    ...(reached.length === 0 ? [] : [...chain('reach'), ...matchesOf(reached).map((match) => `-A ${CHAINS.reach.name} -p tcp${match} -j ACCEPT`)]),
    'COMMIT',
    '*filter',
    ...chain('refuse'),
    ...ours.map((match) => `-A ${filter} ${match} -j RETURN`),
    `-A ${filter} -o lo -j RETURN`,
    `-A ${filter} -p udp --dport 443 -j REJECT --reject-with ${UNREACHABLE[family]}`,
    'COMMIT',
  );
}

/** What takes it all back, whatever the settings were: how often each jump is there, and whether the chain is. */
export function removalOf(present: Readonly<Record<ChainKey, { readonly jumps: number; readonly hasChain: boolean }>>): string {
  return lines(
    ...(['redirect', 'refuse', 'reach'] as const).flatMap((key) => {
      const { jumps, hasChain } = present[key];
      const { name, table, from } = CHAINS[key];
      if (!hasChain) return [];
      return [`*${table}`, ...Array.from({ length: jumps }, () => `-D ${from} -j ${name}`), `-F ${name}`, `-X ${name}`, 'COMMIT'];
    }),
  );
}

function matchesOf(ports: RedirectionSettings['ports']): readonly string[] {
  if (ports === 'all') return [''];
  const distinct = [...new Set(ports)].toSorted((a, b) => a - b);
  const groups = Array.from({ length: Math.ceil(distinct.length / PORTS_OF_A_RULE) }, (_, index) =>
    distinct.slice(index * PORTS_OF_A_RULE, (index + 1) * PORTS_OF_A_RULE),
  );
  return groups.map((group) => ` -m multiport --dports ${group.join(',')}`);
}

const lines = (...each: readonly string[]): string => each.map((line) => `${line}\n`).join('');
