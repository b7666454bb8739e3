/**
 * Envoy: the real one, found or installed, run and watched.
 *
 * Owns the process and its files. Must never know what the configuration means.
 */
export { askAdmin } from './admin.ts';
export { trustedCaFile, writeConfiguration } from './files.ts';
export { DEFAULT_ENVOY_VERSION, NoEnvoy, ensureEnvoy } from './install.ts';
export type { FoundEnvoy } from './install.ts';
export { isFree, portHolder } from './portholder.ts';
export { envoyIn, stopOrphan } from './orphan.ts';
export { hasEnded } from './processes.ts';
export { EnvoySupervisor } from './supervisor.ts';
export type { EnvoyEvent, EnvoyReadiness } from './supervisor.ts';
