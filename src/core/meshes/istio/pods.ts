import type { MeshContainers, PodWords } from '../mesh.ts';

/**
 * Istio's injector reads these when the pod is made, its CNI plugin when its network is.
 * https://istio.io/latest/docs/reference/config/annotations/
 */
export const WORDS: PodWords = {
  outboundPorts: 'traffic.sidecar.istio.io/excludeOutboundPorts',
  inboundPorts: 'traffic.sidecar.istio.io/excludeInboundPorts',
  mount: { annotation: 'sidecar.istio.io/userVolumeMount', kind: 'JSON' },
  leftAlone: { key: 'sidecar.istio.io/inject', value: 'false' },
};

export const CONTAINERS: MeshContainers = { proxy: 'istio-proxy', first: ['istio-validation'], others: ['istio-init', 'enable-core-dump'] };
