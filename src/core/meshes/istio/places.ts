import type { UpstreamSettings } from '../../envoyconfig/index.ts';
import { isAddress, noteOf, serviceName } from '../mesh.ts';
import type { MeshNote, NamespaceUse } from '../mesh.ts';

/** Applications call port 80 in plain HTTP; what a provider serves in TLS is reached from there. */
const PLAIN_PORT = 80;

/** One port of a host, as applications call it. */
export interface PlacePort {
  readonly number: number;
  /** Where the provider listens. */
  readonly target: number;
  readonly tls: boolean;
  /** Istio's name for it: direction, port, subset, host. */
  readonly cluster: string;
  readonly upstreams: readonly UpstreamSettings[];
}

/** A host that is governed. */
export interface Place {
  readonly host: string;
  /** Of the cluster, so that Istio knows it by itself. */
  readonly isService: boolean;
  readonly ports: readonly PlacePort[];
}

/** Where a namespace's providers are, for Istio; and which cannot be governed by it. */
export function placesOf({ providers, hosts }: NamespaceUse): { readonly places: readonly Place[]; readonly notes: readonly MeshNote[] } {
  const places = new Map<string, Map<number, PlacePort>>();
  const notes: MeshNote[] = [];
  for (const upstream of providers) {
    const { host, port, tls } = upstream;
    const service = serviceName(host);
    if (isAddress(host)) {
      notes.push(noteOf(upstream, `is at the address ${host}; Istio tells hosts apart by name, so give it one, or have our own Envoy govern it`));
      continue;
    }
    if (tls && service !== undefined) {
      notes.push(noteOf(upstream, `is a Service that is called in HTTPS; Istio's sidecar sees nothing of it, so our own Envoy governs it`));
      continue;
    }
    if (upstream.caCertificates !== undefined) {
      notes.push(noteOf(upstream, `has authorities of its own, which Istio takes from files alone; call it by https://, which our own Envoy governs`));
      continue;
    }
    const name = service ?? host;
    const number = tls ? PLAIN_PORT : port;
    const ports = places.get(name) ?? new Map<number, PlacePort>();
    places.set(name, ports);
    const there = ports.get(number);
    if (there !== undefined && (there.target !== port || there.tls !== tls)) {
      notes.push(
        noteOf(upstream, `shares ${host}:${number} with ${there.upstreams[0]?.id ?? ''}, which leads to port ${there.target}; only that one is governed`),
      );
      continue;
    }
    ports.set(number, { number, target: port, tls, cluster: `outbound|${number}||${name}`, upstreams: [...(there?.upstreams ?? []), upstream] });
  }
  // No call leads there but by the processor's word, which names a provider: as if it were called in HTTPS, it is known and no more.
  for (const host of hosts) {
    const name = serviceName(host) ?? host;
    const port = { number: PLAIN_PORT, target: 443, tls: true, cluster: `outbound|${PLAIN_PORT}||${name}`, upstreams: [] };
    if (!places.has(name)) places.set(name, new Map([[PLAIN_PORT, port]]));
  }
  const sorted = [...places].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return { places: sorted.map(([host, ports]) => ({ host, isService: serviceName(host) !== undefined, ports: [...ports.values()] })), notes };
}
