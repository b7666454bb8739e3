import type { OutboundSettings } from './outbound/index.ts';

/** A value that JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** All that Envoy's configuration depends on. No provider's key is ever part of it: the processor sets keys, call by call. */
export interface EnvoySettings {
  readonly nodeId: string;
  /** Where the ext_proc server listens. */
  readonly processorSocket: string;
  /** Envoy's own administration, on a socket that only its owner can open. */
  readonly adminSocket: string;
  /** The folder of the files that Envoy watches. */
  readonly folder: string;
  readonly listeners: readonly ListenerSettings[];
  /** Absent: nothing is redirected here. */
  readonly outbound?: OutboundSettings;
  readonly upstreams: readonly UpstreamSettings[];
  /** Lower-case names of headers by which callers prove who they are; absent where the listener says whose calls they are. */
  readonly credentialHeaders?: readonly string[];
  /** What stands in the place of a key where an application has none. Absent: nobody asks whether callers send keys of their own. */
  readonly placeholderKey?: string;
  /** Lower-case names of the request headers that the processor reads. */
  readonly headersRead: readonly string[];
  /** Workloads, as `namespace/name`, whose answers the processor may end before their provider does. */
  readonly endsAnswersOf?: readonly string[];
  /** A larger request is answered 413. */
  readonly maxRequestBytes: number;
  /** As much as Envoy may take for itself; near it, new requests are refused. */
  readonly maxHeapBytes: number;
  /** How long the processor may take over one message; admission waits within it. */
  readonly messageTimeoutMs: number;
  /** Ends ext_proc streams in good order rather than by reset. Envoys before 1.40 do not know the flag and ignore it. */
  readonly gracefulGrpcClose: boolean;
  /** Path of the public certificate authorities, PEM. */
  readonly trustedCaFile: string;
}

/** One workload's way in. */
export interface ListenerSettings {
  /** `namespace/name`, or `SOLE_WORKLOAD`, or another word; told to the processor with each call, by Envoy. */
  readonly workload: string;
  readonly host: string;
  readonly port: number;
  /** Absent: plain text. */
  readonly tls?: ListenerTls;
}

/** PEM files, of which all may be replaced at any time. */
export interface ListenerTls {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Of authorities whose certificates callers may show; absent: they are not asked for one. */
  readonly clientAuthoritiesFile?: string;
}

/** What Envoy knows of a caller's certificate: its URI names. No header says it. */
export const PEER_URI_ATTRIBUTE = 'connection.uri_san_peer_certificate';

/** One provider's way out. */
export interface UpstreamSettings {
  /** `namespace/name` of the AIProvider. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly timeouts: { readonly connectMs: number; readonly requestMs: number; readonly idleMs: number };
  readonly retries: { readonly attempts: number; readonly baseIntervalMs: number; readonly maxIntervalMs: number };
  readonly circuitBreaker: { readonly maxConnections: number; readonly maxPendingRequests: number; readonly maxRequests: number };
  readonly outlierDetection: { readonly consecutive5xx: number; readonly intervalMs: number; readonly baseEjectionTimeMs: number };
  /** Authorities to trust instead of the public ones, PEM. */
  readonly caCertificates?: string | undefined;
}

/** The header by which the processor names the provider that a call goes to. Removed before the call leaves. */
export const BACKEND_HEADER = 'x-airmesh-backend';

/** The header by which Envoy says, in a word, whether the caller sent a key of its own; the key itself does not reach the processor. Removed before the call leaves. */
export const CALLER_KEY_HEADER = 'x-airmesh-caller-key';

/** The header by which the processor says which large body it has let in, for itself. Removed on entry, and before the call leaves. */
export const BODY_HEADER = 'x-airmesh-body';

/** What the header of a caller's key says of one that is neither absent nor the placeholder. */
export const OWN_KEY = 'own';

/**
 * The header by which a call that our own Envoy sends through a mesh's is known there to be governed already: a word that the
 * processor gives it. Removed there. Callers can send it, and no word of theirs is known.
 */
export const PASS_HEADER = 'x-airmesh-pass';

/** The metadata by which a listener's ext_proc filter names its workload. */
export const WORKLOAD_METADATA = 'x-airmesh-workload';

/** The metadata by which the filter before a large body's door says that it is no call yet. */
export const DOOR_METADATA = 'x-airmesh-door';

/** Where the processor says which API's language a call's caller speaks, for what Envoy answers by itself. */
export const FRONT_METADATA = { namespace: 'airmesh', key: 'front' } as const;

/** Where it says that a call is governed already. */
export const PASSED_METADATA = { namespace: FRONT_METADATA.namespace, key: 'passed' } as const;

/** Name of the cluster of the ext_proc server. */
export const PROCESSOR_CLUSTER = 'airmesh_processor';

/** The filter that asks the processor, and by which routes say what it is asked. */
export const EXT_PROC_FILTER = 'envoy.filters.http.ext_proc';

/** The filter that asks the processor whether there is room for a large body. */
export const DOOR_FILTER = 'airmesh.door';

/** Bodies of this size and more, and those that do not say theirs, wait for room. */
export const LARGE_BODY_BYTES = 65_536;

/**
 * What Envoy takes in of a connection or a stream before somebody wants it: of a large body that waits, this much is held. What wants
 * whole bodies asks for more.
 */
export const BUFFER_BYTES = 131_072;

/** The protocol that a request asks to go on in, as `upgrade` names it. */
export const WEB_SOCKET = 'websocket';

/** A duration in protobuf's JSON form. */
export const seconds = (ms: number): string => `${ms / 1000}s`;

/** A file name for a workload's routes: its name is a DNS label or two, which file names allow but for the slash. */
export const routesFile = (workload: string): string => `rds-${workload.replace('/', '_')}.json`;

/** A file that Envoy reads again when another is moved over it. */
export function watched({ folder }: Pick<EnvoySettings, 'folder'>, file: string): Json {
  return { path_config_source: { path: `${folder}/${file}` }, resource_api_version: 'V3' };
}

const TYPE = 'type.googleapis.com/';

/** An extension's configuration with its type. */
export const typed = (type: string, fields: { readonly [name: string]: Json }): Json => ({ '@type': TYPE + type, ...fields });

/** Paths without their query at which something is cancelled, as a whole match. */
export const CANCEL_PATH = '/.+[/:]cancel';

/** Methods whose requests say all in their headers. */
export const METHODS_WITHOUT_BODY = 'GET|HEAD|OPTIONS|DELETE';

const WITHOUT_BODY: ReadonlySet<string> = new Set(METHODS_WITHOUT_BODY.split('|'));
const CANCEL = new RegExp(`^${CANCEL_PATH}$`);

/** Whether such a request is asked by its headers alone: what body it may have is neither waited for nor read. */
export function isAskedByHeaders(method: string, path: string): boolean {
  return WITHOUT_BODY.has(method) || (method === 'POST' && CANCEL.test(path.split('?', 1)[0] ?? ''));
}
