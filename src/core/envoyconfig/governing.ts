import { callerKey } from './callerkey.ts';
import { localReplies } from './localreply.ts';
import {
  BACKEND_HEADER,
  BODY_HEADER,
  BUFFER_BYTES,
  CALLER_KEY_HEADER,
  DOOR_FILTER,
  DOOR_METADATA,
  EXT_PROC_FILTER,
  FRONT_METADATA,
  PASS_HEADER,
  PEER_URI_ATTRIBUTE,
  PROCESSOR_CLUSTER,
  WEB_SOCKET,
  WORKLOAD_METADATA,
  routesFile,
  seconds,
  typed,
  watched,
} from './settings.ts';
import type { EnvoySettings, Json } from './settings.ts';

/** What a caller could otherwise tell Envoy to do, and what only the processor may say. Removed on entry, before anything reads it. */
const REMOVED_ON_ENTRY = [
  BACKEND_HEADER,
  BODY_HEADER,
  CALLER_KEY_HEADER,
  'x-airmesh-request-id',
  'x-airmesh-model',
  'x-airmesh-provider',
  'x-airmesh-output-cap',
  'x-airmesh-warning',
  'x-airmesh-workload',
  'x-envoy-attempt-count',
  'x-envoy-decorator-operation',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-force-trace',
  'x-envoy-hedge-on-per-try-timeout',
  'x-envoy-internal',
  'x-envoy-ip-tags',
  'x-envoy-max-retries',
  'x-envoy-original-path',
  'x-envoy-original-host',
  'x-envoy-retriable-header-names',
  'x-envoy-retriable-status-codes',
  'x-envoy-retry-grpc-on',
  'x-envoy-retry-on',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-stream-duration-ms',
] as const;

/** What happens to a request's headers before anything reads them. */
export function onEntry({ placeholderKey }: Pick<EnvoySettings, 'placeholderKey'>): readonly Json[] {
  return [...REMOVED_ON_ENTRY.map((remove) => ({ remove })), ...(placeholderKey === undefined ? [] : [callerKey(placeholderKey)])];
}

/** Of all request headers together; SDKs send one or two. */
const MAX_REQUEST_HEADERS_KB = 60;

/** Of all streams of a caller's HTTP/2 connection; bodies that wait keep a stream's part of it each. */
const CONNECTION_WINDOW_BYTES = 67_108_864;

/** How calls come to a connection manager. */
export interface Entrance {
  /** Asked first, once the body is whole: some clients lose an answer that comes while they still send. */
  readonly guards?: readonly Json[];
  /** Whether there are routes by which a WebSocket passes; it meets the guards, and nothing that governs. */
  readonly mayUpgrade?: boolean;
}

/** The filter that governs a workload's calls. */
export function governingManager(workload: string, settings: EnvoySettings, { guards = [], mayUpgrade = false }: Entrance = {}): Json {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: typed(
      'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      connectionManager(workload, settings, guards, mayUpgrade),
    ),
  };
}

function connectionManager(workload: string, settings: EnvoySettings, guards: readonly Json[], mayUpgrade: boolean): { readonly [name: string]: Json } {
  return {
    stat_prefix: 'ai',
    codec_type: 'AUTO',
    rds: { route_config_name: workload, config_source: watched(settings, routesFile(workload)) },
    use_remote_address: true,
    // A caller's own x-request-id is its own affair, and goes on as it is; Envoy's would be one more thing that providers can tell calls by.
    generate_request_id: false,
    preserve_external_request_id: true,
    skip_xff_append: true,
    server_header_transformation: 'PASS_THROUGH',
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'REJECT_REQUEST',
    max_request_headers_kb: MAX_REQUEST_HEADERS_KB,
    common_http_protocol_options: { headers_with_underscores_action: 'DROP_HEADER' },
    http2_protocol_options: { max_concurrent_streams: 1024, initial_stream_window_size: BUFFER_BYTES, initial_connection_window_size: CONNECTION_WINDOW_BYTES },
    // Long streams are bounded by the provider's own idle timeout, on the route.
    stream_idle_timeout: seconds(0),
    request_headers_timeout: seconds(10_000),
    drain_timeout: seconds(30_000),
    early_header_mutation_extensions: [
      {
        name: 'envoy.http.early_header_mutation.header_mutation',
        typed_config: typed('envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation', {
          mutations: [{ remove: PASS_HEADER }, ...onEntry(settings)],
        }),
      },
    ],
    local_reply_config: localReplies(),
    ...(mayUpgrade ? { upgrade_configs: [{ upgrade_type: WEB_SOCKET, enabled: false, filters: [...guards, router()] }] } : {}),
    http_filters: [
      { ...door(workload, settings), disabled: true },
      wholeBody(settings),
      ...guards,
      compressor('gzip'),
      compressor('brotli'),
      extProc(workload, settings),
      router(),
    ],
  };
}

