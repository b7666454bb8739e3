/**
 * Interception in a pod: which of its connections go to the sidecar, as rules of the kernel's packet filter, and what its
 * containers need to trust the certificates that the sidecar shows.
 *
 * Owns the rules and how they are taken back, the bundle of authorities, and what runtimes read it by. Must never know of
 * processes, webhooks or who applies any of it, nor overwrite what an application set for itself.
 */
export { interceptionAddition } from './addition.ts';
export type { AdditionSettings, InterceptionAddition } from './addition.ts';
export { bundleOf } from './bundle.ts';
export { CHAINS, redirectionRules, removalOf } from './rules.ts';
export type { Family, RedirectionSettings } from './rules.ts';
export { TRUST_FILES, trustVariables } from './variables.ts';
export type { Variable } from './variables.ts';
