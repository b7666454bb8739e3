import { guestFilters, guestManager, guestPass, guestProcessor, guestProvider, guestRoutes } from '../../envoyconfig/index.ts';
import type { Json, UpstreamSettings } from '../../envoyconfig/index.ts';
import { MESH_LABEL, MESH_SOCKET, OWNER_LABELS, isAddress, noteOf, serviceName } from '../mesh.ts';
import type { MeshInput, MeshNote, MeshObject, NamespaceUse, Rendered } from '../mesh.ts';

const API = 'kuma.io/v1alpha1';

export const KINDS = [
  { apiVersion: API, kind: 'ContainerPatch', plural: 'containerpatches' },
  { apiVersion: API, kind: 'MeshPassthrough', plural: 'meshpassthroughs' },
  { apiVersion: API, kind: 'MeshProxyPatch', plural: 'meshproxypatches' },
] as const;

/** Kuma's listeners for what is outside the mesh, one for each family of addresses. */
const LISTENERS = ['self_transparentproxy_passthrough_outbound_ipv4', 'self_transparentproxy_passthrough_outbound_ipv6'] as const;

/** Public authorities in the image of Kuma's proxy. */
const TRUSTED_CA_FILE = '/etc/ssl/certs/ca-certificates.crt';

const PLAIN_PORT = 80;

/** Mounts the processor's volume into Kuma's proxy; ContainerPatches belong to the control plane's namespace. */
const CONTAINER_PATCH: MeshObject = {
  apiVersion: API,
  kind: 'ContainerPatch',
  metadata: { name: MESH_SOCKET.volume, namespace: 'kuma-system', labels: OWNER_LABELS },
  spec: {
    sidecarPatch: [{ op: 'add', path: '/volumeMounts/-', value: JSON.stringify({ name: MESH_SOCKET.volume, mountPath: MESH_SOCKET.folder }) }],
  },
};

/** https://kuma.io/docs/latest/policies/meshproxypatch/ and …/meshpassthrough/ */
export function render({ uses, settings }: MeshInput): Rendered {
  const notes: MeshNote[] = [];
  const objects = uses.flatMap((use) => {
    const providers = use.providers.filter((upstream) => {
      const reason = refusalOf(upstream);
      if (reason !== undefined) notes.push(noteOf(upstream, reason));
      return reason === undefined;
    });
    return providers.length === 0 ? [] : objectsOf({ ...use, providers }, settings);
  });
  return { objects: objects.length === 0 ? [] : [CONTAINER_PATCH, ...objects], notes };
}

function refusalOf({ host }: UpstreamSettings): string | undefined {
  if (isAddress(host)) return `is at the address ${host}; Kuma tells hosts apart by name, so give it one, or have our own Envoy govern it`;
  return serviceName(host) === undefined
    ? undefined
    : 'is a Service of the cluster, whose routes Kuma names by its own resources; have our own Envoy govern it';
}

function objectsOf(use: NamespaceUse, settings: MeshInput['settings']): readonly MeshObject[] {
  const { namespace } = use;
  const metadata = { name: 'airmesh', namespace, labels: { ...OWNER_LABELS, 'kuma.io/mesh': 'default' } };
  const targetRef = { kind: 'Dataplane', labels: { [MESH_LABEL]: 'enabled' } };
  return [
    { apiVersion: API, kind: 'MeshPassthrough', metadata, spec: { targetRef, default: passthrough(use) } },
    { apiVersion: API, kind: 'MeshProxyPatch', metadata, spec: { targetRef, default: { appendModifications: modifications(use, settings) } } },
  ];
}

/** Where an application calls a host in plain HTTP. */
interface Place {
  readonly host: string;
  readonly port: number;
  /** A provider that is called in plain HTTP there. */
  readonly plain?: UpstreamSettings;
}

function placesOf({ providers, hosts }: NamespaceUse): readonly Place[] {
  const places = [
    ...providers.map((upstream): Place => {
      const { host, port, tls } = upstream;
      return tls ? { host, port: PLAIN_PORT } : { host, port, plain: upstream };
    }),
    ...hosts.filter((host) => serviceName(host) === undefined).map((host) => ({ host, port: PLAIN_PORT })),
  ];
  return [...new Map(places.map((place) => [`${place.host}:${place.port}`, place])).values()];
}

/** Kuma takes HTTP apart only for hosts that are named to it. */
const passthrough = (use: NamespaceUse): Json => ({
  passthroughMode: 'Matched',
  appendMatch: placesOf(use).map(({ host, port }) => ({ type: 'Domain', value: host, protocol: 'http', port })),
});

function modifications(use: NamespaceUse, settings: MeshInput['settings']): readonly Json[] {
  const routes = guestRoutes(
    use.providers.map((upstream) => ({ upstream, cluster: upstream.id })),
    { ...settings, endsAnswers: use.endsAnswers },
  );
  const manager = guestManager();
  return [
    ...[guestProcessor(settings), ...use.providers.map((upstream) => guestProvider(upstream, TRUSTED_CA_FILE))].map((cluster) => ({
      cluster: { operation: 'Add', value: JSON.stringify(cluster) },
    })),
    ...LISTENERS.flatMap((listenerName): readonly Json[] => [
      ...guestFilters(settings).map((filter) => ({
        httpFilter: { operation: 'AddBefore', match: { name: 'envoy.filters.http.router', listenerName }, value: JSON.stringify(filter) },
      })),
      { networkFilter: { operation: 'Patch', match: { name: manager.name, listenerName }, value: JSON.stringify(manager) } },
    ]),
    ...placesOf(use).map(({ host, port, plain }) => ({
      virtualHost: {
        operation: 'Patch',
        match: { name: host, routeConfigurationName: `meshpassthrough_http_${port}` },
        // Each goes before all that is there, so the first comes last.
        jsonPatches: [...(plain === undefined ? [] : [guestPass(plain.id)]), ...routes].toReversed().map((value) => ({ op: 'add', path: '/routes/0', value })),
      },
    })),
  ];
}
