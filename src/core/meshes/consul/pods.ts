import type { MeshContainers, PodWords } from '../mesh.ts';

/** https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels */
export const WORDS: PodWords = {
  outboundPorts: 'consul.hashicorp.com/transparent-proxy-exclude-outbound-ports',
  inboundPorts: 'consul.hashicorp.com/transparent-proxy-exclude-inbound-ports',
  leftAlone: { key: 'consul.hashicorp.com/connect-inject', value: 'false' },
};

export const CONTAINERS: MeshContainers = { proxy: 'consul-dataplane', first: [], others: ['consul-connect-inject-init'] };
