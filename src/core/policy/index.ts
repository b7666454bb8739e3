/**
 * Policy: custom resources → one immutable snapshot for each workload, and findings.
 *
 * Owns the resources' schema and their meaning. Must never know of files, clusters, Envoy or keys' values.
 */
export type * from './snapshot.ts';
