import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { SecureContext } from 'node:tls';

/** Without a byte for so long, a provider is taken for gone. */
const IDLE_MS = 60_000;

/** Of one answer; a result of the largest batch with the longest answers stays below. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024 * 1024;

export interface Question {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Whose certificates are believed; `undefined`: those of the runtime. */
  readonly trust: SecureContext | undefined;
  /** What becomes of a good answer's body, chunk by chunk. */
  readonly onChunk: (chunk: Uint8Array) => void;
}

/**
 * Asks a provider directly, as `check` does: no proxy of the environment, no connection kept, certificates checked.
 * Resolves to the status when the answer is whole; rejects where it is not. Chunks of error answers are not passed on.
 */
export function ask({ url, headers, trust, onChunk }: Question): Promise<number> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(
      url,
      { agent: false, headers: { ...headers, 'accept-encoding': 'identity' }, ...(trust === undefined ? {} : { secureContext: trust }) },
      (response) => {
        const status = response.statusCode ?? 0;
        const isGood = status >= 200 && status < 300;
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`));
          else if (isGood) onChunk(chunk);
        });
        response.on('end', () => (response.complete ? resolve(status) : reject(new Error('the answer broke off'))));
        response.on('error', reject);
      },
    );
    request.setTimeout(IDLE_MS, () => request.destroy(new Error(`no byte for ${IDLE_MS / 1000} s`)));
    request.on('error', reject);
    request.end();
  });
}
