/**
 * Redirection: which of a pod's connections go to its sidecar → rules of the kernel's packet filter, as text.
 *
 * Owns the rules, their order and how they are taken back. Must never know of processes or of who applies them, nor import
 * what a pod's start would wait for.
 */
export { CHAINS, redirectionRules, removalOf } from './rules.ts';
export type { ChainKey, Family, RedirectionSettings } from './rules.ts';
