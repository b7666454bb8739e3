import { guestFilters, guestManager, guestPass, guestProcessor, guestRoutes } from '../../envoyconfig/index.ts';
import type { GuestSettings, Json } from '../../envoyconfig/index.ts';
import { MESH_LABEL, OWNER_LABELS } from '../mesh.ts';
import type { MeshInput, MeshObject, NamespaceUse, Rendered } from '../mesh.ts';
import { placesOf } from './places.ts';
import type { Place } from './places.ts';

const NETWORKING = 'networking.istio.io/v1';
/** EnvoyFilter has not left its first version. */
const FILTERS = 'networking.istio.io/v1alpha3';

export const KINDS = [
  { apiVersion: NETWORKING, kind: 'ServiceEntry', plural: 'serviceentries' },
  { apiVersion: NETWORKING, kind: 'DestinationRule', plural: 'destinationrules' },
  { apiVersion: FILTERS, kind: 'EnvoyFilter', plural: 'envoyfilters' },
] as const;

/** https://istio.io/latest/docs/reference/config/networking/envoy-filter/ */
export function render({ uses, settings }: MeshInput): Rendered {
  const rendered = uses.map((use) => ({ use, ...placesOf(use) }));
  return {
    objects: rendered.flatMap(({ use, places }) => (places.length === 0 ? [] : objectsOf(use, places, settings))),
    notes: rendered.flatMap(({ notes }) => notes),
  };
}

function objectsOf({ namespace, endsAnswers }: NamespaceUse, places: readonly Place[], settings: MeshInput['settings']): readonly MeshObject[] {
  const metadata = (name: string): MeshObject['metadata'] => ({ name, namespace, labels: OWNER_LABELS });
  const outside = places.filter(({ isService }) => !isService);
  return [
    ...outside.map((place): MeshObject => ({ apiVersion: NETWORKING, kind: 'ServiceEntry', metadata: metadata(`airmesh-${place.host}`), spec: entry(place) })),
    ...outside
      .filter(({ ports }) => ports.some(({ tls }) => tls))
      .map((place): MeshObject => ({ apiVersion: NETWORKING, kind: 'DestinationRule', metadata: metadata(`airmesh-${place.host}`), spec: rule(place) })),
    { apiVersion: FILTERS, kind: 'EnvoyFilter', metadata: metadata('airmesh'), spec: filter(places, { ...settings, endsAnswers }) },
  ];
}

/** Plain HTTP in the pod; TLS from its sidecar on. */
function entry({ host, ports }: Place): Json {
  return {
    hosts: [host],
    exportTo: ['.'],
    location: 'MESH_EXTERNAL',
    resolution: 'DNS',
    ports: ports.map(({ number, target }) => ({ number, name: `http-${number}`, protocol: 'HTTP', ...(target === number ? {} : { targetPort: target }) })),
  };
}

/** The provider is who its certificate says, by the proxy's public authorities and by name. */
function rule({ host, ports }: Place): Json {
  return {
    host,
    exportTo: ['.'],
    trafficPolicy: {
      portLevelSettings: ports
        .filter(({ tls }) => tls)
        .map(({ number }) => ({ port: { number }, tls: { mode: 'SIMPLE', sni: host, subjectAltNames: [host], caCertificates: 'system' } })),
    },
  };
}

function filter(places: readonly Place[], settings: GuestSettings): Json {
  const ways = places.flatMap(({ ports }) => ports.flatMap(({ upstreams, cluster }) => upstreams.map((upstream) => ({ upstream, cluster }))));
  const routes = guestRoutes(ways, settings);
  const listenerPorts = [...new Set(places.flatMap(({ ports }) => ports.map(({ number }) => number)))].toSorted((one, other) => one - other);
  return {
    workloadSelector: { labels: { [MESH_LABEL]: 'enabled' } },
    configPatches: [
      { applyTo: 'CLUSTER', match: { context: 'SIDECAR_OUTBOUND' }, patch: { operation: 'ADD', value: guestProcessor(settings) } },
      ...listenerPorts.flatMap((portNumber) => [...guestFilters(settings).map((value) => filterPatch(portNumber, value)), managerPatch(portNumber)]),
      // Each goes before all that is there, so the first comes last.
      ...places.flatMap(({ host, ports }) =>
        ports.flatMap(({ number, tls, cluster }) =>
          [...(tls ? [] : [guestPass(cluster)]), ...routes].toReversed().map((value) => routePatch(host, number, value)),
        ),
      ),
    ],
  };
}

function filterPatch(portNumber: number, value: Json): Json {
  const subFilter = { name: 'envoy.filters.http.router' };
  return {
    applyTo: 'HTTP_FILTER',
    match: {
      context: 'SIDECAR_OUTBOUND',
      listener: { portNumber, filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager', subFilter } } },
    },
    patch: { operation: 'INSERT_BEFORE', value },
  };
}

function managerPatch(portNumber: number): Json {
  const value = guestManager();
  return {
    applyTo: 'NETWORK_FILTER',
    match: { context: 'SIDECAR_OUTBOUND', listener: { portNumber, filterChain: { filter: { name: value.name } } } },
    patch: { operation: 'MERGE', value },
  };
}

/** By the virtual host alone: Istio names a route configuration by its port where that is declared as HTTP, and else by the host as well. */
function routePatch(host: string, portNumber: number, value: Json): Json {
  return {
    applyTo: 'HTTP_ROUTE',
    match: { context: 'SIDECAR_OUTBOUND', routeConfiguration: { vhost: { name: `${host}:${portNumber}` } } },
    patch: { operation: 'INSERT_FIRST', value },
  };
}
