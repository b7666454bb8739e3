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
  /** Whether a budget of its workloads ends streams at their limit. */
  readonly endsAnswers: boolean;
}

export interface MeshInput {
  /** By their names' order. */
  readonly uses: readonly NamespaceUse[];
  readonly settings: Omit<GuestSettings, 'endsAnswers'>;
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

/** Of a pod, what is none of the mesh's. */
export interface PodPorts {
  /** Where its containers connect to without the mesh: what our own Envoy takes, and controllers. */
  readonly outbound: readonly number[];
  /** Where it is connected to without the mesh: probes. */
  readonly inbound: readonly number[];
}

/** How a pod and its mesh's injector speak to each other. */
export interface PodWords {
  /** Annotations that list ports, separated by commas. */
  readonly outboundPorts: string;
  readonly inboundPorts: string;
  /** The annotation by which the mesh's proxy mounts a volume: a JSON array of mounts, or a list of names of what does it. Absent: its proxy asks no processor. */
  readonly mount?: { readonly annotation: string; readonly kind: 'JSON' | 'list' };
  /** A label or annotation, and what it says where the mesh has no part in the pod. */
  readonly leftAlone: { readonly key: string; readonly value: string };
}

/** Containers that a mesh's injector puts into pods, by their names. */
export interface MeshContainers {
  readonly proxy: string;
  /** Before the proxy, in front of everything else: ours may follow. */
  readonly first: readonly string[];
  /** What redirects, and others. */
  readonly others: readonly string[];
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
  readonly containers: MeshContainers;
  readonly words: PodWords;
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

/** Whether the mesh's own Envoy asks a processor. Where it does not, our own Envoy governs all that is governed. */
export const asksProcessor = ({ kinds }: Mesh): boolean => kinds.length > 0;

/** Ports that our own Envoy takes, beside a mesh that leaves them to it: HTTPS, and those of providers that the mesh does not govern. */
export function takenPorts(mesh: Mesh, { providers }: NamespaceUse): readonly number[] {
  const left = asksProcessor(mesh) ? providers.filter(({ tls }) => tls) : providers;
  const ports = new Set([443, ...left.filter(({ port }) => port !== 80).map(({ port }) => port)]);
  return [...ports].toSorted((one, other) => one - other);
}
