import { processor, provider } from './clusters.ts';
import { door, extProc, onEntry, wholeBody } from './governing.ts';
import type { ExtProcSettings } from './governing.ts';
import { localReplies } from './localreply.ts';
import { NOT_FOR_PROVIDERS, toProvider, unseenRoutes } from './routes.ts';
import { CALLER_KEY_HEADER, FRONT_METADATA, PASSED_METADATA, PASS_HEADER, seconds, typed } from './settings.ts';
import type { EnvoySettings, Json, UpstreamSettings } from './settings.ts';

/** What a mesh's own Envoy is told of ours. */
export interface GuestSettings extends ExtProcSettings, Pick<EnvoySettings, 'processorSocket' | 'maxRequestBytes'> {
  /** Whether the processor may end streams at a limit: `endsAnswersOf`, of all whom these routes serve. */
  readonly endsAnswers: boolean;
}

/** A provider, and the cluster by which the mesh's Envoy reaches it. */
export interface GuestWay {
  readonly upstream: UpstreamSettings;
  readonly cluster: string;
}

type Fields = { readonly [name: string]: Json };

const HEADERS_FILTER = 'airmesh.headers';
/** What names of our routes begin with. */
const OURS = 'airmesh/';

/** The processor's cluster; static resources, and what meshes take, do not say their type. */
export const guestProcessor = (settings: Pick<GuestSettings, 'processorSocket'>): Json => untyped(processor(settings));

/** A provider's cluster of our own, for meshes that have no way to it. */
export const guestProvider = (upstream: UpstreamSettings, trustedCaFile: string): Json => untyped(provider(upstream, { trustedCaFile }));

/**
 * Filters for the listener that all hosts share, in their order, just before the router. They are disabled: only routes that
 * have something for them turn them on, so other hosts never meet them.
 */
export function guestFilters(settings: Omit<GuestSettings, 'endsAnswers'>): readonly Json[] {
  const read = { ...settings, headersRead: [...settings.headersRead, PASS_HEADER] };
  return [headers(settings), door(undefined, read), wholeBody(settings), extProc(undefined, read)].map((filter) => ({ ...filter, disabled: true }));
}

/** What is merged into the connection manager of that listener: of what Envoy answers by itself, our routes' in the caller's language. */
export const guestManager = (): { readonly name: string; readonly typed_config: Json } => ({
  name: 'envoy.filters.network.http_connection_manager',
  typed_config: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    local_reply_config: localReplies(`xds.route_name.startsWith('${OURS}')`),
  }),
});

/**
 * Routes for a governed host, before all that the mesh has for it. What the processor has not seen leads nowhere. A provider's
 * route wants the processor's metadata besides its header: callers can send the header, and nobody removes it before the first
 * of Envoy's choices.
 */
export function guestRoutes(ways: readonly GuestWay[], settings: GuestSettings): readonly Json[] {
  const seen = { dynamic_metadata: [present(FRONT_METADATA)] };
  const buffer = typed('envoy.extensions.filters.http.buffer.v3.BufferPerRoute', { buffer: { max_request_bytes: settings.maxRequestBytes } });
  const more = {
    [HEADERS_FILTER]: typed('envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute', { mutations: {} }),
    'envoy.filters.http.buffer': buffer,
  };
  const toProviders = ways.map(({ upstream, cluster }) => withoutWord(toProvider(upstream, cluster, seen)));
  return [...toProviders, ...unseenRoutes(more, settings.endsAnswers)].map(named);
}

/**
 * The route of what our own Envoy sends to a provider in plain HTTP, which the mesh takes in: before those that ask, as it is, and
 * tried and timed by nobody but our own.
 */
export function guestPass(cluster: string): Json {
  return named({
    name: 'pass',
    match: { prefix: '/', dynamic_metadata: [present(PASSED_METADATA)] },
    request_headers_to_remove: [CALLER_KEY_HEADER, ...NOT_FOR_PROVIDERS],
    route: { cluster, timeout: seconds(0), idle_timeout: seconds(0) },
  });
}

const present = ({ namespace, key }: { readonly namespace: string; readonly key: string }): Json => ({
  filter: namespace,
  path: [{ key }],
  value: { present_match: true },
});

/** A word that is nobody's is not the provider's to see. */
function withoutWord(route: Json): Json {
  const fields = route as Fields;
  return { ...fields, request_headers_to_remove: [PASS_HEADER, ...(fields['request_headers_to_remove'] as readonly Json[])] };
}

/** What a caller could tell Envoy, where the connection manager is not ours to say it once for all. */
function headers(settings: Pick<GuestSettings, 'placeholderKey'>): Fields {
  return {
    name: HEADERS_FILTER,
    typed_config: typed('envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
      mutations: { request_mutations: onEntry(settings) },
    }),
  };
}

/** Told apart from the mesh's own routes, in its statistics and logs. */
function named(route: Json): Json {
  const fields = route as Fields;
  return { ...fields, name: `${OURS}${String(fields['name'])}` };
}

function untyped(resource: Json): Json {
  const { '@type': _type, ...fields } = resource as Fields;
  return fields;
}
