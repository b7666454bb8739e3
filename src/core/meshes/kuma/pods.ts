import type { MeshContainers, PodWords } from '../mesh.ts';

/** A ContainerPatch mounts the volume into Kuma's proxy. https://kuma.io/docs/latest/reference/kubernetes-annotations/ */
export const WORDS: PodWords = {
  outboundPorts: 'traffic.kuma.io/exclude-outbound-ports',
  inboundPorts: 'traffic.kuma.io/exclude-inbound-ports',
  mount: { annotation: 'kuma.io/container-patches', kind: 'list' },
  leftAlone: { key: 'kuma.io/sidecar-injection', value: 'disabled' },
};

export const CONTAINERS: MeshContainers = { proxy: 'kuma-sidecar', first: ['kuma-validation'], others: ['kuma-init'] };
