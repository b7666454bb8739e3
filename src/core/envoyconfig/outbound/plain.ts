import { seconds, typed } from '../settings.ts';
import type { Json } from '../settings.ts';
import { GOVERNED, ORIGINAL_DESTINATION } from './settings.ts';
import type { OutboundSettings } from './settings.ts';

/** As much as Envoy takes; it is for the server to say what is too much. */
const MAX_REQUEST_HEADERS_KB = 96;

/** Of a request that names no host, as HTTP/1.0 allows. */
const UNNAMED = 'unnamed.invalid';

const REFUSED_TEXT =
  "airmesh refuses this address (egress: Enforced): it is a provider's, which is to be called by its name, or it is outside the cluster and not declared.\n";

/**
 * HTTP without TLS. Which host is meant is known only from the request: calls to governed hosts go on to the listener that
 * governs them; all others go where they were going, as little changed as a proxy can. `others` says whether they may.
 */
export function plainHttp(name: string, settings: OutboundSettings, others: 'passed' | 'refused'): Json {
  const hosts = settings.hosts.map(({ host }) => host);
  const refused = { status: 403, body: { inline_string: REFUSED_TEXT } };
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
      stat_prefix: name,
      codec_type: 'AUTO',
      route_config: {
        name,
        ignore_port_in_host_matching: true,
        virtual_hosts: [
          ...(hosts.length === 0
            ? []
            : [
                {
                  name: 'governed',
                  domains: hosts,
                  routes: [{ match: { prefix: '/' }, route: { cluster: GOVERNED, ...UNHURRIED }, request_headers_to_remove: [OWN_PROTO] }],
                },
              ]),
          {
            name: 'others',
            domains: ['*'],
            routes: others === 'refused' ? [{ match: ANY, direct_response: refused }] : [...onward(CONNECT), ...onward(ANY)],
          },
        ],
      },
      early_header_mutation_extensions: [
        {
          name: 'envoy.http.early_header_mutation.header_mutation',
          typed_config: typed('envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation', {
            mutations: [
              { remove: OWN_PROTO },
              { append: { header: { key: OWN_PROTO, value: `%REQ(${PROTO})%` }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' } },
            ],
          }),
        },
      ],
      generate_request_id: false,
      preserve_external_request_id: true,
      server_header_transformation: 'PASS_THROUGH',
      strip_trailing_host_dot: true,
      max_request_headers_kb: MAX_REQUEST_HEADERS_KB,
      stream_idle_timeout: seconds(0),
      proxy_100_continue: true,
      common_http_protocol_options: { idle_timeout: seconds(0), max_headers_count: 1000 },
      http_protocol_options: { ...AS_WRITTEN, accept_http_10: true, default_host_for_http_10: UNNAMED },
      http2_protocol_options: { allow_connect: true },
      upgrade_configs: [{ upgrade_type: 'websocket' }, { upgrade_type: 'CONNECT' }],
      http_filters: [
        {
          name: 'envoy.filters.http.router',
          typed_config: typed('envoy.extensions.filters.http.router.v3.Router', { suppress_envoy_headers: true }),
        },
      ],
    }),
  };
}

/** Envoy adds it to each request, and cannot be told not to. A request's own is noted before, in the other, and goes on as it came. */
const PROTO = 'x-forwarded-proto';
const OWN_PROTO = 'x-airmesh-forwarded-proto';

/** Where it was going. */
function onward(match: { readonly [name: string]: Json }): readonly Json[] {
  const hasOwn = { ...match, headers: [{ name: OWN_PROTO, present_match: true }] };
  return [
    { match: hasOwn, route: ONWARD, request_headers_to_remove: [OWN_PROTO] },
    { match, route: ONWARD, request_headers_to_remove: [PROTO] },
  ];
}

/** HTTP/1.1 with header names as they came, and trailers. */
export const AS_WRITTEN: { readonly [name: string]: Json } = {
  enable_trailers: true,
  header_key_format: {
    stateful_formatter: {
      name: 'preserve_case',
      typed_config: typed('envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig', {}),
    },
  },
};

const UNHURRIED = { timeout: seconds(0), idle_timeout: seconds(0) };
const ONWARD: Json = { cluster: ORIGINAL_DESTINATION, ...UNHURRIED };
/** Also `OPTIONS *`, whose path has no slash. */
const ANY: { readonly [name: string]: Json } = { prefix: '' };
const CONNECT: { readonly [name: string]: Json } = { connect_matcher: {} };
