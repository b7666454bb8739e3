/**
 * Injector: the webhook that API servers ask about pods.
 *
 * Owns the HTTPS server, what it takes and how it answers, and that API servers trust its certificate. Must never decide
 * what a pod looks like, nor read anything of a cluster but its own webhook's registration.
 */
export { startWebhook } from './server.ts';
export type { RunningWebhook, WebhookEvent, WebhookIdentity, WebhookOptions } from './server.ts';
export { WEBHOOK_PATHS } from './paths.ts';
export { BundleKeeper } from './bundle.ts';
export type { BundleKeeperParts, RegisteredWebhook, WebhookRegistration } from './bundle.ts';
export { clusterRegistration, foreignRegistration } from './registration.ts';
export { readInjectorFile } from './settings.ts';
export type { InjectorFile } from './settings.ts';
