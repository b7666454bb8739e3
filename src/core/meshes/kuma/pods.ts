import { MESH_SOCKET, takenPorts } from '../mesh.ts';
import type { NamespaceUse } from '../mesh.ts';

/**
 * The volume is the one that our injector gives the pod; a ContainerPatch mounts it into Kuma's proxy.
 * https://kuma.io/docs/latest/reference/kubernetes-annotations/
 */
export function podAnnotations(use: NamespaceUse): Readonly<Record<string, string>> {
  return {
    'kuma.io/container-patches': MESH_SOCKET.volume,
    'traffic.kuma.io/exclude-outbound-ports': takenPorts({ ...use, providers: use.providers.filter(({ tls }) => tls) }),
  };
}
