import { randomBytes } from 'node:crypto';
import { anthropicRoutes } from './anthropic.ts';
import { geminiRoutes } from './gemini.ts';
import { openaiRoutes } from './openai.ts';

export interface KeptRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface KeptAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** An answer to one request of a batch. */
export interface Served {
  readonly status: number;
  readonly body: unknown;
}

export interface KeptOptions {
  /** Serves one request of a batch, as the provider serves it by itself. */
  readonly serve: (path: string, body: unknown) => Promise<Served>;
  /** How long a batch takes at least. */
  readonly batchMs: number;
}

/** A file's bytes, and what is said of it. */
export interface KeptFile {
  readonly id: string;
  readonly name: string;
  readonly purpose: string;
  readonly bytes: Buffer;
  readonly createdS: number;
}

export interface KeptBatch {
  readonly id: string;
  readonly createdS: number;
  readonly endpoint: string;
  readonly inputFile: string;
  readonly requests: number;
  state: 'open' | 'cancelling' | 'ended' | 'cancelled' | 'failed';
  /** One JSON object to a line. */
  results: string[];
  outputFile: string | undefined;
}

/** One route: what it answers, or `undefined` where the path is not its. */
export type KeptRoute = (request: KeptRequest, things: KeptThings) => Promise<KeptAnswer | undefined> | KeptAnswer | undefined;

/** Everything that is kept, in memory, the oldest first. */
export class KeptThings {
  readonly files = new Map<string, KeptFile>();
  readonly batches = new Map<string, KeptBatch>();
  /** Response objects by id. */
  readonly responses = new Map<string, unknown>();
  /** What responses said, by the ids of its items. */
  readonly items = new Map<string, unknown>();
  /** Cached contents by id. */
  readonly caches = new Map<string, object>();
  readonly #options: KeptOptions;

  constructor(options: KeptOptions) {
    this.#options = options;
  }

  /** `undefined`: that is about nothing that is kept. */
  async handle(request: KeptRequest): Promise<KeptAnswer | undefined> {
    const spoken = request.path.startsWith('/v1beta/') ? geminiRoutes : request.headers['anthropic-version'] === undefined ? openaiRoutes : anthropicRoutes;
    for (const route of spoken) {
      const answer = await route(request, this);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  keepResponse(id: string, response: object): void {
    this.responses.set(id, response);
    const { output = [] } = response as { readonly output?: readonly { readonly id: string }[] };
    for (const item of output) this.items.set(item.id, item);
  }

  newId(prefix: string): string {
    return `${prefix}${randomBytes(12).toString('hex')}`;
  }

  addFile(prefix: string, name: string, purpose: string, bytes: Buffer): KeptFile {
    const file = { id: this.newId(prefix), name, purpose, bytes, createdS: Math.floor(Date.now() / 1000) };
    this.files.set(file.id, file);
    return file;
  }

  /** Works on a batch's requests, which end it after a moment. `lineOf` makes a line of the results. */
  start(
    batch: KeptBatch,
    requests: readonly { readonly path: string; readonly body: unknown; readonly lineOf: (served: Served) => string }[],
    ended: () => void,
  ): void {
    this.batches.set(batch.id, batch);
    setTimeout(() => {
      void (async () => {
        for (const { path, body, lineOf } of requests) {
          if (batch.state !== 'open') break;
          batch.results.push(lineOf(await this.#options.serve(path, body)));
        }
        batch.state = batch.state === 'open' ? 'ended' : 'cancelled';
        ended();
      })();
    }, this.#options.batchMs).unref();
  }
}
