import { takenPorts } from '../mesh.ts';
import type { NamespaceUse } from '../mesh.ts';

/** Ports that our Envoy takes are none of Consul's. https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels */
export const podAnnotations = (use: NamespaceUse): Readonly<Record<string, string>> => ({
  'consul.hashicorp.com/transparent-proxy-exclude-outbound-ports': takenPorts(use),
});
