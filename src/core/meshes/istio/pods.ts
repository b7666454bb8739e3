import { MESH_SOCKET, takenPorts } from '../mesh.ts';
import type { NamespaceUse } from '../mesh.ts';

/**
 * The processor's socket in a volume that Istio's proxy mounts, and the ports that our own Envoy takes left out of Istio's
 * redirection: what is in TLS already cannot be governed by a filter for HTTP.
 * https://istio.io/latest/docs/reference/config/annotations/
 */
export function podAnnotations(use: NamespaceUse): Readonly<Record<string, string>> {
  return {
    'sidecar.istio.io/userVolume': JSON.stringify([{ name: MESH_SOCKET.volume, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }]),
    'sidecar.istio.io/userVolumeMount': JSON.stringify([{ name: MESH_SOCKET.volume, mountPath: MESH_SOCKET.folder }]),
    'traffic.sidecar.istio.io/excludeOutboundPorts': takenPorts({ ...use, providers: use.providers.filter(({ tls }) => tls) }),
  };
}
