/**
 * CRDs: the resources' schema → what Kubernetes is told of it.
 *
 * Owns the form of CustomResourceDefinitions (apiextensions.k8s.io/v1): names, columns, and structural schemas. Must never
 * know what a field means: descriptions, defaults, bounds and rules are all the schema's.
 */
export { customResourceDefinitions } from './definitions.ts';
export type { CustomResourceDefinition } from './definitions.ts';
export { structural } from './structural.ts';
export type { StructuralSchema } from './structural.ts';
