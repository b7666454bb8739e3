/**
 * Administration: the HTTP server that people and monitoring ask.
 *
 * Owns paths, status codes and the guard against web pages of other origins. Must never know how what it shows is
 * made, and is never given keys or prompts.
 */
export { startAdminServer } from './server.ts';
export type { AdminServer, AdminServerOptions } from './server.ts';
export type { AdminSources, Dashboard, ProviderReadiness, Readiness } from './sources.ts';
export { describeSnapshot } from './configuration.ts';
