import { typed } from './settings.ts';
import type { Json } from './settings.ts';

/** What Envoy answers by itself, in the words of OpenAI's API. Codes are sections of docs/errors.md. */
interface OwnAnswer {
  /** An expression over the reply that Envoy is about to send. */
  readonly when: string;
  readonly status: number;
  readonly code: string;
  readonly type: 'invalid_request_error' | 'server_error';
  readonly message: string;
  readonly shouldRetry: boolean;
}

/** Our own refusals pass Envoy as local replies as well; they carry this in their details, and are left as they are. */
export const REFUSAL_DETAILS = 'airmesh_refusal';

const details = (text: string): string => `response.code_details.contains('${text}')`;

const ANSWERS: readonly OwnAnswer[] = [
  {
    when: details('payload_too_large'),
    status: 413,
    code: 'request_too_large',
    type: 'invalid_request_error',
    message: 'The request body is larger than this mesh takes. Send less, or have maxRequestBytes raised.',
    shouldRetry: false,
  },
  {
    when: 'response.code == 431',
    status: 431,
    code: 'headers_too_large',
    type: 'invalid_request_error',
    message: 'The request headers are larger than this mesh takes.',
    shouldRetry: false,
  },
  {
    when: details('ext_proc'),
    status: 503,
    code: 'processor_unavailable',
    type: 'server_error',
    message: 'The policy processor beside this service did not answer, so the call was not sent on. Try again.',
    shouldRetry: true,
  },
  {
    when: `response.code == 504`,
    status: 504,
    code: 'provider_timeout',
    type: 'server_error',
    message: 'The provider did not answer in time. It may have billed the call.',
    shouldRetry: false,
  },
  {
    when: `response.code == 503`,
    status: 503,
    code: 'provider_unreachable',
    type: 'server_error',
    message: 'The provider could not be reached, or broke the connection before it answered.',
    shouldRetry: true,
  },
];

export function localReplies(): Json {
  return { mappers: ANSWERS.map(mapper) };
}

function mapper(answer: OwnAnswer): Json {
  const ours = `response.code_details.startsWith('${REFUSAL_DETAILS}') || response.code_details.startsWith('direct_response')`;
  return {
    filter: {
      extension_filter: {
        name: 'envoy.access_loggers.extension_filters.cel',
        typed_config: typed('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter', { expression: `!(${ours}) && ${answer.when}` }),
      },
    },
    status_code: answer.status,
    body: { inline_string: errorBody(answer.message, answer.type, answer.code) },
    body_format_override: { text_format_source: { inline_string: '%LOCAL_REPLY_BODY%' }, content_type: 'application/json' },
    headers_to_add: [
      { header: { key: 'x-should-retry', value: String(answer.shouldRetry) }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
    ],
  };
}

/** OpenAI's error shape. */
export function errorBody(message: string, type: string, code: string): string {
  return JSON.stringify({ error: { message, type, param: null, code } });
}
