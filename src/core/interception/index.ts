/**
 * Interception in a pod: the init container that redirects its connections to the sidecar, and what its containers need to
 * trust the certificates that the sidecar shows.
 *
 * Owns the bundle of authorities, and what runtimes read it by. Must never know of
 * processes, webhooks or who applies any of it, nor overwrite what an application set for itself.
 */
export { interceptionAddition } from './addition.ts';
export type { AdditionSettings, InterceptionAddition } from './addition.ts';
export { bundleOf, certificatesIn } from './bundle.ts';
export { TRUST_FILES, trustVariables } from './variables.ts';
export type { Variable } from './variables.ts';
