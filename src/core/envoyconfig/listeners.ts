import { governingManager } from './governing.ts';
import { outboundListeners } from './outbound/index.ts';
import { BUFFER_BYTES, typed } from './settings.ts';
import type { EnvoySettings, Json, ListenerSettings, ListenerTls } from './settings.ts';

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
    per_connection_buffer_limit_bytes: BUFFER_BYTES,
    filter_chains: [
      { filters: [governingManager(listener.workload, settings)], ...(listener.tls === undefined ? {} : { transport_socket: downstreamTls(listener.tls) }) },
    ],
  });
}

/** A caller that shows no certificate proves itself otherwise; one that shows another authority's is not let in. */
function downstreamTls({ certificateFile, keyFile, clientAuthoritiesFile }: ListenerTls): Json {
  const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
  const file = (path: string): Json => ({ filename: path, watched_directory: { path: folderOf(path) } });
  const certificate = {
    certificate_chain: { filename: certificateFile },
    private_key: { filename: keyFile },
    watched_directory: { path: folderOf(certificateFile) },
  };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
      require_client_certificate: false,
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        tls_certificates: [certificate],
        ...(clientAuthoritiesFile === undefined ? {} : { validation_context: { trusted_ca: file(clientAuthoritiesFile) } }),
      },
    }),
  };
}
