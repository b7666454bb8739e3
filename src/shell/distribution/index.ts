/**
 * Distribution: each sidecar is given the newest state of its own workload, and says what became of it; a gateway, those of
 * the workloads that call by it.
 *
 * Owns how states travel, who is given which, and what is known of each sidecar. Must never decide what is in a state, nor
 * give one to any but a pod of its workload and a gateway that its namespace allows, nor show a key.
 */
export { Distributor } from './distributor.ts';
export type { DistributorParts } from './distributor.ts';
export type { DistributionEvent } from './ports.ts';
export { PolicyLink } from './link.ts';
export type { PolicyLinkParts } from './link.ts';
export { Gateways } from './gateways.ts';
export type { GatewaysParts } from './gateways.ts';
export { GatewayPermissions } from './gatewaypermissions.ts';
export { GatewayLink } from './gatewaylink.ts';
export { MAX_ENTRIES } from './codec/gateway.ts';
export type { BadGatewayState, GatewayReport, ToGateway } from './codec/gateway.ts';
export type { BadState, ToSidecar } from './codec/answer.ts';
export type { SidecarReport } from './codec/report.ts';
export { decodeState, encodeState } from './codec/state.ts';
