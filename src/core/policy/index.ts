/**
 * Policy: custom resources → one immutable snapshot for each workload, and findings.
 *
 * Owns the resources' schema and their meaning. Must never know of files, clusters, Envoy or keys' values.
 */
export { compile, workloadId } from './compile.ts';
export type { Compiled } from './compile.ts';
export { explain } from './explain.ts';
export type { Explanation } from './explain.ts';
export { fingerprint } from './fingerprint.ts';
export { formatPath, nearest } from './findings.ts';
export type { FieldPath, Finding } from './findings.ts';
export { parseKnownFields, parseResource } from './parse.ts';
export { matchesPattern } from './pattern.ts';
export type { CompiledProvider, KnownModels, ProviderContext } from './providers.ts';
export { resourceId } from './providers.ts';
export type { Boundaries, KnownWorkload, Labels } from './selection.ts';
export { callableModels, pickBackend, resolveModel } from './resolve.ts';
export type { ModelQuery, ModelResolution } from './resolve.ts';
export { API_GROUP, API_VERSION, SCHEMAS, STATUS_SCHEMAS, VERSION } from './schema.ts';
export type { AIBudget, AIBudgetStatus, AIProvider, AIProviderStatus, AIRoute, AIRouteStatus, Kind, KeySourceSpec, Resource } from './schema.ts';
export type * from './snapshot.ts';
