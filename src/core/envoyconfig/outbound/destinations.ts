import { seconds, typed } from '../settings.ts';
import type { Json } from '../settings.ts';
import { AS_WRITTEN } from './plain.ts';
import { GOVERNED, NAMED_DESTINATION, NAME_CACHE, NOWHERE, ORIGINAL_DESTINATION, RESOLVER } from './settings.ts';
import type { OutboundSettings } from './settings.ts';

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** As long as a kernel would try before most programs give up. */
const CONNECT_MS = 10_000;

const NO_LIMIT = 1_000_000_000;
const UNLIMITED = {
  thresholds: [{ max_connections: NO_LIMIT, max_pending_requests: NO_LIMIT, max_requests: NO_LIMIT, max_retries: NO_LIMIT, max_connection_pools: NO_LIMIT }],
};

/** Where redirected connections can lead besides the providers' clusters. */
export function destinations({ egress, resolver }: OutboundSettings): readonly Json[] {
  return [
    originalDestination(),
    typed(CLUSTER, { name: NOWHERE, type: 'STATIC', connect_timeout: seconds(CONNECT_MS) }),
    governed(),
    ...(egress.kind === 'Enforced' ? [namedDestination()] : []),
    ...(resolver === undefined ? [] : [resolverCluster(resolver.servers)]),
  ];
}

/** The address that the application connected to, in the protocol that it speaks, over a connection of its own. */
function originalDestination(): Json {
  return typed(CLUSTER, {
    name: ORIGINAL_DESTINATION,
    type: 'ORIGINAL_DST',
    lb_policy: 'CLUSTER_PROVIDED',
    connect_timeout: seconds(CONNECT_MS),
    connection_pool_per_downstream_connection: true,
    circuit_breakers: UNLIMITED,
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
        common_http_protocol_options: { idle_timeout: seconds(0), max_headers_count: 1000 },
        use_downstream_protocol_config: { http_protocol_options: AS_WRITTEN, http2_protocol_options: { allow_connect: true } },
      }),
    },
  });
}

/** The listener in this Envoy that governs what came without TLS. */
function governed(): Json {
  return typed(CLUSTER, {
    name: GOVERNED,
    type: 'STATIC',
    connect_timeout: seconds(CONNECT_MS),
    circuit_breakers: UNLIMITED,
    load_assignment: {
      cluster_name: GOVERNED,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { envoy_internal_address: { server_listener_name: GOVERNED } } } }] }],
    },
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
        use_downstream_protocol_config: { http_protocol_options: AS_WRITTEN, http2_protocol_options: {} },
      }),
    },
  });
}

/** The host that TLS names, as this Envoy resolves it: nobody gets elsewhere under the name of one that may be reached. */
function namedDestination(): Json {
  return typed(CLUSTER, {
    name: NAMED_DESTINATION,
    lb_policy: 'CLUSTER_PROVIDED',
    connect_timeout: seconds(CONNECT_MS),
    circuit_breakers: UNLIMITED,
    cluster_type: {
      name: 'envoy.clusters.dynamic_forward_proxy',
      typed_config: typed('envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig', { dns_cache_config: NAME_CACHE }),
    },
  });
}

function resolverCluster(servers: readonly { readonly host: string; readonly port: number }[]): Json {
  return typed(CLUSTER, {
    name: RESOLVER,
    type: 'STATIC',
    connect_timeout: seconds(CONNECT_MS),
    load_assignment: {
      cluster_name: RESOLVER,
      endpoints: [
        {
          lb_endpoints: servers.map(({ host, port }) => ({ endpoint: { address: { socket_address: { protocol: 'UDP', address: host, port_value: port } } } })),
        },
      ],
    },
  });
}
