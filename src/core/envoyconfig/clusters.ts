import { WEB_SOCKET_PROTOCOLS, destinations, webSocketUpstreams } from './outbound/index.ts';
import { PROCESSOR_CLUSTER, seconds, typed } from './settings.ts';
import type { EnvoySettings, Json, UpstreamSettings } from './settings.ts';

/** More calls at once than one Envoy can have: its default of 1,024 would answer 500 beyond about 2,000. */
const NO_LIMIT = 1_000_000;

/** What one ext_proc stream may hold back: a whole buffered body. */
const PROCESSOR_WINDOW_BYTES = 16 * 1024 * 1024;

export function clusters(settings: EnvoySettings): Json {
  const { outbound } = settings;
  return {
    resources: [
      processor(settings),
      ...settings.upstreams.map((upstream) => provider(upstream, settings)),
      ...(outbound === undefined
        ? []
        : [...destinations(outbound), ...webSocketUpstreams(outbound).map((upstream) => provider(upstream, settings, WEB_SOCKET_PROTOCOLS))]),
    ],
  };
}

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export function processor(settings: Pick<EnvoySettings, 'processorSocket'>): Json {
  return typed(CLUSTER, {
    name: PROCESSOR_CLUSTER,
    type: 'STATIC',
    connect_timeout: seconds(1000),
    load_assignment: assignment(PROCESSOR_CLUSTER, { pipe: { path: settings.processorSocket } }),
    circuit_breakers: { thresholds: [{ max_connections: NO_LIMIT, max_pending_requests: NO_LIMIT, max_requests: NO_LIMIT, max_retries: NO_LIMIT }] },
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
        explicit_http_config: {
          http2_protocol_options: {
            initial_stream_window_size: PROCESSOR_WINDOW_BYTES,
            initial_connection_window_size: PROCESSOR_WINDOW_BYTES,
            max_concurrent_streams: NO_LIMIT,
          },
        },
      }),
    },
  });
}

/** `spoken`: the protocols, where they are not those of providers. */
export function provider(upstream: UpstreamSettings, settings: Pick<EnvoySettings, 'trustedCaFile'>, spoken: Json = protocols(upstream)): Json {
  const { circuitBreaker, outlierDetection, timeouts } = upstream;
  return typed(CLUSTER, {
    name: upstream.id,
    connect_timeout: seconds(timeouts.connectMs),
    ...(isAddress(upstream.host) ? { type: 'STATIC' } : { type: 'LOGICAL_DNS', dns_lookup_family: 'V4_PREFERRED' }),
    load_assignment: assignment(upstream.id, { socket_address: { address: upstream.host, port_value: upstream.port } }),
    circuit_breakers: {
      thresholds: [
        {
          max_connections: circuitBreaker.maxConnections,
          max_pending_requests: circuitBreaker.maxPendingRequests,
          max_requests: circuitBreaker.maxRequests,
          max_retries: circuitBreaker.maxRequests,
        },
      ],
    },
    outlier_detection: {
      consecutive_5xx: outlierDetection.consecutive5xx,
      interval: seconds(outlierDetection.intervalMs),
      base_ejection_time: seconds(outlierDetection.baseEjectionTimeMs),
      max_ejection_percent: 100,
    },
    typed_extension_protocol_options: { [HTTP_OPTIONS]: spoken },
    ...(upstream.tls ? { transport_socket: tls(upstream, settings) } : {}),
  });
}

/** HTTP/2 where TLS can agree on it, HTTP/1.1 elsewhere. */
function protocols(upstream: UpstreamSettings): Json {
  const common = { common_http_protocol_options: { idle_timeout: seconds(60_000) } };
  return upstream.tls
    ? typed(HTTP_OPTIONS, {
        ...common,
        auto_config: { http2_protocol_options: { connection_keepalive: { interval: seconds(30_000), timeout: seconds(10_000) } } },
      })
    : typed(HTTP_OPTIONS, { ...common, explicit_http_config: { http_protocol_options: {} } });
}

/** The provider is who its certificate says, by public authorities or its own and by name; the name is the route's, never the caller's. */
function tls(upstream: UpstreamSettings, settings: Pick<EnvoySettings, 'trustedCaFile'>): Json {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
      sni: upstream.host,
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        validation_context: {
          trusted_ca: upstream.caCertificates === undefined ? { filename: settings.trustedCaFile } : { inline_string: upstream.caCertificates },
          match_typed_subject_alt_names: [{ san_type: isAddress(upstream.host) ? 'IP_ADDRESS' : 'DNS', matcher: { exact: upstream.host } }],
        },
      },
    }),
  };
}

function assignment(name: string, address: Json): Json {
  return { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
}

/** An IPv4 or IPv6 address rather than a name. */
function isAddress(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes(':');
}
