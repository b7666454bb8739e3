/**
 * Kubernetes: what controllers and commands have to do with an API server.
 *
 * Owns how it is watched without gaps and storms, what is written to it, how fast, and by whom. Must never decide what a
 * workload is given or what a status says (core/control), nor keep or show a key longer than a state needs it.
 */
export { openCluster } from './open.ts';
export type { Cluster } from './open.ts';
export { ApiServer, ApiUnreachable, refusalOf } from './apiserver.ts';
export type { ApiAnswer } from './apiserver.ts';
export { Governor } from './governor.ts';
export type { GovernorEvent, GovernorParts, Streams } from './governor.ts';
export { Leadership } from './leadership.ts';
export type { LeadershipParts } from './leadership.ts';
export { Services } from './services.ts';
export { SharedViews } from './sharedviews.ts';
export type { SharedViewsParts } from './sharedviews.ts';
export { TokenReviews } from './tokenreviews.ts';
export type { TokenReviewsParts } from './tokenreviews.ts';
export { look } from './look.ts';
export type { LookFor } from './look.ts';
export { paths } from './paths.ts';
