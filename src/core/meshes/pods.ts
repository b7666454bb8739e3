import type { Json } from '../envoyconfig/index.ts';
import { MESH_LABEL } from './mesh.ts';
import type { Mesh, NamespaceUse } from './mesh.ts';

/**
 * A kustomize component that puts a mesh's annotations on the pods of a namespace. They belong into the pods' templates: whether
 * the mesh's webhook sees what another adds depends on their order.
 */
export function podsComponent(mesh: Mesh, use: NamespaceUse): Json {
  const metadata = { annotations: { ...mesh.podAnnotations(use) }, ...(mesh.kinds.length === 0 ? {} : { labels: { [MESH_LABEL]: 'enabled' } }) };
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