/** Holds a request until its body is whole, so that the processor gets headers and body at once, and decides upon both with one wait. */
export function wholeBody(settings: Pick<EnvoySettings, 'maxRequestBytes'>): { readonly [name: string]: Json } {
  return {
    name: 'envoy.filters.http.buffer',
    typed_config: typed('envoy.extensions.filters.http.buffer.v3.Buffer', { max_request_bytes: settings.maxRequestBytes }),
  };
}

/**
 * Before a large body is taken in, asks the processor whether there is room for it, on the routes that say so. Meanwhile Envoy reads no
 * more of it than it buffers of any stream.
 */
export function door(workload: string | undefined, settings: Pick<EnvoySettings, 'headersRead' | 'messageTimeoutMs'>): { readonly [name: string]: Json } {
  return {
    name: DOOR_FILTER,
    typed_config: typed('envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
      grpc_service: { envoy_grpc: { cluster_name: PROCESSOR_CLUSTER }, initial_metadata: [{ key: DOOR_METADATA, value: 'large' }, ...named(workload)] },
      failure_mode_allow: false,
      status_on_error: { code: 'ServiceUnavailable' },
      processing_mode: { request_header_mode: 'SEND', response_header_mode: 'SEND', request_trailer_mode: 'SKIP', response_trailer_mode: 'SKIP' },
      forward_rules: {
        allowed_headers: { patterns: [':path', ':method', ':authority', 'content-length', ...settings.headersRead].map((exact) => ({ exact })) },
      },
      message_timeout: seconds(settings.messageTimeoutMs),
    }),
  };
}

/** Whose calls a filter's are. */
const named = (workload: string | undefined): readonly Json[] => (workload === undefined ? [] : [{ key: WORKLOAD_METADATA, value: workload }]);

/** What the filter that asks the processor depends on. */
export type ExtProcSettings = Pick<EnvoySettings, 'headersRead' | 'messageTimeoutMs' | 'credentialHeaders' | 'placeholderKey'>;

/**
 * Asks the processor about calls that found a route, which says what is asked (`routes.ts`). What Envoy answers before it
 * knows a route (headers too large, no HTTP at all) is not its business, and would wait for it while the connection closes.
 * `workload`: who calls; absent where the processor knows by itself.
 */
export function extProc(workload: string | undefined, settings: ExtProcSettings): { readonly [name: string]: Json } {
  return {
    name: EXT_PROC_FILTER,
    typed_config: typed('envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
      grpc_service: {
        envoy_grpc: { cluster_name: PROCESSOR_CLUSTER },
        ...(workload === undefined ? {} : { initial_metadata: named(workload) }),
      },
      failure_mode_allow: false,
      status_on_error: { code: 'ServiceUnavailable' },
      processing_mode: { request_header_mode: 'SKIP', response_header_mode: 'SKIP', request_trailer_mode: 'SKIP', response_trailer_mode: 'SKIP' },
      send_body_without_waiting_for_header_response: true,
      forward_rules: {
        allowed_headers: {
          patterns: [
            ':path',
            ':method',
            ':authority',
            ':status',
            'content-type',
            BODY_HEADER,
            ...(settings.placeholderKey === undefined ? [] : [CALLER_KEY_HEADER]),
            ...new Set([...settings.headersRead, ...(settings.credentialHeaders ?? [])].filter((name) => name !== 'content-type')),
          ].map((exact) => ({
            exact,
          })),
        },
      },
      ...(settings.credentialHeaders === undefined ? {} : { request_attributes: [PEER_URI_ATTRIBUTE] }),
      response_attributes: ['response.code_details'],
      metadata_options: { receiving_namespaces: { untyped: [FRONT_METADATA.namespace] } },
      message_timeout: seconds(settings.messageTimeoutMs),
    }),
  };
}

type Coding = 'gzip' | 'brotli';

const CODER: Readonly<Record<Coding, string>> = { gzip: 'Gzip', brotli: 'Brotli' };

/** For callers that ask for it: the answer is compressed after the processor has read it. */
function compressor(coding: Coding): Json {
  return {
    name: `envoy.filters.http.compressor.${coding}`,
    typed_config: typed('envoy.extensions.filters.http.compressor.v3.Compressor', {
      compressor_library: { name: coding, typed_config: typed(`envoy.extensions.compression.${coding}.compressor.v3.${CODER[coding]}`, {}) },
      response_direction_config: { common_config: { min_content_length: 1024, content_type: ['application/json'] } },
    }),
  };
}

function router(): Json {
  return {
    name: 'envoy.filters.http.router',
    typed_config: typed('envoy.extensions.filters.http.router.v3.Router', { suppress_envoy_headers: true }),
  };
}
