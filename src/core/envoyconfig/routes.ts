import { webSocketRoutes } from './outbound/index.ts';
import { NO_BODY, NOTHING_HERE } from './localreply.ts';
import {
  BACKEND_HEADER,
  BODY_HEADER,
  CALLER_KEY_HEADER,
  CANCEL_PATH,
  DOOR_FILTER,
  EXT_PROC_FILTER,
  LARGE_BODY_BYTES,
  METHODS_WITHOUT_BODY,
  seconds,
  typed,
} from './settings.ts';
import type { EnvoySettings, Json, UpstreamSettings } from './settings.ts';

/**
 * A workload's routes. A call first matches one of the last three, which lead nowhere; the processor then names its
 * provider in a header, and the route is chosen again. So a call that the processor has not seen is never forwarded.
 */
export function routes(workload: string, settings: EnvoySettings): Json {
  return {
    resources: [
      typed('envoy.config.route.v3.RouteConfiguration', {
        name: workload,
        ignore_port_in_host_matching: true,
        virtual_hosts: [
          {
            name: 'ai',
            domains: ['*'],
            routes: [
              ...(settings.outbound?.workload === workload ? webSocketRoutes(settings.outbound) : []),
              ...settings.upstreams.map((upstream) => toProvider(upstream)),
              ...unseenRoutes({}, settings.endsAnswersOf?.includes(workload) === true),
            ],
          },
        ],
      }),
    ],
  };
}

/** Envoy's own notes of where a request came by, for servers behind it. They tell a provider nothing but how the inside looks. */
export const NOT_FOR_PROVIDERS = ['x-forwarded-proto', 'x-envoy-external-address', 'x-envoy-internal'];

/** The route that the processor chooses by its header; `also` must hold besides. */
export function toProvider(upstream: UpstreamSettings, cluster: string = upstream.id, also: Readonly<Record<string, Json>> = {}): Json {
  const { timeouts, retries } = upstream;
  return {
    name: upstream.id,
    match: { prefix: '/', headers: [{ name: BACKEND_HEADER, string_match: { exact: upstream.id } }], ...also },
    request_headers_to_remove: [BACKEND_HEADER, BODY_HEADER, CALLER_KEY_HEADER, ...NOT_FOR_PROVIDERS],
    route: {
      cluster,
      host_rewrite_literal: hostHeader(upstream),
      timeout: seconds(timeouts.requestMs),
      idle_timeout: seconds(timeouts.idleMs),
      ...(retries.attempts === 0 ? {} : { retry_policy: retryPolicy(retries) }),
    },
  };
}

/**
 * Only what cannot have been billed is tried again: no connection, a stream that was refused, a request that was not
 * sent, and the provider's own 429 and 503.
 */
function retryPolicy(retries: UpstreamSettings['retries']): Json {
  const backOff = { base_interval: seconds(retries.baseIntervalMs), max_interval: seconds(retries.maxIntervalMs) };
  return {
    retry_on: 'connect-failure,refused-stream,reset-before-request,retriable-status-codes',
    retriable_status_codes: [429, 503],
    num_retries: retries.attempts,
    retry_back_off: backOff,
    rate_limited_retry_back_off: { reset_headers: [{ name: 'retry-after', format: 'SECONDS' }], max_interval: seconds(retries.maxIntervalMs) },
    host_selection_retry_max_attempts: 1,
  };
}

const methods = (regex: string): Json => [{ name: ':method', string_match: { safe_regex: { regex } } }];

const WITHOUT_BODY: Json = { prefix: '/', headers: methods(METHODS_WITHOUT_BODY) };

/** What is cancelled is in the path. Some clients send an empty body, some an empty object, and neither says anything. */
const CANCEL: Json = { safe_regex: { regex: CANCEL_PATH }, headers: methods('POST') };

/** What a call that the processor has not seen matches, in this order; they lead nowhere. `more`: what other filters are to do there. */
export function unseenRoutes(more: Readonly<Record<string, Json>>, endsAnswers: boolean): readonly Json[] {
  return [
    withoutBody('without-body', WITHOUT_BODY, more),
    withoutBody('cancel', CANCEL, more),
    unseen('unseen', SMALL, more, endsAnswers),
    unseen('unseen-large', ANY, large(more), endsAnswers),
  ];
}

const ANY: Json = { prefix: '/' };

/** It says so. */
const SMALL: Json = { prefix: '/', headers: [{ name: 'content-length', range_match: { start: 0, end: LARGE_BODY_BYTES } }] };

/** A large body is asked about before it is taken in. */
const large = (more: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> => ({
  ...more,
  [DOOR_FILTER]: typed('envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute', { overrides: {} }),
});

/** A request that ends with its headers would pass a filter that waits for a body, so here it is asked by the headers. */
function withoutBody(name: string, match: Json, more: Readonly<Record<string, Json>>): Json {
  return {
    name,
    match,
    direct_response: { status: NOTHING_HERE },
    typed_per_filter_config: { ...more, ...asked('NONE') },
  };
}

/** Reached by a request with an empty body: the processor waits for a body, and none came. */
function unseen(name: string, match: Json, more: Readonly<Record<string, Json>>, endsAnswers: boolean): Json {
  return {
    name,
    match,
    direct_response: { status: NO_BODY },
    typed_per_filter_config: { ...more, ...asked('STREAMED', endsAnswers ? 'FULL_DUPLEX_STREAMED' : 'STREAMED') },
  };
}

/**
 * What the processor is asked: once with the whole request, then with the answer's headers and each of its chunks.
 * docs/decisions/0001-phases.md
 */
function asked(requestBody: 'NONE' | 'STREAMED', answerBody: 'STREAMED' | 'FULL_DUPLEX_STREAMED' = 'STREAMED'): Readonly<Record<string, Json>> {
  const mode = {
    request_header_mode: 'SEND',
    request_body_mode: requestBody,
    response_header_mode: 'SEND',
    response_body_mode: answerBody,
    request_trailer_mode: 'SKIP',
    response_trailer_mode: 'SEND',
  };
  return {
    [EXT_PROC_FILTER]: typed('envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute', { overrides: { processing_mode: mode } }),
  };
}

function hostHeader(upstream: UpstreamSettings): string {
  const host = upstream.host.includes(':') ? `[${upstream.host}]` : upstream.host;
  return upstream.port === (upstream.tls ? 443 : 80) ? host : `${host}:${upstream.port}`;
}
