import { join } from 'node:path';
import { cutsStreams, headersReadBy } from '../../core/call/index.ts';
import { PLACEHOLDER_KEY, PRIVATE_NETWORKS, redirectedPorts } from '../../core/control/index.ts';
import type { Interception } from '../../core/control/index.ts';
import { upstreamOf } from '../../core/envoyconfig/index.ts';
import type { EnvoySettings, ListenerSettings, OutboundSettings } from '../../core/envoyconfig/index.ts';
import type { WorkloadSnapshot } from '../../core/policy/index.ts';
import type { Policies } from './feed.ts';

/** A request body larger than this is answered 413; images and documents of the official APIs stay below. */
export const MAX_REQUEST_BYTES = 32 * 1024 * 1024;

/** An admission may wait up to five minutes for others' holds; Envoy waits a little longer for the answer. */
export const MESSAGE_TIMEOUT_MS = 330_000;

export interface MeshPlace {
  /** Envoy's files. */
  readonly envoyFolder: string;
  /** For sockets: a short path, as their names are limited to about 100 bytes. */
  readonly socketFolder: string;
  readonly trustedCaFile: string;
  /** As much as Envoy may take for itself. */
  readonly maxHeapBytes: number;
}

/** Connections that are redirected here, if policies say what becomes of them. */
export type RedirectedConnections = Pick<OutboundSettings, 'workload' | 'addresses' | 'resolver'>;

/** How calls come in besides by listeners, and by which headers their callers say who they are. */
export interface Entrances {
  readonly redirected?: RedirectedConnections | undefined;
  readonly credentials?: ReadonlySet<string> | undefined;
}

export const processorSocket = (place: MeshPlace): string => join(place.socketFolder, 'processor.sock');
export const adminSocket = (place: MeshPlace): string => join(place.socketFolder, 'envoy.sock');

/**
 * Policies → what Envoy's configuration depends on. Of several, while one takes another's place, it has the
 * providers and headers of all; the last one's form of a provider counts.
 */
export function envoySettings(
  policies: readonly Policies[],
  listeners: readonly ListenerSettings[],
  place: MeshPlace,
  { redirected, credentials }: Entrances = {},
): EnvoySettings {
  const interception = policies.at(-1)?.interception;
  const upstreams = new Map(policies.flatMap(({ providers }) => [...providers]));
  return {
    nodeId: 'airmesh',
    processorSocket: processorSocket(place),
    adminSocket: adminSocket(place),
    folder: place.envoyFolder,
    listeners,
    ...(redirected === undefined || interception === undefined ? {} : { outbound: outboundSettings(redirected, interception) }),
    endsAnswersOf: [...new Set([...listeners, ...(redirected === undefined ? [] : [redirected])].map(({ workload }) => workload))].filter((workload) =>
      policies.some(({ snapshots }) => servedBy(workload, snapshots).some(cutsStreams)),
    ),
    upstreams: [...upstreams.values()].map(({ policy }) => upstreamOf(policy)).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    headersRead: headersReadBy(policies.flatMap(({ snapshots }) => [...snapshots.values()])),
    // Where callers say by keys who they are, those are no providers' keys.
    ...(credentials === undefined ? { placeholderKey: PLACEHOLDER_KEY } : { credentialHeaders: [...credentials] }),
    maxRequestBytes: MAX_REQUEST_BYTES,
    messageTimeoutMs: MESSAGE_TIMEOUT_MS,
    gracefulGrpcClose: true,
    trustedCaFile: place.trustedCaFile,
    maxHeapBytes: place.maxHeapBytes,
  };
}

/** Whose calls may come in under a name: a workload's id is its own; any other is that of a listener which does not say whose. */
function servedBy(name: string, snapshots: Policies['snapshots']): readonly WorkloadSnapshot[] {
  if (!name.includes('/')) return [...snapshots.values()];
  const snapshot = snapshots.get(name);
  return snapshot === undefined ? [] : [snapshot];
}

function outboundSettings(redirected: RedirectedConnections, interception: Interception): OutboundSettings {
  const { hosts, egress, passedHosts = [], refusedHosts = [], networks = PRIVATE_NETWORKS, webSocketHosts = [] } = interception;
  return {
    ...redirected,
    hosts: hosts.map(({ host, leaf, addresses }) => ({
      host,
      ...(addresses === undefined ? {} : { addresses }),
      ...(leaf === undefined ? {} : { leaf: { certificate: leaf.certificate, key: leaf.key } }),
    })),
    ports: redirectedPorts(interception),
    passedHosts,
    refusedHosts,
    webSocketHosts,
    egress: egress === 'Open' ? { kind: 'Open' } : { kind: 'Enforced', networks },
  };
}
