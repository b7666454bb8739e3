import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { backOf } from '../../core/dialects/index.ts';
import type { BackName } from '../../core/dialects/index.ts';
import { readAnswer } from './answer.ts';
import { connectionProblem } from './connection.ts';

/** Of a list of models; the largest that is known is some hundred kilobytes. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface CheckRequest {
  /** The API's root, such as `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly back: BackName;
  /** Of the provider's API, where it wants one named. */
  readonly apiVersion?: string | undefined;
  /** `undefined`: the provider takes none. */
  readonly key: string | undefined;
  readonly timeoutMs: number;
  /** Who may have issued its certificate, PEM; `undefined`: those whom the machine trusts. */
  readonly caCertificates?: string | undefined;
}

/** What was found. Every problem says what to do; none quotes the key. */
export type CheckOutcome =
  | {
      readonly kind: 'accepted';
      /** `undefined`: it accepts the key but keeps no list. */ readonly models: readonly string[] | undefined;
      readonly durationMs: number;
    }
  | { readonly kind: 'problem'; readonly code: CheckProblemCode; readonly message: string; readonly hint: string };

export type CheckProblemCode =
  | 'key_unreadable'
  | 'key_refused'
  | 'forbidden'
  | 'quota'
  | 'dns'
  | 'unreachable'
  | 'timeout'
  | 'tls'
  | 'wrong_base_url'
  | 'redirected'
  | 'provider_error';

/**
 * Asks for the list of models, directly: no proxy of the environment, no connection kept. Certificates are checked as Envoy
 * will check them.
 */
export async function checkProvider(check: CheckRequest): Promise<CheckOutcome> {
  const url = URL.parse(`${check.baseUrl.replace(/\/+$/, '')}${backOf(check.back).modelsPath(check.apiVersion)}`);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return { kind: 'problem', code: 'wrong_base_url', message: `${JSON.stringify(check.baseUrl)} is no HTTP URL`, hint: 'Write baseUrl as https://host/v1.' };
  }
  const startedMs = performance.now();
  try {
    const { status, headers, body } = await ask(url, check);
    return readAnswer({ status, headers, body, key: check.key, url, durationMs: Math.round(performance.now() - startedMs) });
  } catch (error) {
    return connectionProblem(error, url, check.timeoutMs);
  }
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function ask(url: URL, check: CheckRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const { set, defaults = [] } = backOf(check.back).auth(check.key ?? '');
    const headers = { accept: 'application/json', 'user-agent': 'airmesh-check', ...Object.fromEntries([...defaults, ...set]) };
    const signal = AbortSignal.timeout(check.timeoutMs);
    const request = send(url, { agent: false, headers, signal, ...(check.caCertificates === undefined ? {} : { ca: check.caCertificates }) }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        // What matters stands at the beginning; the rest of an endless page is nobody's.
        if (bytes > MAX_ANSWER_BYTES) response.destroy();
        else chunks.push(chunk);
      });
      response.on('close', () => {
        if (signal.aborted) reject(signal.reason);
        else resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') });
      });
      response.on('error', () => undefined);
    });
    request.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    request.end();
  });
}
