import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from './answer.ts';
import type { SimulatorBooks } from './books.ts';
import type { PromptCache } from './cache.ts';
import type { Faults } from './faults.ts';
import type { KeptThings } from './state/index.ts';

/** One provider's API, in its own language. Each dialect's room exports one of these. */
export interface SimulatedApi {
  readonly name: ApiName;
  /** Whether a request is meant for this API; the first that says so serves it. */
  readonly speaks: (call: Call) => boolean;
  /** Headers of every answer. */
  readonly headers: (requestId: string) => Readonly<Record<string, string>>;
  /** Why the call's credentials are not taken. */
  readonly keyFault: (call: Call, keys: Keys, requestId: string) => Failure | undefined;
  /** An error with a status and a sentence, in this API's shape. */
  readonly failure: (status: number, message: string, requestId: string) => Failure;
  readonly serve: (call: Call, exchange: Exchange) => Promise<void> | void;
}

export type ApiName = 'openai' | 'anthropic' | 'gemini' | 'azure' | 'deepseek';

/** The keys that are taken; `any`: every one, and none at all. */
export type Keys = 'any' | readonly string[];

/** What a caller sent. */
export interface Call {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer that is an error. */
export interface Failure {
  readonly status: number;
  readonly body: object;
}

/** What serving one call needs. */
export interface Exchange {
  readonly api: ApiName;
  readonly answer: Answer;
  readonly faults: Faults;
  readonly books: SimulatorBooks;
  readonly cache: PromptCache;
  readonly kept: KeptThings;
  readonly acceptEncoding: string;
}

export function headerOf({ headers }: Pick<Call, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** `undefined` where the body is no JSON; JSON itself has no such value. */
export function jsonOf({ body }: Pick<Call, 'body'>): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key in `Authorization: Bearer …`. */
export function bearerOf(call: Pick<Call, 'headers'>): string | undefined {
  return /^Bearer (\S+)$/.exec(headerOf(call, 'authorization') ?? '')?.[1];
}
