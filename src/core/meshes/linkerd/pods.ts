import type { MeshContainers, PodWords } from '../mesh.ts';

/** https://linkerd.io/2/reference/proxy-configuration/ */
export const WORDS: PodWords = {
  outboundPorts: 'config.linkerd.io/skip-outbound-ports',
  inboundPorts: 'config.linkerd.io/skip-inbound-ports',
  leftAlone: { key: 'linkerd.io/inject', value: 'disabled' },
};

export const CONTAINERS: MeshContainers = { proxy: 'linkerd-proxy', first: ['linkerd-network-validator'], others: ['linkerd-init', 'linkerd-debug'] };
