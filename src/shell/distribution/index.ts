/**
 * Distribution: each sidecar is given the newest state of its own workload, and says what became of it.
 *
 * Owns how states travel, who is given which, and what is known of each sidecar. Must never decide what is in a state, nor
 * give one to any but a pod of its workload, nor show a key.
 */
export { Distributor } from './distributor.ts';
export type { DistributorParts } from './distributor.ts';
export type { DistributionEvent } from './ports.ts';
export { PolicyLink } from './link.ts';
export type { PolicyLinkParts } from './link.ts';
export type { BadState, ToSidecar } from './codec/answer.ts';
export type { SidecarReport } from './codec/report.ts';
export { decodeState, encodeState } from './codec/state.ts';
