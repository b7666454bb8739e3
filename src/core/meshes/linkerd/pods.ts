import { takenPorts } from '../mesh.ts';
import type { NamespaceUse } from '../mesh.ts';

/** Ports that our Envoy takes are none of Linkerd's. https://linkerd.io/2/reference/proxy-configuration/ */
export const podAnnotations = (use: NamespaceUse): Readonly<Record<string, string>> => ({ 'config.linkerd.io/skip-outbound-ports': takenPorts(use) });
