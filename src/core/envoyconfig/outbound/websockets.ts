import { BACKEND_HEADER, CALLER_KEY_HEADER, WEB_SOCKET, seconds, typed } from '../settings.ts';
import type { Json, UpstreamSettings } from '../settings.ts';
import { hostsWithWebSockets } from './settings.ts';
import type { OutboundSettings } from './settings.ts';

const nameOf = (host: string): string => `airmesh_websocket/${host}`;

/** The host itself, as this Envoy resolves and verifies it. */
export function webSocketUpstreams(outbound: OutboundSettings): readonly UpstreamSettings[] {
  const unlimited = 1_000_000;
  return hostsWithWebSockets(outbound).map((host) => ({
    id: nameOf(host),
    host,
    port: 443,
    tls: true,
    timeouts: { connectMs: 10_000, requestMs: 0, idleMs: 0 },
    retries: { attempts: 0, baseIntervalMs: 0, maxIntervalMs: 0 },
    circuitBreaker: { maxConnections: unlimited, maxPendingRequests: unlimited, maxRequests: unlimited },
    // One connection that its server ends is no outlier.
    outlierDetection: { consecutive5xx: 1_000_000, intervalMs: 60_000, baseEjectionTimeMs: 1 },
  }));
}

/** Before all others, of requests that ask for a WebSocket; nowhere else are those let. They go as they came, and nothing that governs sees them. */
export function webSocketRoutes(outbound: OutboundSettings): readonly Json[] {
  return hostsWithWebSockets(outbound).map((host) => ({
    name: nameOf(host),
    match: {
      prefix: '/',
      headers: [{ name: 'upgrade', string_match: { exact: WEB_SOCKET, ignore_case: true } }, isFor(host)],
    },
    request_headers_to_remove: [BACKEND_HEADER, CALLER_KEY_HEADER],
    route: {
      cluster: nameOf(host),
      host_rewrite_literal: host,
      timeout: seconds(0),
      idle_timeout: seconds(0),
      upgrade_configs: [{ upgrade_type: WEB_SOCKET }],
    },
  }));
}

/** A request whose host is this one, however it is written. */
export function isFor(host: string): { readonly [name: string]: Json } {
  return { name: ':authority', string_match: { safe_regex: { regex: `(?i)${host.replaceAll('.', '\\.')}(:[0-9]{1,5})?` } } };
}

/** WebSockets begin in HTTP/1.1. */
export const WEB_SOCKET_PROTOCOLS: Json = typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
  explicit_http_config: { http_protocol_options: {} },
});
