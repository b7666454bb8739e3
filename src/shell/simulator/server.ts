import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { administer } from './admin.ts';
import { anthropic } from './anthropic/index.ts';
import { Answer } from './answer.ts';
import { headerOf } from './api.ts';
import type { Call, Keys, SimulatedApi } from './api.ts';
import { azure } from './azure/index.ts';
import { SimulatorBooks } from './books.ts';
import { PromptCache } from './cache.ts';
import { deepseek } from './deepseek/index.ts';
import { refuse } from './deliver.ts';
import { NO_FAULTS, RandomFaults, parseFaults } from './faults.ts';
import { gemini } from './gemini/index.ts';
import { openai } from './openai/index.ts';
import { KeptThings } from './state/index.ts';

export interface SimulatorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The keys that it takes; `any`: every non-empty one, and none at all. */
  readonly keys: Keys;
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

/** The first that a call is meant for serves it; OpenAI's API takes what is left. */
const APIS: readonly SimulatedApi[] = [anthropic, gemini, azure, deepseek, openai];

/** Starts the simulated providers. Rejects where the address is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const books = new SimulatorBooks();
  let count = 0;
  let url = '';
  const [key = 'any'] = options.keys === 'any' ? [] : options.keys;
  const kept = new KeptThings({
    batchMs: BATCH_MS,
    serve: async (path, body) => {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, 'x-api-key': key, 'anthropic-version': '2023-06-01' },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: await response.json() };
    },
  });
  const context = { keys: options.keys, books, random: new RandomFaults(), cache: new PromptCache(), kept };
  const server: Server = createServer((request, response) => {
    const requestId = headerOf(request, 'x-airmesh-request-id') ?? `req_${(count++).toString(36)}`;
    serve(request, response, { ...context, requestId }).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 120_000;
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
  readonly keys: Keys;
  readonly books: SimulatorBooks;
  readonly random: RandomFaults;
  readonly cache: PromptCache;
  readonly requestId: string;
  readonly kept: KeptThings;
}

async function serve(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { requestId, books, cache } = context;
  const call = await readCall(request);
  const isAdministration = call.path.startsWith('/simulator/');
  const api = APIS.find((candidate) => candidate.speaks(call)) ?? openai;
  const headers = api.headers(requestId);
  try {
    if (isAdministration) return administer(call, new Answer(response, NO_FAULTS, requestId, {}), context);
    const header = headerOf(call, 'x-simulate');
    const faults = header === undefined ? context.random.next() : parseFaults(header);
    const answer = new Answer(response, faults, requestId, headers);
    const exchange = { api: api.name, answer, faults, books, cache, kept: context.kept, acceptEncoding: headerOf(call, 'accept-encoding') ?? '' };
    const denied = api.keyFault(call, context.keys, requestId);
    if (denied !== undefined) return answer.json(denied.status, denied.body);
    const ofKept = await context.kept.handle({
      method: call.method,
      path: request.url ?? '/',
      headers: Object.fromEntries(Object.keys(call.headers).map((name) => [name, headerOf(call, name)])),
      body: call.body,
    });
    if (ofKept !== undefined) return answer.bytes(ofKept.contentType, ofKept.body, ofKept.status);
    if (faults.delayMs > 0) await delay(faults.delayMs);
    if (faults.status !== undefined) return refuse(exchange, api.failure(faults.status, 'This failure was asked for.', requestId));
    await api.serve(call, exchange);
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const { status, body } = api.failure(400, error instanceof Error ? error.message : 'broken', requestId);
    new Answer(response, NO_FAULTS, requestId, headers).json(status, body);
  }
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const url = new URL(request.url ?? '/', 'http://simulator');
  return { method: request.method ?? 'GET', path: url.pathname, query: url.searchParams, headers: request.headers, body: await readBody(request) };
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
