import { seconds, typed, watched } from './settings.ts';
import type { EnvoySettings, Json } from './settings.ts';

/** How many callers' connections one Envoy takes; beyond it, they are refused rather than the machine exhausted. */
const MAX_DOWNSTREAM_CONNECTIONS = 50_000;

/** Always there, as a sidecar's Envoy starts before it is told that connections are redirected to it. */
const INTERNAL_LISTENERS: Json = {
  name: 'envoy.bootstrap.internal_listener',
  typed_config: typed('envoy.extensions.bootstrap.internal_listener.v3.InternalListener', {}),
};

/** How full its heap is, Envoy looks so often. */
const OVERLOAD_LOOK_MS = 100;
const HEAP_MONITOR = 'envoy.resource_monitors.fixed_heap';

/** Of that heap, the share from which what is free goes back to the system, and the one from which new requests are refused; connections that are carried go on. */
const SHRINK_FROM = 0.8;
const REFUSE_FROM = 0.9;

/** What a large body took goes back to the system, so much each second, where it would otherwise be kept for the next one. */
const RELEASED_BYTES_PER_S = 64 * 1024 * 1024;

/**
 * For as long as Envoy lives. By default it forgets a client to the processor that no call has asked for within 50 s, and the
 * client with it that a longer call of a quiet workload still uses: ending that one's stream in good order then crashes Envoy
 * 1.40. Source: Bootstrap.GrpcAsyncClientManagerConfig.
 */
const CLIENT_IDLE_MS = 365 * 86_400_000;

/** What Envoy reads once, at its start: where its files lie, its administration, and the flags. Nothing in it may depend on policies. */
export function bootstrap(settings: EnvoySettings): Json {
  return {
    node: { id: settings.nodeId, cluster: 'airmesh' },
    admin: { address: { pipe: { path: settings.adminSocket, mode: 0o600 } } },
    dynamic_resources: { lds_config: watched(settings, 'lds.json'), cds_config: watched(settings, 'cds.json') },
    bootstrap_extensions: [INTERNAL_LISTENERS],
    memory_allocator_manager: { bytes_to_release: RELEASED_BYTES_PER_S, memory_release_interval: seconds(1_000) },
    grpc_async_client_manager_config: { max_cached_entry_idle_duration: seconds(CLIENT_IDLE_MS) },
    stats_flush_interval: seconds(60_000),
    stats_config: {
      stats_matcher: {
        inclusion_list: {
          patterns: ['cluster_manager.', 'listener_manager.', 'server.', 'cluster.', 'http.', 'tcp.', 'sds.'].map((prefix) => ({ prefix })),
        },
      },
    },
    layered_runtime: {
      layers: [
        {
          name: 'airmesh',
          static_layer: settings.gracefulGrpcClose ? { 'envoy.reloadable_features.ext_proc_graceful_grpc_close': true } : {},
        },
      ],
    },
    overload_manager: {
      refresh_interval: seconds(OVERLOAD_LOOK_MS),
      resource_monitors: [
        {
          name: HEAP_MONITOR,
          typed_config: typed('envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig', { max_heap_size_bytes: settings.maxHeapBytes }),
        },
        {
          name: 'envoy.resource_monitors.global_downstream_max_connections',
          typed_config: typed('envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig', {
            max_active_downstream_connections: MAX_DOWNSTREAM_CONNECTIONS,
          }),
        },
      ],
      actions: [
        { name: 'envoy.overload_actions.shrink_heap', triggers: [{ name: HEAP_MONITOR, threshold: { value: SHRINK_FROM } }] },
        { name: 'envoy.overload_actions.stop_accepting_requests', triggers: [{ name: HEAP_MONITOR, threshold: { value: REFUSE_FROM } }] },
      ],
    },
  };
}
