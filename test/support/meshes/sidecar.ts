import type { Loose } from './objects.ts';

export interface SidecarPlace {
  /** Where the listener of port 80 is, here. Providers in plain HTTP may say that they are there: so what is sent to them is taken in. */
  readonly port: number;
  /** Where those are. */
  readonly plainPort: number;
  readonly adminSocket: string;
  /** Stands for what DNS says of every external host. */
  readonly resolve: { readonly host: string; readonly port: number };
  /** Stands for the public authorities that `caCertificates: system` means. */
  readonly trustedCaFile: string;
  /** Another service on port 80, and where it is. */
  readonly other: { readonly host: string; readonly port: number };
}

export const ROUTER = { name: 'envoy.filters.http.router', typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' } };

export const vhost = (host: string, port: number, cluster: string): Loose => ({
  name: `${host}:${port}`,
  domains: [host, `${host}:${port}`],
  routes: [{ name: 'default', match: { prefix: '/' }, route: { cluster, timeout: '0s' } }],
});

export const endpoint = (name: string, address: string, port: number): Loose => ({
  cluster_name: name,
  endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: port } } } }] }],
});

/** One listener on loopback that all hosts of a port share, and nothing else. */
export function bootstrapOf(
  {
    name,
    statPrefix,
    clusters,
    filters,
    routes,
    merged,
  }: { name: string; statPrefix: string; clusters: Loose[]; filters: Loose[]; routes: Loose; merged: Loose },
  place: SidecarPlace,
): Loose {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: statPrefix,
    use_remote_address: false,
    normalize_path: true,
    route_config: routes,
    http_filters: filters,
    ...merged,
  };
  return {
    node: { id: 'checkout-0.shop', cluster: 'checkout.shop' },
    admin: { address: { pipe: { path: place.adminSocket } } },
    static_resources: {
      clusters,
      listeners: [
        {
          name,
          address: { socket_address: { address: '127.0.0.1', port_value: place.port } },
          filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
        },
      ],
    },
  };
}
