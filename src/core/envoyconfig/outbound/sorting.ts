import { typed } from '../settings.ts';
import type { Json } from '../settings.ts';
import { hostsWithLeaf } from './settings.ts';
import type { OutboundSettings } from './settings.ts';

/** What becomes of a connection: the names of the outbound listener's filter chains. */
export type Fate =
  /** HTTPS of a governed host: terminated here. */
  | 'governed-tls'
  /** HTTP without TLS: the host is known only from the request. */
  | 'plain'
  /** The same, to an address where only governed hosts are allowed. */
  | 'plain-outside'
  /** Carried to where it was going. */
  | 'passed'
  /** Carried to the host that it names, wherever it was going. */
  | 'passed-by-name'
  | 'refused';

/** In this order; the first that holds. Whatever is left is passed, or refused where egress is enforced. */
export function sortConnections(settings: OutboundSettings): Json {
  const isEnforced = settings.egress.kind === 'Enforced';
  const own = ownPorts(settings).map((port) => String(port));
  const networks = settings.egress.kind === 'Enforced' ? settings.egress.networks : [];
  const guarded = settings.hosts.flatMap(({ addresses = [] }) => addresses).map((each) => `${each}/${each.includes(':') ? 128 : 32}`);
  const rows: (readonly [Json | undefined, Fate])[] = [
    // Who connects to this listener itself, rather than being redirected, would be sent in a circle.
    [port(own), 'refused'],
    [serverName(settings.refusedHosts), 'refused'],
    [serverName(settings.passedHosts), isEnforced ? 'passed-by-name' : 'passed'],
    [serverName(hostsWithLeaf(settings).map(({ host }) => host)), 'governed-tls'],
    ...(isEnforced
      ? ([
          [both(SPEAKS_HTTP, address(guarded)), 'plain-outside'],
          [address(guarded), 'refused'],
          [both(SPEAKS_HTTP, address(networks)), 'plain'],
          [SPEAKS_HTTP, 'plain-outside'],
          // It has not said what it speaks in time. Later it could speak to a model server of the cluster, ungoverned.
          [both(not(SPEAKS_TLS), port(inspectedPorts(settings).map(String))), 'refused'],
          [address(networks), 'passed'],
        ] as const)
      : ([[SPEAKS_HTTP, 'plain']] as const)),
  ];
  return {
    matcher_list: {
      matchers: rows.flatMap(([predicate, fate]) => (predicate === undefined ? [] : [{ predicate, on_match: to(fate) }])),
    },
    on_no_match: to(isEnforced ? 'refused' : 'passed'),
  };
}

/** Ports whose connections are looked into before they are sorted. */
export function inspectedPorts({ ports }: Pick<OutboundSettings, 'ports'>): readonly number[] {
  return [...new Set([80, 443, ...ports])].toSorted((a, b) => a - b);
}

const ownPorts = ({ addresses }: OutboundSettings): readonly number[] => [...new Set(addresses.map(({ port: own }) => own))];

const to = (fate: Fate): Json => ({ action: { name: fate, typed_config: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: fate } } });

const input = (name: string): Json => ({ name, typed_config: typed(`envoy.extensions.matching.common_inputs.network.v3.${name}`, {}) });

const is = (name: string, match: Json): Json => ({ single_predicate: { input: input(name), value_match: match } });

const SPEAKS_TLS = is('TransportProtocolInput', { exact: 'tls' });

/** As `http_inspector` has found; TLS clients name the same protocols. */
const SPEAKS_HTTP: Json = {
  and_matcher: { predicate: [not(SPEAKS_TLS), is('ApplicationProtocolInput', { safe_regex: { google_re2: {}, regex: ".*'(http/1\\.[01]|h2c)'.*" } })] },
};

const port = (ports: readonly string[]): Json | undefined => any(ports.map((each) => is('DestinationPortInput', { exact: each })));

const serverName = (hosts: readonly string[]): Json | undefined =>
  any(hosts.map((host) => is('ServerNameInput', host.startsWith('*.') ? { suffix: host.slice(1) } : { exact: host })));

function address(networks: readonly string[]): Json | undefined {
  if (networks.length === 0) return undefined;
  const ranges = networks.map((network) => {
    const [prefix = '', length = ''] = network.split('/');
    return { address_prefix: prefix, prefix_len: Number(length) };
  });
  return {
    single_predicate: {
      input: input('DestinationIPInput'),
      custom_match: {
        name: 'ip',
        typed_config: typed('envoy.extensions.matching.input_matchers.ip.v3.Ip', { cidr_ranges: ranges, stat_prefix: 'own_network' }),
      },
    },
  };
}

function any(predicates: readonly Json[]): Json | undefined {
  return predicates.length > 1 ? { or_matcher: { predicate: predicates } } : predicates[0];
}

/** `undefined` holds for nothing. */
function both(one: Json, other: Json | undefined): Json | undefined {
  return other === undefined ? undefined : { and_matcher: { predicate: [one, other] } };
}

function not(predicate: Json): Json {
  return { not_matcher: predicate };
}
