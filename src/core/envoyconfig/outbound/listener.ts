import { governingManager } from '../governing.ts';
import { BUFFER_BYTES, seconds, typed, watched } from '../settings.ts';
import type { EnvoySettings, Json } from '../settings.ts';
import { plainHttp } from './plain.ts';
import {
  GOVERNED,
  NAMED_DESTINATION,
  NAME_CACHE,
  NOWHERE,
  ORIGINAL_DESTINATION,
  RESOLVER,
  carry,
  hostsWithLeaf,
  hostsWithWebSockets,
  listenAt,
} from './settings.ts';
import type { OutboundSettings } from './settings.ts';
import { inspectedPorts, sortConnections } from './sorting.ts';
import type { Fate } from './sorting.ts';
import { leafFile } from './leaves.ts';
import { isFor } from './websockets.ts';

/**
 * How long a client may take to say what it speaks. Clients of TLS and HTTP speak at once; one that is held up by its own
 * machine must not go by ungoverned. A server that speaks first, on one of these ports, waits for so long.
 */
const FIRST_WORDS_MS = 5000;

/** What the redirected connections meet, and the listener for those that turn out to be governed HTTP. */
export function outboundListeners(outbound: OutboundSettings, settings: EnvoySettings): readonly Json[] {
  const [first, ...others] = outbound.addresses;
  if (first === undefined) throw new TypeError('Redirected connections need an address to arrive at.');
  return [
    typed('envoy.config.listener.v3.Listener', {
      name: GOVERNED,
      internal_listener: {},
      per_connection_buffer_limit_bytes: BUFFER_BYTES,
      filter_chains: [{ filters: [governingManager(outbound.workload, settings, { mayUpgrade: hostsWithWebSockets(outbound).length > 0 })] }],
    }),
    typed('envoy.config.listener.v3.Listener', {
      name: 'outbound',
      address: listenAt(first),
      ...(others.length === 0 ? {} : { additional_addresses: others.map((address) => ({ address: listenAt(address) })) }),
      per_connection_buffer_limit_bytes: BUFFER_BYTES,
      listener_filters: listenerFilters(outbound),
      listener_filters_timeout: seconds(FIRST_WORDS_MS),
      continue_on_listener_filters_timeout: true,
      filter_chain_matcher: sortConnections(outbound),
      filter_chains: chains(outbound, settings),
    }),
    ...(outbound.resolver === undefined ? [] : [names(outbound.resolver.listen)]),
  ];
}

function chains(outbound: OutboundSettings, settings: EnvoySettings): readonly Json[] {
  const chain = (name: Fate, filters: readonly Json[], more: { readonly [field: string]: Json } = {}): Json => ({ name, filters, ...more });
  const isEnforced = outbound.egress.kind === 'Enforced';
  return [
    chain('refused', [carry(NOWHERE, 'refused')]),
    chain('passed', [carry(ORIGINAL_DESTINATION, 'passed')]),
    chain('plain', [plainHttp('plain', outbound, 'passed')]),
    ...(isEnforced
      ? [
          chain('plain-outside', [plainHttp('plain-outside', outbound, 'refused')]),
          chain('passed-by-name', [byName(), carry(NAMED_DESTINATION, 'passed-by-name')]),
        ]
      : []),
    ...(hostsWithLeaf(outbound).length === 0
      ? []
      : [
          chain(
            'governed-tls',
            [governingManager(outbound.workload, settings, { guards: [hostIsServerName(outbound)], mayUpgrade: hostsWithWebSockets(outbound).length > 0 })],
            {
              transport_socket: terminated(outbound, settings),
            },
          ),
        ]),
  ];
}

function listenerFilters(outbound: OutboundSettings): readonly Json[] {
  const inspected = inspectedPorts(outbound);
  // A range's end is not part of it.
  const ranges = inspected.map((port) => ({ destination_port_range: { start: port, end: port + 1 } }));
  const elsewhere: Json = { not_match: { or_match: { rules: ranges } } };
  return [
    { name: 'envoy.filters.listener.original_dst', typed_config: typed('envoy.extensions.filters.listener.original_dst.v3.OriginalDst', {}) },
    {
      name: 'envoy.filters.listener.tls_inspector',
      typed_config: typed('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector', {}),
      filter_disabled: elsewhere,
    },
    {
      name: 'envoy.filters.listener.http_inspector',
      typed_config: typed('envoy.extensions.filters.listener.http_inspector.v3.HttpInspector', {}),
      filter_disabled: elsewhere,
    },
  ];
}

/** TLS of the governed hosts ends here; Envoy picks the leaf by the name that the client asks for. */
function terminated(outbound: OutboundSettings, settings: EnvoySettings): Json {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificate_sds_secret_configs: hostsWithLeaf(outbound).map(({ host }) => ({ name: host, sds_config: watched(settings, leafFile(host)) })),
      },
    }),
  };
}

/** A call's host is the one that its connection was made for. Whoever names another one is told to connect to that (RFC 9110, 421). */
function hostIsServerName(outbound: OutboundSettings): Json {
  const policies = hostsWithLeaf(outbound).map(
    ({ host }) => [host, { permissions: [{ and_rules: { rules: [named(host), asked(host)] } }], principals: [{ any: true }] }] as const,
  );
  return {
    name: 'envoy.filters.http.rbac',
    typed_config: typed('envoy.extensions.filters.http.rbac.v3.RBAC', { rules: { action: 'ALLOW', policies: Object.fromEntries(policies) } }),
  };
}

const asked = (host: string): Json => ({ requested_server_name: { exact: host } });

const named = (host: string): Json => ({ header: isFor(host) });

function byName(): Json {
  return {
    name: 'envoy.filters.network.sni_dynamic_forward_proxy',
    typed_config: typed('envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig', { dns_cache_config: NAME_CACHE, port_value: 443 }),
  };
}

/** Questions for names, carried to the machine's own resolvers. */
function names(listen: Parameters<typeof listenAt>[0]): Json {
  return typed('envoy.config.listener.v3.Listener', {
    name: 'names',
    address: listenAt(listen, 'UDP'),
    listener_filters: [
      {
        name: 'envoy.filters.udp_listener.udp_proxy',
        typed_config: typed('envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig', {
          stat_prefix: 'names',
          matcher: {
            on_no_match: {
              action: { name: 'route', typed_config: typed('envoy.extensions.filters.udp.udp_proxy.v3.Route', { cluster: RESOLVER }) },
            },
          },
          idle_timeout: seconds(10_000),
        }),
      },
    ],
  });
}
