/**
 * A bootstrap shaped like what Kuma makes of a MeshPassthrough (one filter chain for a port, a virtual host for each domain), with
 * the modifications of a MeshProxyPatch applied as Kuma applies them.
 */
import type { AppliedObject, Loose } from './objects.ts';
import { ROUTER, bootstrapOf, endpoint } from './sidecar.ts';
import type { SidecarPlace } from './sidecar.ts';

const LISTENER = 'self_transparentproxy_passthrough_outbound_ipv4';
const ROUTES = 'meshpassthrough_http_80';

export function kumaSidecar(objects: readonly AppliedObject[], place: SidecarPlace): Loose {
  const passthrough = objects.find(({ kind }) => kind === 'MeshPassthrough')?.spec.default;
  const hosts: string[] = [...passthrough.appendMatch.filter(({ port }: Loose) => port === 80).map(({ value }: Loose) => value), place.other.host];
  const name = (host: string): string => `meshpassthrough_http_${host}_80`;
  const clusters: Loose[] = hosts.map((host) => ({
    name: name(host),
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: endpoint(name(host), '127.0.0.1', place.other.port),
  }));
  const routes = {
    name: ROUTES,
    virtual_hosts: [
      ...hosts.map((host): Loose => ({ name: host, domains: [host, `${host}:80`], routes: [{ match: { prefix: '/' }, route: { cluster: name(host) } }] })),
      { name: 'no_match', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: { status: 503 } }] },
    ],
  };
  const filters: Loose[] = [ROUTER];
  const merged: Loose = {};
  const patches = objects.filter(({ kind }) => kind === 'MeshProxyPatch').flatMap(({ spec }) => spec.default.appendModifications);
  for (const modification of patches) apply(modification, { clusters, filters, routes, merged });
  for (const cluster of clusters) resolve(cluster, place);
  return bootstrapOf({ name: LISTENER, statPrefix: ROUTES, clusters, filters, routes, merged }, place);
}

function apply(
  { cluster, httpFilter, networkFilter, virtualHost }: Loose,
  { clusters, filters, routes, merged }: { readonly clusters: Loose[]; readonly filters: Loose[]; readonly routes: Loose; readonly merged: Loose },
): void {
  if (cluster !== undefined) clusters.push(JSON.parse(cluster.value));
  if (httpFilter?.match.listenerName === LISTENER)
    filters.splice(
      filters.findIndex(({ name }) => name === httpFilter.match.name),
      0,
      JSON.parse(httpFilter.value),
    );
  if (networkFilter?.match.listenerName === LISTENER) Object.assign(merged, JSON.parse(networkFilter.value).typed_config);
  if (virtualHost?.match.routeConfigurationName !== ROUTES) return;
  const host = routes.virtual_hosts.find(({ name }: Loose) => name === virtualHost.match.name);
  for (const { op, path, value } of virtualHost.jsonPatches) {
    if (`${op} ${path}` !== 'add /routes/0') throw new Error(`${op} ${path} is not done here`);
    host.routes.unshift(value);
  }
}

/** Stands for DNS, and for the public authorities of the proxy's image. */
function resolve(cluster: Loose, place: SidecarPlace): void {
  const context = cluster.transport_socket?.typed_config.common_tls_context.validation_context;
  if (context === undefined) return;
  context.trusted_ca.filename = place.trustedCaFile;
  cluster.type = 'STATIC';
  cluster.load_assignment = endpoint(cluster.name, place.resolve.host, place.resolve.port);
  delete cluster.dns_lookup_family;
}
