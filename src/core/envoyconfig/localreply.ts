import { anthropic, gemini, openai } from '../dialects/index.ts';
import type { Dialect, Refusal } from '../dialects/index.ts';
import { decodeUtf8 } from '../json/index.ts';
import { FRONT_METADATA, typed } from './settings.ts';
import type { Json } from './settings.ts';

/** What Envoy answers by itself. Codes are sections of docs/errors.md. */
interface OwnAnswer extends Refusal {
  /** An expression over the reply that Envoy is about to send. */
  readonly when: string;
}

/** A language that callers speak, and the beginnings of the paths by which it is known. */
interface Language {
  readonly dialect: Dialect;
  readonly prefixes: readonly string[];
}

/**
 * In the order in which they are tried; everybody else speaks OpenAI's, also who sent headers so large that the path is not
 * known. The processor looks closer (`frontOf`); this is for calls that it never sees.
 */
const LANGUAGES: readonly Language[] = [
  { dialect: anthropic, prefixes: ['/v1/messages', '/messages'] },
  { dialect: gemini, prefixes: ['/v1beta/', '/v1alpha/'] },
  { dialect: openai, prefixes: [] },
];

/** Envoy's own id of a request, which its access log has too. */
const REQUEST_ID = '%REQ(X-REQUEST-ID)%';

/** Our own refusals pass Envoy as local replies as well; they carry this in their details, and are left as they are. */
export const REFUSAL_DETAILS = 'airmesh_refusal';

/** Statuses of the routes that lead nowhere; the words are found here. */
export const NOTHING_HERE = 404;
export const NO_BODY = 400;

const details = (text: string): string => `response.code_details.contains('${text}')`;

const DIRECT = `response.code_details.startsWith('direct_response')`;

const ANSWERS: readonly OwnAnswer[] = [
  {
    when: `${DIRECT} && response.code == ${NOTHING_HERE}`,
    status: NOTHING_HERE,
    code: 'endpoint_not_supported',
    message: 'There is nothing here.',
    shouldRetry: false,
  },
  {
    when: `${DIRECT} && response.code == ${NO_BODY}`,
    status: NO_BODY,
    code: 'empty_body',
    message: 'The request has no body. Send a JSON document.',
    shouldRetry: false,
  },
  {
    when: details('payload_too_large'),
    status: 413,
    code: 'request_too_large',
    message: 'The request body is larger than this mesh takes. Send less, or have maxRequestBytes raised.',
    shouldRetry: false,
  },
  {
    when: details('rbac_access_denied'),
    status: 421,
    code: 'host_mismatch',
    message: 'The host of this request is not the one that the connection was made for. Call each host over a connection of its own.',
    shouldRetry: false,
  },
  {
    when: details('upgrade_failed'),
    status: 403,
    code: 'upgrade_refused',
    message: 'What goes over a WebSocket to this host could not be metered, so it is refused. Use the API over HTTP.',
    shouldRetry: false,
  },
  {
    when: 'response.code == 431',
    status: 431,
    code: 'headers_too_large',
    message: 'The request headers are larger than this mesh takes.',
    shouldRetry: false,
  },
  {
    when: `response.code_details == 'overload'`,
    status: 503,
    code: 'sidecar_overloaded',
    message: 'The memory of the sidecar beside this service is nearly used up, so it takes no new calls at the moment; this one was not sent on. Try again.',
    retryAfterS: 1,
    shouldRetry: true,
  },
  {
    when: details('ext_proc'),
    status: 503,
    code: 'processor_unavailable',
    message: 'The policy processor beside this service did not answer, so the call was not sent on. Try again.',
    shouldRetry: true,
  },
  {
    when: `response.code == 504`,
    status: 504,
    code: 'provider_timeout',
    message: 'The provider did not answer in time. It may have billed the call.',
    shouldRetry: false,
  },
  {
    // BoringSSL's word in the reason of the failure: by authority, name or time.
    when: details('CERTIFICATE_VERIFY_FAILED'),
    status: 503,
    code: 'provider_untrusted',
    message:
      'The provider’s certificate could not be verified, so nothing was sent to it. Whoever runs the mesh may have to name its authority (spec.tls.caCertificates of the AIProvider).',
    shouldRetry: false,
  },
  {
    when: `response.code == 503`,
    status: 503,
    code: 'provider_unreachable',
    message: 'The provider could not be reached, or broke the connection before it answered.',
    shouldRetry: true,
  },
];

/** `where`: an expression that narrows them to some replies, in an Envoy that has others; absent: all. */
export function localReplies(where?: string): Json {
  return { mappers: LANGUAGES.flatMap((language) => ANSWERS.map((answer) => mapper(answer, language, where))) };
}

function mapper(answer: OwnAnswer, { dialect, prefixes }: Language, where: string | undefined): Json {
  const ours = `response.code_details.startsWith('${REFUSAL_DETAILS}')`;
  const reply = dialect.refusal(answer, REQUEST_ID);
  const metadata = 'metadata.filter_metadata';
  const { namespace, key } = FRONT_METADATA;
  const byPath = prefixes.map((prefix) => `request.path.startsWith('${prefix}')`).join(' || ');
  const spoken = prefixes.length === 0 ? 'true' : `('${namespace}' in ${metadata} ? ${metadata}['${namespace}']['${key}'] == '${dialect.name}' : (${byPath}))`;
  return {
    filter: {
      extension_filter: {
        name: 'envoy.access_loggers.extension_filters.cel',
        typed_config: typed('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter', {
          expression: [...(where === undefined ? [] : [where]), `!${ours}`, answer.when, spoken].join(' && '),
        }),
      },
    },
    status_code: reply.status,
    body_format_override: { text_format_source: { inline_string: decodeUtf8(reply.body) }, content_type: 'application/json' },
    headers_to_add: reply.headers
      .filter(([name]) => name !== 'content-type')
      .map(([name, value]) => ({ header: { key: name, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' })),
  };
}
