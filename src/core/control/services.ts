import type { WorkloadSnapshot } from '../policy/index.ts';
import { isIpAddress } from './addresses.ts';

/** A service of the cluster, as a host names it. */
export interface NamedService {
  readonly service: string;
  readonly namespace: string;
  /** `service.namespace`, with a pod's name before it where the host has one. */
  readonly name: string;
}

/**
 * The service that a host is within the cluster, for a caller of a namespace; `undefined`: it is none, or cannot be told from a
 * host elsewhere. Source: Kubernetes, "DNS for Services and Pods".
 */
export function serviceOf(host: string, namespace: string, clusterDomain: string): NamedService | undefined {
  const suffix = ['', `.${clusterDomain}`].map((domain) => `.svc${domain}`).find((ending) => host.endsWith(ending));
  const isBare = !host.includes('.') && !isIpAddress(host);
  if (suffix === undefined && !isBare) return undefined;
  const name = suffix === undefined ? `${host}.${namespace}` : host.slice(0, -suffix.length);
  const [service, owner] = name.split('.').slice(-2);
  return service === undefined || owner === undefined ? undefined : { service, namespace: owner, name };
}

/** Services of the cluster that workloads' providers are, as `namespace/service`. */
export function servicesOf(snapshots: Iterable<WorkloadSnapshot>, clusterDomain: string): ReadonlySet<string> {
  const services = new Set<string>();
  for (const { providers, workload } of snapshots)
    for (const { baseUrl } of providers.values()) {
      const found = serviceOf(baseUrl.host, workload.namespace, clusterDomain);
      if (found !== undefined) services.add(`${found.namespace}/${found.service}`);
    }
  return services;
}

/** core/v1 Service, as far as it is read. */
export interface ServiceObject {
  readonly spec?: { readonly clusterIPs?: readonly string[]; readonly externalIPs?: readonly string[] };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

/** discovery.k8s.io/v1 EndpointSlice, as far as it is read. */
export interface EndpointSliceObject {
  readonly addressType?: string;
  readonly endpoints?: readonly { readonly addresses?: readonly string[] }[];
}

/** Where a service is reached. One without an address of its own (headless) has none here. */
export function serviceAddresses({ spec = {}, status = {} }: ServiceObject): readonly string[] {
  const ingress = (status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  return [...(spec.clusterIPs ?? []).filter((address) => address !== 'None'), ...(spec.externalIPs ?? []), ...ingress];
}

/** What stands behind a service, ready or not: what is not ready may answer all the same. */
export function endpointAddresses({ addressType, endpoints = [] }: EndpointSliceObject): readonly string[] {
  return addressType === 'FQDN' ? [] : endpoints.flatMap(({ addresses = [] }) => addresses);
}
