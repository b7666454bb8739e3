import { Agent, request } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

/** Where a caller leaves: before an answer, when its head came, or after its first bytes. */
export type HangUp = 'waiting' | 'head' | 'body';

export interface Called {
  /** 0: no answer came. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The answer came to its end. */
  readonly whole: boolean;
}

export interface CallerOptions {
  readonly baseURL: string;
  readonly connections: number;
}

/** How long a caller waits that leaves while it waits: long enough that its call is at the provider. */
const PATIENCE_MS = 40;

const NOTHING: Called = { status: 0, headers: {}, text: '', whole: false };

/** Plain HTTP/1.1 calls over kept-alive connections; never rejects, since a call that breaks off is one of its answers. */
export class Caller {
  readonly #url: URL;
  readonly #agent: Agent;

  constructor({ baseURL, connections }: CallerOptions) {
    this.#url = new URL(baseURL);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  chat(body: object | string, headers: Readonly<Record<string, string>> = {}, hangUp?: HangUp): Promise<Called> {
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    return new Promise((resolve) => {
      const call = request({
        agent: this.#agent,
        host: this.#url.hostname,
        port: this.#url.port,
        path: `${this.#url.pathname}/chat/completions`,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': bytes.length, ...headers },
      });
      receive(call, hangUp, resolve);
      call.end(bytes);
      if (hangUp === 'waiting') call.once('socket', () => setTimeout(() => call.destroy(), PATIENCE_MS));
    });
  }

  /** Sends less than it promised, and leaves. */
  async half(body: string): Promise<void> {
    const socket = connect(Number(this.#url.port), this.#url.hostname);
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write(
      `POST ${this.#url.pathname}/chat/completions HTTP/1.1\r\nhost: half\r\ncontent-type: application/json\r\ncontent-length: ${body.length * 2}\r\n\r\n${body}`,
    );
    await new Promise<void>((resolve) => socket.once('close', resolve).end(() => socket.destroy()));
  }

  close(): void {
    this.#agent.destroy();
  }
}

function receive(call: ClientRequest, hangUp: HangUp | undefined, done: (called: Called) => void): void {
  call.once('error', () => done(NOTHING));
  call.once('response', (response) => {
    const parts: Buffer[] = [];
    response.on('data', (part: Buffer) => {
      parts.push(part);
      if (hangUp === 'body') call.destroy();
    });
    response.once('close', () =>
      done({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(parts).toString('utf8'), whole: response.complete }),
    );
    response.on('error', () => undefined);
    if (hangUp === 'head') call.destroy();
  });
}
