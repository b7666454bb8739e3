import type { Json } from '../settings.ts';
import { typed } from '../settings.ts';

/** How connections are dealt with that an application opened to somewhere else and that were redirected here. */
export interface OutboundSettings {
  /** `namespace/name`: whose calls they are. */
  readonly workload: string;
  /** Where redirected connections arrive: loopback addresses, one for each IP version, of one port. */
  readonly addresses: readonly OutboundAddress[];
  readonly hosts: readonly OutboundHost[];
  /** Ports besides 80 and 443 whose connections are looked into. Those of others are sorted by their address alone, and wait for nothing. */
  readonly ports: readonly number[];
  /** In HTTPS, by name, or `*.` and a name. */
  readonly passedHosts: readonly string[];
  readonly refusedHosts: readonly string[];
  /** Of the hosts with a leaf, those whose WebSockets pass, by name. */
  readonly webSocketHosts: readonly string[];
  readonly egress: { readonly kind: 'Open' } | { readonly kind: 'Enforced'; readonly networks: readonly string[] };
  /** For applications in a network namespace that reaches nothing but this Envoy: where their questions for names arrive, and who answers them. */
  readonly resolver?: { readonly listen: OutboundAddress; readonly servers: readonly { readonly host: string; readonly port: number }[] };
}

export interface OutboundAddress {
  readonly host: string;
  readonly port: number;
  /** Path of the network namespace to listen in, where it is not Envoy's own. */
  readonly networkNamespace?: string;
}

/** A host whose calls are governed. */
export interface OutboundHost {
  /** Lower case. */
  readonly host: string;
  /** Its own alone: where egress is enforced, whoever connects to them must name a governed host. */
  readonly addresses?: readonly string[];
  /** PEM. Absent where it is called in plain HTTP only. */
  readonly leaf?: { readonly certificate: string; readonly key: string };
}

/** Clusters that lead where the application itself wanted to, or nowhere. None of them is ever given a key. */
export const ORIGINAL_DESTINATION = 'airmesh_original_destination';
export const NAMED_DESTINATION = 'airmesh_named_destination';
export const NOWHERE = 'airmesh_nowhere';
export const GOVERNED = 'airmesh_governed';
export const RESOLVER = 'airmesh_resolver';

type HostWithLeaf = OutboundHost & Required<Pick<OutboundHost, 'leaf'>>;

export const hostsWithLeaf = (settings: OutboundSettings): readonly HostWithLeaf[] =>
  settings.hosts.filter((host): host is HostWithLeaf => host.leaf !== undefined);

/** Those hosts of `webSocketHosts` that are taken in at all. */
export const hostsWithWebSockets = (settings: OutboundSettings): readonly string[] =>
  hostsWithLeaf(settings)
    .map(({ host }) => host)
    .filter((host) => settings.webSocketHosts.includes(host));

/** An address to listen at. */
export function listenAt({ host, port, networkNamespace }: OutboundAddress, protocol: 'TCP' | 'UDP' = 'TCP'): Json {
  return {
    socket_address: {
      protocol,
      address: host,
      port_value: port,
      ...(networkNamespace === undefined ? {} : { network_namespace_filepath: networkNamespace }),
    },
  };
}

/** Envoy's cache of names that are asked for connection by connection. */
export const NAME_CACHE: Json = { name: 'airmesh_names', dns_lookup_family: 'V4_PREFERRED' };

/** A filter that carries a connection's bytes as they are, however long it is silent. */
export function carry(cluster: string, statPrefix: string): Json {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: typed('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', { stat_prefix: statPrefix, cluster, idle_timeout: '0s' }),
  };
}
