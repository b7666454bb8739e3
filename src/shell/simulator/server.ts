import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Answer, NOTHING } from './answer.ts';
import { SimulatorBooks } from './books.ts';
import { NO_FAULTS, RandomFaults, parseFaults } from './faults.ts';
import type { Faults } from './faults.ts';
import { chat, completions, embeddings, errorBody, listModels, moderations, responses } from './openai/routes.ts';
import type { Exchange } from './openai/routes.ts';
import { KeptThings } from './state/index.ts';

export interface SimulatorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The keys that it takes; `any`: every non-empty one, and none at all. */
  readonly keys: 'any' | readonly string[];
}

export interface Simulator {
  readonly host: string;
  readonly port: number;
  /** Without a path: `http://127.0.0.1:4010`. */
  readonly url: string;
  readonly books: SimulatorBooks;
  close(): Promise<void>;
}

/** Batches of the real providers take minutes to hours. */
const BATCH_MS = 300;

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Starts the simulated provider. Rejects where the address is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const books = new SimulatorBooks();
  const random = new RandomFaults();
  let count = 0;
  let url = '';
  const [key = 'any'] = options.keys === 'any' ? [] : options.keys;
  const kept = new KeptThings({
    batchMs: BATCH_MS,
    serve: async (path, body) => {
      const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` }, body: JSON.stringify(body) });
      return { status: response.status, body: await response.json() };
    },
  });
  const server: Server = createServer((request, response) => {
    const requestId = firstHeader(request, 'x-airmesh-request-id') ?? `req_${(count++).toString(36)}`;
    serve(request, response, { options, books, random, requestId, kept }).catch((error: unknown) => {
      const body = errorBody(error instanceof Error ? error.message : 'broken', 'invalid_request_error', null);
      if (!response.headersSent) new Answer(response, NO_FAULTS, requestId).json(400, body);
      else response.destroy();
    });
  });
  server.keepAliveTimeout = 120_000;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
  return {
    host: options.host,
    port,
    url,
    books,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Context {
  readonly options: SimulatorOptions;
  readonly books: SimulatorBooks;
  readonly random: RandomFaults;
  readonly requestId: string;
  readonly kept: KeptThings;
}

async function serve(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (path.startsWith('/simulator/')) return administer(request, response, path, context);
  const header = firstHeader(request, 'x-simulate');
  const faults = header === undefined ? context.random.next() : parseFaults(header);
  const answer = new Answer(response, faults, context.requestId);
  const body = request.method === 'POST' ? await readBody(request) : Buffer.alloc(0);
  if (!authorised(request, context.options.keys)) {
    return answer.json(401, errorBody('Incorrect API key provided. You can find your API key at the provider.', 'invalid_request_error', 'invalid_api_key'));
  }
  const headers = Object.fromEntries(Object.keys(request.headers).map((name) => [name, firstHeader(request, name)]));
  const ofKept = await context.kept.handle({ method: request.method ?? 'GET', path: request.url ?? '/', headers, body });
  if (ofKept !== undefined) {
    response.writeHead(ofKept.status, { 'content-type': ofKept.contentType, 'x-request-id': context.requestId });
    response.end(ofKept.body);
    return;
  }
  if (faults.delayMs > 0) await delay(faults.delayMs);
  if (faults.status !== undefined) {
    context.books.record(context.requestId, '', faults.status, false, NOTHING);
    return answer.json(faults.status, errorBody('This failure was asked for.', faults.status === 429 ? 'rate_limit_error' : 'server_error', null));
  }
  await route(request, path, body, { answer, faults, books: context.books, kept: context.kept, acceptEncoding: firstHeader(request, 'accept-encoding') ?? '' });
}

async function route(request: IncomingMessage, path: string, body: Buffer, exchange: Exchange): Promise<void> {
  const { answer } = exchange;
  if (path === '/v1/models' || path.startsWith('/v1/models/')) {
    return listModels(exchange, path === '/v1/models' ? undefined : decodeURIComponent(path.slice('/v1/models/'.length)));
  }
  const handler = HANDLERS[path];
  if (handler === undefined) return answer.json(404, errorBody(`Invalid URL (${request.method} ${path.slice(0, 200)})`, 'invalid_request_error', null));
  if (request.method !== 'POST') return answer.json(405, errorBody(`Not allowed to ${request.method} on ${path}`, 'invalid_request_error', 'method_not_supported'));
  if (MULTIPART.has(path) && firstHeader(request, 'content-type')?.startsWith('multipart/form-data') === true) return MULTIPART.get(path)?.(exchange);
  await handler(parseJson(body), exchange);
}

type Handler = (body: unknown, exchange: Exchange) => Promise<void> | void;

const image = (_body: unknown, { answer }: Exchange): void =>
  answer.json(200, { created: 1_700_000_000, data: [{ b64_json: PIXEL }], usage: { input_tokens: 10, output_tokens: 100, total_tokens: 110, input_tokens_details: { text_tokens: 10, image_tokens: 0 } } });
const transcription = (_body: unknown, { answer }: Exchange): void => answer.json(200, { text: 'the mesh carries each call' });

const HANDLERS: Readonly<Record<string, Handler>> = {
  '/v1/chat/completions': chat,
  '/v1/completions': completions,
  '/v1/embeddings': embeddings,
  '/v1/responses': responses,
  '/v1/moderations': moderations,
  '/v1/images/generations': image,
  '/v1/images/edits': image,
  '/v1/images/variations': image,
  '/v1/audio/speech': (_body, { answer }) => answer.bytes('audio/mpeg', Buffer.alloc(256, 0xff)),
  '/v1/audio/transcriptions': transcription,
  '/v1/audio/translations': transcription,
};

const MULTIPART: ReadonlyMap<string, (exchange: Exchange) => Promise<void> | void> = new Map(
  ['/v1/images/edits', '/v1/images/variations', '/v1/audio/transcriptions', '/v1/audio/translations'].map((path) => [path, (exchange: Exchange) => HANDLERS[path]?.({}, exchange)]),
);

/** A transparent PNG of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

async function administer(request: IncomingMessage, response: ServerResponse, path: string, { books, random, requestId }: Context): Promise<void> {
  const answer = new Answer(response, NO_FAULTS, requestId);
  if (path === '/simulator/books' && request.method === 'GET') return answer.json(200, books);
  if (path === '/simulator/books' && request.method === 'DELETE') {
    books.reset();
    return answer.json(200, {});
  }
  if (path === '/simulator/faults' && request.method === 'POST') {
    const { faults = '', probability = 1, seed = 1 } = parseJson(await readBody(request)) as { faults?: string; probability?: number; seed?: number };
    const parsed: Faults = parseFaults(faults);
    random.set(parsed, probability, seed);
    return answer.json(200, { faults: parsed, probability, seed });
  }
  answer.json(404, errorBody('There are GET and DELETE /simulator/books, and POST /simulator/faults.', 'invalid_request_error', null));
}

function authorised(request: IncomingMessage, keys: SimulatorOptions['keys']): boolean {
  if (keys === 'any') return true;
  const [, key] = /^Bearer (\S+)$/.exec(firstHeader(request, 'authorization') ?? '') ?? [];
  return key !== undefined && keys.includes(key);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('the body is too large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new Error('We could not parse the JSON body of your request.');
  }
}

function firstHeader(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}
