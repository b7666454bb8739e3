import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Faults } from './faults.ts';

/** Usage as the API reports it, with what the faults make of it. `undefined`: none is reported. */
export function spoiltUsage<T extends object>(usage: T, fault: Faults['usage']): unknown {
  switch (fault) {
    case 'missing':
      return undefined;
    case 'null':
      return null;
    case 'string':
      return mapNumbers(usage, String);
    case 'negative':
      return mapNumbers(usage, (value) => -value - 1);
    case 'fractional':
      return mapNumbers(usage, (value) => value + 0.5);
    case 'double':
    case undefined:
      return usage;
  }
}

function mapNumbers(value: unknown, change: (value: number) => unknown): unknown {
  if (typeof value === 'number') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapNumbers(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapNumbers(part, change)]));
}

/** A streamed answer, ready to be sent. */
export interface Stream {
  readonly events: readonly string[];
  /** Ends it, where the dialect has an end. */
  readonly end: string;
  /** Tells of a failure in the middle; nothing follows. */
  readonly error: string;
  /** Event streams but for Gemini's lists. */
  readonly contentType?: string;
}

const EVENT_STREAM = 'text/event-stream; charset=utf-8';

/** A server-sent event that has a name only where the dialect names its events. */
export function eventOf(data: unknown, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** An exchange with one caller: what was sent so far decides what is billed when it breaks off. */
export class Answer {
  readonly #response: ServerResponse;
  readonly #faults: Faults;
  readonly #headers: Readonly<Record<string, string>>;
  readonly requestId: string;

  constructor(response: ServerResponse, faults: Faults, requestId: string, headers: Readonly<Record<string, string>>) {
    this.#response = response;
    this.#faults = faults;
    this.requestId = requestId;
    this.#headers = headers;
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  /** `lead` is white space that some providers send while they work. */
  json(status: number, body: unknown, acceptEncoding = '', lead = ''): void {
    if (!this.isOpen) return;
    const { malformed, empty, encoding, retryAfterS } = this.#faults;
    const json = lead + JSON.stringify(body);
    const text = malformed === 'html' ? '<html><body><h1>502 Bad Gateway</h1></body></html>' : malformed === 'json' ? json.slice(0, -3) : json;
    const plain = Buffer.from(empty ? '' : text);
    const coding = encoding ?? (/\bbr\b/.test(acceptEncoding) ? 'br' : /\bgzip\b/.test(acceptEncoding) ? 'gzip' : undefined);
    const bytes = coding === 'gzip' ? gzipSync(plain) : coding === 'br' ? brotliCompressSync(plain) : plain;
    const headers: Record<string, string | number> = {
      ...this.#headers,
      'content-type': malformed === 'html' ? 'text/html' : 'application/json',
      'content-length': bytes.length,
      ...(coding === undefined ? {} : { 'content-encoding': coding }),
      ...(retryAfterS === undefined ? {} : { 'retry-after': retryAfterS }),
    };
    this.#response.writeHead(status, headers);
    this.#response.end(bytes);
  }

  bytes(contentType: string, body: Buffer, status = 200): void {
    if (!this.isOpen) return;
    this.#response.writeHead(status, { ...this.#headers, 'content-type': contentType, 'content-length': body.length });
    this.#response.end(body);
  }

  /** Sends events one by one; says how many went out before the caller left or a fault broke it off. */
  async stream({ events, end, error, contentType = EVENT_STREAM }: Stream): Promise<{ readonly sent: number; readonly whole: boolean }> {
    const { reset, after, chunkDelayMs, halfLine, noDone, malformed, chunks, empty, streamError } = this.#faults;
    this.#response.writeHead(200, { ...this.#headers, 'content-type': contentType, 'cache-control': 'no-cache' });
    if (empty) this.#response.end();
    let merged = '';
    for (let index = 0; index < events.length; index++) {
      if (!this.isOpen) return { sent: index, whole: false };
      if (reset === 'stream' && index >= after) {
        this.#response.destroy();
        return { sent: index, whole: false };
      }
      if (streamError && index >= after) {
        this.#response.end(merged + this.#shape(error));
        return { sent: index, whole: false };
      }
      const text = malformed === 'line' && index === after ? 'data: {"broken\n\n' : (events[index] ?? '');
      if (halfLine && index >= after) {
        this.#response.end(text.slice(0, text.length >> 1));
        return { sent: index + 1, whole: false };
      }
      if (chunks === 'merged') merged += text;
      else await this.#write(text);
      if (chunkDelayMs > 0) await delay(chunkDelayMs);
    }
    if (merged !== '') await this.#write(merged);
    if (this.isOpen) this.#response.end(noDone ? '' : this.#shape(end));
    return { sent: events.length, whole: true };
  }

  reset(): void {
    this.#response.destroy();
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(this.#shape(text));
    const size = this.#faults.chunks === 'bytes' ? 1 : this.#faults.chunks === 'odd' ? 7 : bytes.length;
    for (let from = 0; from < bytes.length && this.isOpen; from += size) {
      if (!this.#response.write(bytes.subarray(from, from + size)))
        await new Promise((resolve) => this.#response.once('drain', resolve).once('close', resolve));
      if (size < bytes.length) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #shape(text: string): string {
    switch (this.#faults.chunks) {
      case 'crlf':
        return text.replaceAll('\n', '\r\n');
      case 'comments':
        return `: keep-alive\n\n${text}`;
      default:
        return text;
    }
  }
}
