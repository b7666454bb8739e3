import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

export interface ApiAnswer {
  readonly status: number;
  /** Parsed; `undefined` where it is no JSON. */
  readonly body: unknown;
}

/** How a patch is meant; server-side apply takes YAML, which JSON is. */
type PatchType = 'application/apply-patch+yaml' | 'application/merge-patch+json';

export interface ApiRequest {
  readonly body?: unknown;
  readonly type?: PatchType;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** There was no answer, or none that an API server gives. */
export class ApiUnreachable extends Error {}

/** Longer than any answer that is no watch takes. */
const ANSWER_WITHIN_MS = 30_000;
/** A page of a list of the largest objects is below it. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Connections that are idle are closed before a load balancer does. */
const IDLE_MS = 30_000;

/**
 * An API server over connections that are kept. The client's own makes a new TLS connection for each request and each watch,
 * as it builds a dispatcher every time; what is taken from it is who asks, and whom to trust.
 */
export class ApiServer {
  readonly #config: KubeConfig;
  #agent: { readonly agent: Agent; readonly made: string } | undefined;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  /** Rejects with ApiUnreachable; any answer of an API server, a refusal too, resolves. */
  async send(method: string, path: string, { body, type = undefined, query = {}, signal }: ApiRequest = {}): Promise<ApiAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const timeout = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const headers = {
      accept: 'application/json',
      ...(text === undefined ? {} : { 'content-type': type ?? 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
    };
    const incoming = await this.#open(method, path, query, headers, text, signal === undefined ? timeout : AbortSignal.any([signal, timeout]));
    const answer = await textOf(incoming).catch((error: unknown) => {
      throw new ApiUnreachable(`the answer broke off: ${messageOf(error)}`);
    });
    return { status: incoming.statusCode ?? 0, body: parsed(answer) };
  }

  /** A stream of lines of JSON that goes on until the server or the signal ends it. */
  stream(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
    return this.#open('GET', path, query, { accept: 'application/json' }, undefined, signal);
  }

  close(): void {
    this.#agent?.agent.destroy();
  }

  async #open(
    method: string,
    path: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const cluster = this.#config.getCurrentCluster();
    if (cluster === null) throw new ApiUnreachable('the kubeconfig names no cluster');
    const url = new URL(cluster.server.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const options: RequestOptions = { headers: {} };
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      throw new ApiUnreachable(`who asks cannot be proved: ${messageOf(error)}`);
    }
    const agent = cluster.proxyUrl === undefined ? this.#agentFor(options) : options.agent;
    return new Promise((resolve, reject) => {
      const outgoing = request(url, {
        method,
        ...(agent === undefined ? {} : { agent }),
        ...(options.auth === undefined ? {} : { auth: options.auth }),
        headers: { 'user-agent': 'airmesh', ...(options.headers as Readonly<Record<string, string>>), ...headers },
        signal,
      });
      outgoing.once('response', resolve);
      outgoing.once('error', (error) => reject(new ApiUnreachable(`${url.host}: ${messageOf(error)}`)));
      outgoing.end(body);
    });
  }

  /** One for as long as whom to trust and who asks, by certificate, stay the same. */
  #agentFor(options: RequestOptions): Agent {
    const { ca, cert, key, servername, rejectUnauthorized } = options;
    const made = JSON.stringify([ca, cert, key, servername, rejectUnauthorized].map((part) => (Buffer.isBuffer(part) ? part.toString('latin1') : part)));
    if (this.#agent?.made === made) return this.#agent.agent;
    const agent = new Agent({
      keepAlive: true,
      keepAliveMsecs: IDLE_MS,
      timeout: 0,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    });
    this.#agent = { agent, made };
    return agent;
  }
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`it is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What a refusal says (meta/v1 Status). */
export function refusalOf({ status, body }: ApiAnswer): string {
  const message = (body as { readonly message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? message : `HTTP status ${status}`;
}
