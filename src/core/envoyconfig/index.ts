/**
 * Envoy configuration: settings → the JSON files that an Envoy watches.
 *
 * Owns listeners, routes, clusters and what Envoy answers by itself. Must never know of providers' keys, budgets or resources.
 */
import { bootstrap } from './bootstrap.ts';
import { clusters } from './clusters.ts';
import { listeners } from './listeners.ts';
import { leaves } from './outbound/index.ts';
import { routes } from './routes.ts';
import { routesFile } from './settings.ts';
import type { EnvoySettings, Json } from './settings.ts';

export { guestFilters, guestManager, guestPass, guestProcessor, guestProvider, guestRoutes } from './guest.ts';
export type { GuestSettings, GuestWay } from './guest.ts';
export { upstreamOf } from './upstream.ts';
export { REFUSAL_DETAILS } from './localreply.ts';
export {
  BACKEND_HEADER,
  BODY_HEADER,
  CALLER_KEY_HEADER,
  DOOR_METADATA,
  FRONT_METADATA,
  OWN_KEY,
  PASSED_METADATA,
  PASS_HEADER,
  PEER_URI_ATTRIBUTE,
  WORKLOAD_METADATA,
  isAskedByHeaders,
} from './settings.ts';
export type { OutboundAddress, OutboundHost, OutboundSettings } from './outbound/index.ts';
export type { EnvoySettings, Json, ListenerSettings, ListenerTls, UpstreamSettings } from './settings.ts';

/** File name → content. `bootstrap.json` is read once; the others are watched. Clusters come before what refers to them. */
export function renderEnvoy(settings: EnvoySettings): ReadonlyMap<string, Json> {
  const workloads = new Set([...settings.listeners, ...(settings.outbound === undefined ? [] : [settings.outbound])].map(({ workload }) => workload));
  return new Map<string, Json>([
    ['bootstrap.json', bootstrap(settings)],
    ['cds.json', clusters(settings)],
    ...[...workloads].map((workload): [string, Json] => [routesFile(workload), routes(workload, settings)]),
    ...(settings.outbound === undefined ? [] : leaves(settings.outbound)),
    ['lds.json', listeners(settings)],
  ]);
}
