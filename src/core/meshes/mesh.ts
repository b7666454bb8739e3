import type { GuestSettings, Json, UpstreamSettings } from '../envoyconfig/index.ts';

export type MeshName = 'istio' | 'kuma' | 'consul' | 'linkerd';

/** On pods whose mesh's own sidecar is to ask a processor, with the value `enabled`: there is one in the pod. */
export const MESH_LABEL = 'airmesh.dev/processor';

/** In a volume that the processor's container and the mesh's proxy mount, and no other. */
export const MESH_SOCKET = { folder: '/run/airmesh', file: '/run/airmesh/processor.sock', volume: 'airmesh-processor' } as const;

/** The providers that a namespace's workloads use, by their ids' order. */
export interface NamespaceUse {
  readonly namespace: string;
  readonly providers: readonly UpstreamSettings[];
  /** Further hosts whose calls are governed, in their names' order. */
  readonly hosts: readonly string[];
}

export interface MeshInput {
  /** By their names' order. */
  readonly uses: readonly NamespaceUse[];
  readonly settings: GuestSettings;
}

/** A Kubernetes object, as it is applied. */
export interface MeshObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: Json;
}

/** What could not be rendered, and why. */
export interface MeshNote {
  /** `AIProvider namespace/name` */
  readonly resource: string;
  readonly message: string;
}

export interface Rendered {
  /** In the order in which they are to be applied. */
  readonly objects: readonly MeshObject[];
  readonly notes: readonly MeshNote[];
}

/** One mesh. Each has a folder of its own with the same files: index.ts, objects.ts, pods.ts. */
export interface Mesh {
  readonly name: MeshName;
  readonly title: string;
  /** What the mesh's proxies run as, as they are shipped: what they connect to is not redirected to our Envoy. */
  readonly proxyUid: number;
  /** Kinds that `render` makes, for whoever keeps them applied; none where the mesh's proxies take no filters. */
  readonly kinds: readonly { readonly apiVersion: string; readonly kind: string; readonly plural: string }[];
  render(input: MeshInput): Rendered;
  /** What pods are to say to the mesh's own injector. */
  podAnnotations(use: NamespaceUse): Readonly<Record<string, string>>;
}

/** Whose these objects are, so that what is no longer rendered can be removed and nothing else. */
export const OWNER_LABELS = { 'app.kubernetes.io/managed-by': 'airmesh', 'airmesh.dev/part-of': 'mesh' } as const;

export const noteOf = ({ id }: UpstreamSettings, message: string): MeshNote => ({ resource: `AIProvider ${id}`, message });

/** An IPv4 or IPv6 address rather than a name. */
export const isAddress = (host: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes(':');

/** The name of a Service in the cluster, whole; `undefined` for any other host. */
export function serviceName(host: string): string | undefined {
  if (/^[^.]+\.[^.]+\.svc$/.test(host)) return `${host}.cluster.local`;
  return /^[^.]+\.[^.]+\.svc\.cluster\.local$/.test(host) ? host : undefined;
}

/** Ports that our own Envoy takes, beside a mesh that leaves them to it: HTTPS, and those that providers declare. */
export function takenPorts({ providers }: NamespaceUse): string {
  const ports = new Set([443, ...providers.filter(({ port }) => port !== 80).map(({ port }) => port)]);
  return [...ports].toSorted((one, other) => one - other).join(',');
}
