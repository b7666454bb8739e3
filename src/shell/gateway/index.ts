/**
 * Gateway: whose a call is, where callers come to us instead of having a sidecar.
 *
 * Owns which credentials count, in which order, and how long a word that was given is good. Must never believe a header that
 * proves nothing, keep a token, nor show one.
 */
export { CREDENTIAL_HEADERS, identifyCallers } from './identify.ts';
export type { Caller, CallerReviewer, GatewayParts, Unmet } from './identify.ts';
