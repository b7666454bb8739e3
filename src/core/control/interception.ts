import { isIpAddress } from './addresses.ts';
import { serviceOf } from './services.ts';
import type { Interception, InterceptedHost, LeafCertificate } from './state.ts';
import type { WorkloadSnapshot } from '../policy/index.ts';

/** What the mesh says of all interception. */
export interface InterceptionSettings {
  readonly egress: Interception['egress'];
  /** As in `Interception`; these are not taken in, whatever routes say. */
  readonly passedHosts: readonly string[];
  readonly refusedHosts: readonly string[];
  /** Absent: those that are private by standard. */
  readonly networks?: readonly string[];
  /** As in `Interception`. */
  readonly webSocketHosts?: readonly string[];
  /** Of services of the cluster, by `service.namespace`: addresses of the service and of what stands behind it. */
  readonly addresses?: ReadonlyMap<string, readonly string[]>;
  /** Behind `.svc` in the names of services: `cluster.local`. */
  readonly clusterDomain: string;
}

/** A host whose calls are to be taken in. */
export interface WantedHost {
  readonly host: string;
  /** Whether a certificate is to be issued for it: it is called in HTTPS. */
  readonly takesLeaf: boolean;
  /** Besides 80 and 443. */
  readonly ports: readonly number[];
}

/**
 * The hosts whose calls a workload's sidecar takes in: those of the providers that its rules use, and those that its routes
 * name (the public ones of the dialects where they name none). A service of the cluster is called by several names.
 */
export function wantedHosts({ providers, hosts, workload }: WorkloadSnapshot, { passedHosts, clusterDomain }: InterceptionSettings): readonly WantedHost[] {
  const wanted = new Map<string, { takesLeaf: boolean; ports: Set<number> }>();
  const want = (host: string, takesLeaf: boolean, port: number): void => {
    if (passedHosts.some((passed) => covers(passed, host))) return;
    const one = wanted.get(host) ?? { takesLeaf: false, ports: new Set<number>() };
    wanted.set(host, one);
    if (takesLeaf && !isIpAddress(host)) one.takesLeaf = true;
    if (port !== 80 && port !== 443) one.ports.add(port);
  };
  for (const host of hosts) want(host, true, 443);
  for (const { baseUrl } of providers.values())
    for (const host of namesOf(baseUrl.host, workload.namespace, clusterDomain)) want(host, baseUrl.tls, baseUrl.port);
  return [...wanted]
    .map(([host, { takesLeaf, ports }]) => ({ host, takesLeaf, ports: [...ports].toSorted((a, b) => a - b) }))
    .toSorted((a, b) => (a.host < b.host ? -1 : 1));
}

/**
 * What a workload's sidecar is told. `leaves` are the certificates that were issued, by host. A host that should have one and
 * has none is refused in HTTPS: passed, its calls would go by ungoverned.
 */
export function interceptionOf(
  snapshot: WorkloadSnapshot,
  leaves: ReadonlyMap<string, LeafCertificate>,
  roots: string,
  settings: InterceptionSettings,
): Interception {
  const wanted = wantedHosts(snapshot, settings);
  const services = servicesByName(snapshot, settings);
  const missing = wanted.filter(({ host, takesLeaf }) => takesLeaf && !leaves.has(host)).map(({ host }) => host);
  return {
    hosts: wanted.map(({ host, takesLeaf, ports }): InterceptedHost => {
      const leaf = takesLeaf ? leaves.get(host) : undefined;
      const addresses = isIpAddress(host) ? [host] : settings.addresses?.get(services.get(host) ?? host);
      return { host, ports, ...(leaf === undefined ? {} : { leaf }), ...(addresses === undefined ? {} : { addresses }) };
    }),
    roots,
    egress: settings.egress,
    passedHosts: settings.passedHosts,
    refusedHosts: [...new Set([...settings.refusedHosts, ...missing])].toSorted(),
    ...(settings.networks === undefined ? {} : { networks: settings.networks }),
    ...(settings.webSocketHosts === undefined ? {} : { webSocketHosts: settings.webSocketHosts }),
  };
}

/** The ports whose connections are redirected besides 80 and 443. */
export function redirectedPorts({ hosts }: Pick<Interception, 'hosts'>): readonly number[] {
  return [...new Set(hosts.flatMap(({ ports }) => ports))].toSorted((a, b) => a - b);
}

/**
 * By which names an address is called. Within the cluster, resolvers complete names: a service `vllm` of `models` is
 * `vllm.models`, `vllm.models.svc` and, in full, with the cluster's domain; in its own namespace `vllm` will do.
 * Source: Kubernetes, "DNS for Services and Pods".
 */
function namesOf(host: string, namespace: string, clusterDomain: string): readonly string[] {
  const found = serviceOf(host, namespace, clusterDomain);
  if (found === undefined) return [host];
  const { name } = found;
  const names = [name, `${name}.svc`, `${name}.svc.${clusterDomain}`];
  return found.namespace === namespace && name === `${found.service}.${namespace}` ? [...names, found.service] : names;
}

/**
 * By the name within the cluster of each provider that is a service there, or a pod of one: the service, as in `addresses`. What
 * stands behind a headless service is its pod's address as well.
 */
function servicesByName({ providers, workload }: WorkloadSnapshot, { clusterDomain }: InterceptionSettings): ReadonlyMap<string, string> {
  const services = new Map<string, string>();
  for (const { baseUrl } of providers.values()) {
    const found = serviceOf(baseUrl.host, workload.namespace, clusterDomain);
    if (found !== undefined) services.set(found.name, `${found.service}.${found.namespace}`);
  }
  return services;
}

/** Whether a name, or `*.` and a name, means a host. */
function covers(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === host;
}
