/**
 * A bootstrap shaped like that of Istio's sidecar: one listener that all hosts on a port share, a virtual host for each service,
 * and the patches of EnvoyFilters applied as Istio's control plane applies them (pilot/pkg/networking/core/envoyfilter).
 */
import type { AppliedObject, Loose } from './objects.ts';
import { ROUTER, bootstrapOf, endpoint, vhost } from './sidecar.ts';
import type { SidecarPlace } from './sidecar.ts';

export function istioSidecar(objects: readonly AppliedObject[], place: SidecarPlace): Loose {
  const entriesAt = (port: number): string[] =>
    objects
      .filter(({ kind }) => kind === 'ServiceEntry')
      .flatMap(({ spec }) => spec.ports.filter(({ number }: Loose) => number === port).map(() => spec.hosts[0] as string));
  const [entries, plain] = [entriesAt(80), entriesAt(place.port)];
  const rules = new Map(objects.filter(({ kind }) => kind === 'DestinationRule').map(({ spec }) => [spec.host as string, spec]));
  const clusters: Loose[] = [
    ...entries.map((host) => external(host, rules.get(host), place)),
    local(`outbound|80||${place.other.host}`, place.other.port),
    ...plain.map((host) => local(`outbound|${place.port}||${host}`, place.plainPort)),
  ];
  const routes = {
    name: '80',
    virtual_hosts: [
      ...[...entries, place.other.host].map((host) => vhost(host, 80, `outbound|80||${host}`)),
      ...plain.map((host) => vhost(host, place.port, `outbound|${place.port}||${host}`)),
    ],
  };
  const filters: Loose[] = [ROUTER];
  const merged: Loose = {};
  for (const { spec } of objects.filter(({ kind }) => kind === 'EnvoyFilter'))
    for (const patch of spec.configPatches) apply(patch, { clusters, filters, routes, merged });
  return bootstrapOf({ name: '0.0.0.0_80', statPrefix: 'outbound_0.0.0.0_80', clusters, filters, routes, merged }, place);
}

const local = (name: string, port: number): Loose => ({
  name,
  type: 'STATIC',
  connect_timeout: '1s',
  load_assignment: endpoint(name, '127.0.0.1', port),
});

function external(host: string, rule: Loose, { resolve, trustedCaFile }: SidecarPlace): Loose {
  const name = `outbound|80||${host}`;
  const settings = rule?.trafficPolicy.portLevelSettings.find(({ port }: Loose) => port.number === 80)?.tls;
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: endpoint(name, resolve.host, resolve.port),
    ...(settings?.mode === 'SIMPLE'
      ? {
          transport_socket: {
            name: 'envoy.transport_sockets.tls',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
              sni: settings.sni,
              common_tls_context: {
                validation_context: {
                  trusted_ca: { filename: trustedCaFile },
                  match_typed_subject_alt_names: settings.subjectAltNames.map((exact: string) => ({ san_type: 'DNS', matcher: { exact } })),
                },
              },
            },
          },
        }
      : {}),
  };
}

function apply(
  { applyTo, match, patch }: Loose,
  { clusters, filters, routes, merged }: { readonly clusters: Loose[]; readonly filters: Loose[]; readonly routes: Loose; readonly merged: Loose },
): void {
  if (match.context !== 'SIDECAR_OUTBOUND') throw new Error(`a patch for ${match.context}`);
  switch (`${applyTo} ${patch.operation}`) {
    case 'CLUSTER ADD':
      return void clusters.push(patch.value);
    case 'HTTP_FILTER INSERT_BEFORE': {
      if (match.listener.portNumber !== 80) return;
      const at = filters.findIndex(({ name }) => name === match.listener.filterChain.filter.subFilter.name);
      return void filters.splice(at, 0, patch.value);
    }
    case 'NETWORK_FILTER MERGE':
      if (match.listener.portNumber === 80) Object.assign(merged, patch.value.typed_config);
      return;
    case 'HTTP_ROUTE INSERT_FIRST': {
      const { vhost: wanted } = match.routeConfiguration;
      for (const host of routes.virtual_hosts) if (host.name === wanted.name) host.routes = [patch.value, ...host.routes];
      return;
    }
    default:
      throw new Error(`${applyTo} ${patch.operation} is not done here`);
  }
}
