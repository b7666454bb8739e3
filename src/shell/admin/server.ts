import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../telemetry/index.ts';
import { hostName, isLoopbackName } from './host.ts';
import { errorPage, pageFor } from './pages.ts';
import type { Page } from './pages.ts';
import type { AdminSources } from './sources.ts';

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_TARGET_LENGTH = 2_048;
const MAX_CONNECTIONS = 128;
const MAX_REQUESTS_PER_SOCKET = 1_000;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;

/** How long a reader may take for an answer that is under way when the server stops. */
const STOP_TIMEOUT_MS = 2_000;

export interface AdminServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly sources: AdminSources;
  readonly logger: Logger;
}

export interface AdminServer {
  readonly host: string;
  readonly port: number;
  /** Lets answers under way finish, then closes. */
  stop(): Promise<void>;
}

/** Listens, or rejects with Node's own error (`EADDRINUSE`, `EACCES`). */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const guarded = isLoopbackName(options.host);
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
  server.on('request', (request, response) => void answer(request, response, guarded, options));
  await listen(server, options.host, options.port);
  server.on('error', (error) => options.logger.error('admin.failed', { error }));
  const { port } = server.address() as AddressInfo;
  return { host: options.host, port, stop: () => close(server) };
}

async function answer(request: IncomingMessage, response: ServerResponse, guarded: boolean, { sources, logger }: AdminServerOptions): Promise<void> {
  // Nothing here takes a body; what is sent of one is not read.
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) response.shouldKeepAlive = false;
  try {
    write(request, response, refusalOf(request, guarded) ?? (await pageFor(request.url ?? '/', sources)));
  } catch (error) {
    logger.error('admin.page_failed', { path: request.url?.split('?', 1)[0], error });
    write(request, response, errorPage(500, 'internal_error', 'This page could not be made; the log says why.'));
  }
}

/** What is wrong with a request, whatever it asks for. */
function refusalOf(request: IncomingMessage, guarded: boolean): Page | undefined {
  if (guarded && !isLoopbackName(hostName(request.headers.host ?? '') ?? '')) {
    // A web page may point a name of its own at 127.0.0.1 and read what it gets (DNS rebinding); its name gives it away.
    return errorPage(403, 'host_not_allowed', 'This address answers only to names of this machine, such as 127.0.0.1 or localhost.');
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return errorPage(405, 'method_not_allowed', 'Everything here is read with GET; nothing can be changed.');
  }
  if ((request.url ?? '').length > MAX_TARGET_LENGTH) return errorPage(414, 'uri_too_long', `Paths end at ${MAX_TARGET_LENGTH} characters.`);
  return undefined;
}

function write(request: IncomingMessage, response: ServerResponse, page: Page): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(page.body);
  response.writeHead(page.status, {
    'content-type': page.contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS);
    server.close(() => {
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
