import { redactText } from '../telemetry/index.ts';
import type { CheckOutcome, CheckProblemCode, RawAnswer } from './provider.ts';

const MAX_QUOTED_LENGTH = 200;
const MAX_LISTED_MODELS = 10_000;

interface Answered extends RawAnswer {
  readonly key: string | undefined;
  readonly url: URL;
  readonly durationMs: number;
}

/** What an answer to the list of models says about key and base URL. */
export function readAnswer(answer: Answered): CheckOutcome {
  const { status, url, headers } = answer;
  const said = providerMessage(answer);
  const suffix = said === undefined ? '' : `: ${said}`;
  if (status >= 200 && status < 300) return readList(answer);
  // Google's word for a wrong key is 400.
  if (status === 400 && said !== undefined && /\bAPI key\b/i.test(said)) return keyRefused(answer, suffix);
  switch (status) {
    case 401:
      return keyRefused(answer, suffix);
    case 403:
      return problem(
        'forbidden',
        `it knows the key and does not allow its use (403)${suffix}`,
        "Check the key's permissions, its project, and whether this address or country may use it.",
      );
    case 404:
    case 405:
      return problem(
        'wrong_base_url',
        `${url.href} does not exist there (${status})`,
        'Check baseUrl: it usually ends in /v1, and does not include /chat/completions.',
      );
    case 402:
    case 429:
      return problem(
        'quota',
        `it accepts the key, and has nothing left for it (${status})${suffix}`,
        'Check the plan and the limits at the provider, or wait.',
      );
  }
  if (status >= 300 && status < 400) {
    return problem(
      'redirected',
      `it sends elsewhere (${status} to ${bounded(headers.location ?? 'nowhere', answer.key)})`,
      'Set baseUrl to the address that it points to; keys do not follow redirects.',
    );
  }
  return problem(
    'provider_error',
    `it answered ${status}${suffix}`,
    status >= 500 ? 'The provider has a problem; try again later.' : 'Check baseUrl and the key.',
  );
}

function keyRefused({ key, status }: Answered, suffix: string): CheckOutcome {
  return key === undefined
    ? problem('key_refused', 'it wants a key and none is declared', 'Declare auth.apiKey in the AIProvider.')
    : problem(
        'key_refused',
        `it does not accept the key (${status})${suffix}`,
        'Make a new key at the provider, or check that this key belongs to this provider and base URL.',
      );
}

function readList({ body, headers, url, durationMs }: Answered): CheckOutcome {
  const parsed = parse(body);
  const data = parsed?.['data'] ?? parsed?.['models'];
  if (!Array.isArray(data)) {
    const type = headers['content-type']?.split(';', 1)[0] ?? 'without a type';
    return problem(
      'wrong_base_url',
      `${url.href} is no list of models (it is ${type})`,
      'Check baseUrl: it is probably the address of a web page or of another API.',
    );
  }
  const models = data.slice(0, MAX_LISTED_MODELS).flatMap((entry: unknown) => nameOf(entry) ?? []);
  return { kind: 'accepted', models, durationMs };
}

/** `id`, or Google's `name` below its collection. */
function nameOf(entry: unknown): string | undefined {
  if (!isRecord(entry)) return undefined;
  const { id, name } = entry;
  if (typeof id === 'string') return id;
  return typeof name === 'string' ? name.replace(/^models\//, '') : undefined;
}

/** The provider's own words, without the key, which some of them repeat. */
function providerMessage({ body, key }: Answered): string | undefined {
  const error = parse(body)?.['error'];
  const message = isRecord(error) ? error['message'] : error;
  return typeof message === 'string' && message !== '' ? bounded(message, key) : undefined;
}

function bounded(text: string, key: string | undefined): string {
  const withoutKey = key === undefined || key === '' ? text : text.replaceAll(key, '[redacted]');
  return redactText(withoutKey)
    .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
    .slice(0, MAX_QUOTED_LENGTH);
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problem(code: CheckProblemCode, message: string, hint: string): CheckOutcome {
  return { kind: 'problem', code, message, hint };
}
