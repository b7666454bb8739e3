import { processor, provider } from './clusters.ts';
import { door, extProc, onEntry, wholeBody } from './governing.ts';
import type { ExtProcSettings } from './governing.ts';
import { toProvider, unseenRoutes } from './routes.ts';
import { FRONT_METADATA, typed } from './settings.ts';
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

/** The processor's cluster; static resources, and what meshes take, do not say their type. */
export const guestProcessor = (settings: Pick<GuestSettings, 'processorSocket'>): Json => untyped(processor(settings));

/** A provider's cluster of our own, for meshes that have no way to it. */
export const guestProvider = (upstream: UpstreamSettings, trustedCaFile: string): Json => untyped(provider(upstream, { trustedCaFile }));

/**
 * Filters for the listener that all hosts share, in their order, just before the router. They are disabled: only routes that
 * have something for them turn them on, so other hosts never meet them.
 */
export function guestFilters(settings: Omit<GuestSettings, 'endsAnswers'>): readonly Json[] {
  return [headers(settings), door(undefined, settings), wholeBody(settings), extProc(undefined, settings)].map((filter) => ({ ...filter, disabled: true }));
}

/**
 * Routes for a governed host, before all that the mesh has for it. What the processor has not seen leads nowhere. A provider's
 * route wants the processor's metadata besides its header: callers can send the header, and nobody removes it before the first
 * of Envoy's choices.
 */
export function guestRoutes(ways: readonly GuestWay[], settings: GuestSettings): readonly Json[] {
  const seen = { dynamic_metadata: [{ filter: FRONT_METADATA.namespace, path: [{ key: FRONT_METADATA.key }], value: { present_match: true } }] };
  const buffer = typed('envoy.extensions.filters.http.buffer.v3.BufferPerRoute', { buffer: { max_request_bytes: settings.maxRequestBytes } });
  const more = {
    [HEADERS_FILTER]: typed('envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute', { mutations: {} }),
    'envoy.filters.http.buffer': buffer,
  };
  return [...ways.map(({ upstream, cluster }) => toProvider(upstream, cluster, seen)), ...unseenRoutes(more, settings.endsAnswers)].map(named);
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
  return { ...fields, name: `airmesh/${String(fields['name'])}` };
}

function untyped(resource: Json): Json {
  const { '@type': _type, ...fields } = resource as Fields;
  return fields;
}
