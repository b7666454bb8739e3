import { governingManager } from './governing.ts';
import { outboundListeners } from './outbound/index.ts';
import { typed } from './settings.ts';
import type { EnvoySettings, Json, ListenerSettings } from './settings.ts';

export function listeners(settings: EnvoySettings): Json {
  const { outbound } = settings;
  return {
    resources: [
      ...settings.listeners.map((listener) => listenerOf(listener, settings)),
      ...(outbound === undefined ? [] : outboundListeners(outbound, settings)),
    ],
  };
}

function listenerOf(listener: ListenerSettings, settings: EnvoySettings): Json {
  return typed('envoy.config.listener.v3.Listener', {
    name: listener.workload,
    address: { socket_address: { address: listener.host, port_value: listener.port } },
    per_connection_buffer_limit_bytes: settings.maxRequestBytes,
    filter_chains: [{ filters: [governingManager(listener.workload, settings)] }],
  });
}
