/**
 * Stand-ins for meshes' own injectors: what they put into a pod, as far as it matters to ours, and in which order, written after
 * their sources (Istio: pkg/kube/inject; Linkerd: proxy-injector). They read a pod's annotations as those do.
 */
import type { Container, Pod } from '../../../src/core/injection/index.ts';

/** How a mesh runs in a cluster: `native`: its proxy is an init container that goes on; `cni`: it redirects when the pod's network is made. */
export type Style = 'native' | 'classic' | 'cni';

type Mount = NonNullable<Container['volumeMounts']>[number];

/** Puts Istio's containers in, or puts them right where they are; rewrites probes of others, and orders them. */
export function istioInjector(pod: Pod, style: Style): Pod {
  const { annotations = {} } = pod.metadata;
  const told = (name: string): string => annotations[`traffic.sidecar.istio.io/${name}`] ?? '';
  const proxy: Container = {
    name: 'istio-proxy',
    image: 'proxyv2',
    securityContext: { runAsUser: 1337 },
    ...(style === 'native' ? { restartPolicy: 'Always' } : {}),
    volumeMounts: [
      { name: 'istio-data', mountPath: '/var/lib/istio/data' },
      ...(JSON.parse(annotations['sidecar.istio.io/userVolumeMount'] ?? '[]') as readonly Mount[]),
    ],
  };
  const redirecting: Container = {
    name: style === 'cni' ? 'istio-validation' : 'istio-init',
    image: 'proxyv2',
    args: ['istio-iptables', '-u', '1337', '-o', told('excludeOutboundPorts'), '-d', `15090,15021,15020,${told('excludeInboundPorts')}`],
  };
  const isOwn = ({ name }: Container): boolean => ['istio-proxy', 'istio-init', 'istio-validation'].includes(name);
  const rest = (pod.spec.initContainers ?? []).filter((each) => !isOwn(each)).map(rewritten);
  const containers = pod.spec.containers.filter((each) => !isOwn(each)).map(rewritten);
  const initContainers = { native: [redirecting, proxy, ...rest], classic: [...rest, redirecting], cni: [redirecting, ...rest] }[style];
  const volumes = [...(pod.spec.volumes ?? []).filter(({ name }) => name !== 'istio-data'), { name: 'istio-data', emptyDir: {} }];
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations: { ...annotations, 'sidecar.istio.io/status': '{}' } },
    spec: { ...pod.spec, volumes, initContainers, containers: style === 'native' ? containers : [...containers, proxy] },
  };
}

/** Probes of others are sent to Istio's agent, which asks them itself. */
function rewritten(container: Container): Container {
  const probes = ['readinessProbe', 'livenessProbe', 'startupProbe'].filter((probe) => container[probe] !== undefined);
  return {
    ...container,
    ...Object.fromEntries(probes.map((probe) => [probe, { ...(container[probe] as object), httpGet: { path: `/app-health/${container.name}`, port: 15020 } }])),
  };
}

/** Kuma's, Consul's and Linkerd's: what redirects, and the proxy behind everything or in front of it. */
export function injectorOf(proxy: string, redirecting: string, uid: number) {
  return (pod: Pod, style: Style): Pod => {
    const container: Container = {
      name: proxy,
      image: 'proxy',
      securityContext: { runAsUser: uid },
      ...(style === 'native' ? { restartPolicy: 'Always' } : {}),
    };
    const init: Container = { name: redirecting, image: 'proxy-init' };
    const isOwn = ({ name }: Container): boolean => [proxy, redirecting].includes(name);
    const rest = (pod.spec.initContainers ?? []).filter((each) => !isOwn(each));
    const containers = pod.spec.containers.filter((each) => !isOwn(each));
    return {
      ...pod,
      spec: {
        ...pod.spec,
        initContainers: style === 'native' ? [init, container, ...rest] : [...rest, init],
        containers: style === 'native' ? containers : [...containers, container],
      },
    };
  };
}
