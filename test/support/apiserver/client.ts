import { Agent, request } from 'node:https';
import type { ApiServerAccess } from './server.ts';

export interface Answer {
  readonly status: number;
  /** Parsed, where it is JSON. */
  readonly body: unknown;
  /** What the server wants the client to be told (fieldValidation=Warn, for one). */
  readonly warnings: readonly string[];
}

/** meta/v1 Status: why something was refused. */
export interface Refusal {
  readonly kind: 'Status';
  readonly message: string;
  readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message?: string }[] };
}

/** How a patch is meant; server-side apply takes YAML, which JSON is. */
export type PatchType = 'application/apply-patch+yaml' | 'application/merge-patch+json';

export interface ApiClient {
  send(method: string, path: string, options?: { readonly body?: unknown; readonly type?: PatchType; readonly accept?: string }): Promise<Answer>;
}

/** Plain requests, so that tests see what is on the wire, tables and warnings included. */
export function connect({ url, ca, token }: Pick<ApiServerAccess, 'url' | 'ca' | 'token'>): ApiClient {
  const agent = new Agent({ ca, keepAlive: true });
  return {
    send: (method, path, { body, type, accept = 'application/json' } = {}) =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}`, accept, ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }) };
        const outgoing = request(`${url}${path}`, { method, agent, headers }, (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const json = incoming.headers['content-type']?.startsWith('application/json') === true;
            resolve({
              status: incoming.statusCode ?? 0,
              body: json ? JSON.parse(text) : text,
              warnings: warningsOf(incoming.headersDistinct['warning'] ?? []),
            });
          });
        });
        outgoing.on('error', reject);
        outgoing.end(body === undefined ? undefined : JSON.stringify(body));
      }),
  };
}

/** RFC 9111's form: a code, an agent, and the text in quotes. */
const warningsOf = (headers: readonly string[]): string[] =>
  headers.flatMap((header) => [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1')));
