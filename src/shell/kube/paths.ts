import { API_GROUP, VERSION } from '../../core/policy/index.ts';
import type { Kind } from '../../core/policy/index.ts';

const RESOURCES = `/apis/${API_GROUP}/${VERSION}`;
const PLURALS: Readonly<Record<Kind, string>> = { AIProvider: 'aiproviders', AIRoute: 'airoutes', AIBudget: 'aibudgets' };

const within = (namespace: string | undefined): string => (namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`);
const item = (name: string | undefined): string => (name === undefined ? '' : `/${encodeURIComponent(name)}`);

/** Where things are at an API server. Without a namespace: of all; without a name: the list. */
export const paths = {
  custom: (kind: Kind, namespace?: string, name?: string): string => `${RESOURCES}${within(namespace)}/${PLURALS[kind]}${item(name)}`,
  status: (kind: Kind, namespace: string, name: string): string => `${paths.custom(kind, namespace, name)}/status`,
  core: (plural: 'configmaps' | 'pods' | 'secrets' | 'services', namespace?: string, name?: string): string =>
    `/api/v1${within(namespace)}/${plural}${item(name)}`,
  endpointSlices: (namespace: string): string => `/apis/discovery.k8s.io/v1${within(namespace)}/endpointslices`,
  namespaces: (name?: string): string => `/api/v1/namespaces${item(name)}`,
  events: (namespace: string): string => `/apis/events.k8s.io/v1${within(namespace)}/events`,
  leases: (namespace: string, name?: string): string => `/apis/coordination.k8s.io/v1${within(namespace)}/leases${item(name)}`,
  tokenReviews: '/apis/authentication.k8s.io/v1/tokenreviews',
  deployments: (namespace: string): string => `/apis/apps/v1${within(namespace)}/deployments`,
  definitions: (name?: string): string => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions${item(name)}`,
  webhooks: (name?: string): string => `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations${item(name)}`,
} as const;

export const definitionName = (kind: Kind): string => `${PLURALS[kind]}.${API_GROUP}`;
