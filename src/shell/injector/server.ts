import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { NamespaceFacts, Pod, Verdict } from '../../core/injection/index.ts';
import { readBody } from './body.ts';
import { WEBHOOK_PATHS } from './paths.ts';
import { answerReview, readReview } from './review.ts';

/** Connections that API servers keep; each asks one thing at a time, or several by HTTP/1.1 after each other. */
const MAX_CONNECTIONS = 512;
const MAX_HEADER_BYTES = 16 * 1024;
/** The chart has API servers wait 5 s; what takes longer here is of no use to them. */
const REQUEST_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 60_000;
const STOP_WITHIN_MS = 2_000;

/** PEM. */
export interface WebhookIdentity {
  readonly certificate: string;
  readonly key: string;
}

export type WebhookEvent =
  | { readonly kind: Verdict['kind']; readonly namespace: string; readonly pod: string; readonly why: readonly string[] }
  /** It was no review, or came by a wrong way. */
  | { readonly kind: 'unreadable'; readonly status: number; readonly why: string }
  /** A bug here, or a connection that broke. */
  | { readonly kind: 'failed'; readonly error: unknown };

export interface WebhookOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly identity: WebhookIdentity;
  readonly inject: (pod: Pod, namespace: NamespaceFacts) => Verdict;
  readonly onEvent: (event: WebhookEvent) => void;
}

export interface RunningWebhook {
  readonly host: string;
  readonly port: number;
  /** For new connections; those that are there go on. */
  use(identity: WebhookIdentity): void;
  /** Lets answers under way finish, then closes. */
  stop(): Promise<void>;
}

/** Listens, or rejects with Node's own error (`EADDRINUSE`, or OpenSSL's for a certificate that is none). */
export async function startWebhook(options: WebhookOptions): Promise<RunningWebhook> {
  const { host, identity, onEvent } = options;
  const server = createServer({
    key: identity.key,
    cert: identity.certificate,
    minVersion: 'TLSv1.2',
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    handshakeTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', (request, response) => void answer(request, response, options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  server.on('error', (error) => onEvent({ kind: 'failed', error }));
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    use: ({ certificate, key }) => server.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' }),
    stop: () => close(server),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, { inject, onEvent }: WebhookOptions): Promise<void> {
  const refuse = (status: number, why: string): void => {
    onEvent({ kind: 'unreadable', status, why });
    // What is left of its body is not read.
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${why}\n`);
  };
  try {
    const of = WEBHOOK_PATHS.get(request.url?.split('?', 1)[0] ?? '');
    if (of === undefined) return refuse(404, `${[...WEBHOOK_PATHS.keys()].join(', ')} are here`);
    if (request.method !== 'POST') return refuse(405, 'reviews are sent by POST');
    if (request.headers['content-type']?.split(';', 1)[0]?.trim() !== 'application/json') return refuse(415, 'reviews are application/json');
    const body = await readBody(request);
    if (!body.ok) return refuse(413, 'the review is too large');
    const review = readReview(body.value);
    if (!review.ok) return refuse(400, review.error);
    const verdict = inject(review.value.pod, of);
    const { namespace, name: pod } = review.value;
    const why = verdict.kind === 'refused' ? verdict.problems : verdict.kind === 'left' ? [verdict.reason] : verdict.warnings;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answerReview(review.value, verdict)));
    onEvent({ kind: verdict.kind, namespace, pod, why });
  } catch (error) {
    onEvent({ kind: 'failed', error });
    if (!response.headersSent)
      response.writeHead(500, { 'content-type': 'text/plain', connection: 'close' }).end('This review could not be answered; the log says why.\n');
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS);
    server.close(() => {
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
