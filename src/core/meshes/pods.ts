import type { Json } from '../envoyconfig/index.ts';
import { podAnnotations } from './annotations.ts';
import { MESH_LABEL, asksProcessor, takenPorts } from './mesh.ts';
import type { Mesh, NamespaceUse, PodPorts } from './mesh.ts';

/**
 * A kustomize component that puts a mesh's annotations on the pods of a namespace, for clusters whose pods our injector does
 * not make. `own`: what our containers need besides, whatever the providers are.
 */
export function podsComponent(mesh: Mesh, use: NamespaceUse, own: PodPorts): Json {
  const ports = { ...own, outbound: [...takenPorts(mesh, use), ...own.outbound] };
  const annotations = podAnnotations(mesh, ports, {});
  const metadata = { annotations: annotations.ok ? { ...annotations.value } : {}, ...(asksProcessor(mesh) ? { labels: { [MESH_LABEL]: 'enabled' } } : {}) };
  const patch = JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'any' }, spec: { template: { metadata } } });
  return {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    patches: ['Deployment', 'StatefulSet', 'DaemonSet'].map((kind) => ({
      target: { kind, namespace: use.namespace },
      patch: patch.replace('"Deployment"', `"${kind}"`),
    })),
  };
}
