/**
 * Resources: custom resources from YAML files and from the environment.
 *
 * Owns reading, watching, and the place of each finding. Must never know what a resource means.
 */
export { budgetOf, resourcesFromEnvironment } from './environment.ts';
export type { FromEnvironment } from './environment.ts';
export { formatFinding, readResources } from './read.ts';
export type { LocatedFinding, ReadResult } from './read.ts';
export { watchResources } from './watch.ts';
