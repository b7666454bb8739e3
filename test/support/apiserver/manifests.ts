import { documentsOf } from './resources.ts';
import type { KubernetesObject } from './resources.ts';

/** As `deploy/render.sh` made them of the chart. */
export const manifests = (): KubernetesObject[] => documentsOf('deploy/manifests/airmesh.yaml');

const PLACES: Readonly<Record<string, string>> = {
  Namespace: '/api/v1/namespaces',
  ServiceAccount: '/api/v1/namespaces/{ns}/serviceaccounts',
  ConfigMap: '/api/v1/namespaces/{ns}/configmaps',
  Service: '/api/v1/namespaces/{ns}/services',
  PersistentVolumeClaim: '/api/v1/namespaces/{ns}/persistentvolumeclaims',
  Deployment: '/apis/apps/v1/namespaces/{ns}/deployments',
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies',
  Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings',
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  MutatingWebhookConfiguration: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
};

/** Where an API server keeps an object of the kinds that there are in the chart and the examples. */
export function placeOf({ kind, metadata }: KubernetesObject): string {
  const place = PLACES[kind];
  if (place === undefined) throw new Error(`where ${kind} is kept is not known here`);
  return `${place.replace('{ns}', metadata.namespace ?? 'default')}/${metadata.name}`;
}
