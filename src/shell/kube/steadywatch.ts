import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { Watch } from '@kubernetes/client-node';
import type { KubeConfig } from '@kubernetes/client-node';
import { messageOf } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';

/** An API server sends a bookmark each minute to who asks for them; without one for so long, nobody is there. */
const SILENCE_MS = 90_000;

/** What the informer is told of an ended watch; it goes by these two fields. */
interface Ending extends Error {
  statusCode?: number;
}

/**
 * The client's watch, with what its informer needs to be relied upon: connections that are kept, bookmarks (so that a
 * resourceVersion stays fresh where nothing changes, and silence is a sign), each object made small before it is stored,
 * one ending and never more, and none that throws.
 */
export class SteadyWatch<T> extends Watch {
  readonly #api: ApiServer;
  readonly #read: (object: unknown) => T;
  #current: AbortController | undefined;
  #isClosed = false;

  readonly #onOpen: () => void;

  /** `onOpen`: the API server has taken a watch. */
  constructor(config: KubeConfig, api: ApiServer, read: (object: unknown) => T, onOpen: () => void) {
    super(config);
    this.#onOpen = onOpen;
    this.#api = api;
    this.#read = read;
  }

  override watch(
    path: string,
    queryParams: Readonly<Record<string, string | number | boolean | undefined>>,
    callback: (phase: string, object: unknown) => void,
    done: (error: unknown) => unknown,
  ): Promise<AbortController> {
    const controller = new AbortController();
    this.#current?.abort();
    this.#current = controller;
    // The informer may have been stopped while it listed, and would watch all the same.
    if (!this.#isClosed) void this.#run(controller, path, queryParams, callback, done);
    return Promise.resolve(controller);
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.abort();
  }

  async #run(
    controller: AbortController,
    path: string,
    parameters: Readonly<Record<string, string | number | boolean | undefined>>,
    callback: (phase: string, object: unknown) => void,
    done: (error: unknown) => unknown,
  ): Promise<void> {
    const query: Record<string, string> = { watch: 'true', allowWatchBookmarks: 'true' };
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query[name] = String(value);
    const ending = await this.#follow(controller, path, query, callback).catch((error: unknown): Ending =>
      error instanceof Error ? error : new Error(messageOf(error)),
    );
    // Whoever aborted knows, and may have begun another.
    if (this.#isClosed || controller !== this.#current) return;
    await done(ending ?? null);
  }

  /** Resolves when the server ends it, with why where that was no good end. */
  async #follow(
    controller: AbortController,
    path: string,
    query: Readonly<Record<string, string>>,
    callback: (phase: string, object: unknown) => void,
  ): Promise<Ending | undefined> {
    let isSilent = false;
    const silence = setTimeout(() => {
      isSilent = true;
      controller.abort();
    }, SILENCE_MS).unref();
    try {
      const incoming = await this.#api.stream(path, query, controller.signal);
      if (incoming.statusCode !== 200) {
        incoming.resume();
        return Object.assign(new Error(`the API server answers ${incoming.statusCode}`), { statusCode: incoming.statusCode ?? 0 });
      }
      this.#onOpen();
      incoming.on('data', () => silence.refresh());
      for await (const line of linesOf(incoming)) {
        if (controller.signal.aborted) break;
        const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: unknown };
        if (type === 'ERROR') return failureOf(object);
        callback(type, this.#read(object));
      }
      return isSilent ? timeout() : undefined;
    } catch (error) {
      if (isSilent) return timeout();
      throw error;
    } finally {
      clearTimeout(silence);
    }
  }
}

/** No object in etcd is larger. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;

/** Node's own reader of lines does not tell when a stream breaks off. */
async function* linesOf(incoming: IncomingMessage): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > MAX_LINE_LENGTH) throw new Error(`a line is longer than ${MAX_LINE_LENGTH} characters`);
    yield* parts.filter((line) => line !== '');
  }
}

/** By this name the informer goes on from where it was, at once. */
const timeout = (): Error => new DOMException('nothing was heard from the API server', 'TimeoutError');

/** A meta/v1 Status in the stream: 410 where the resourceVersion is too old, which makes the informer list again. */
function failureOf(object: unknown): Ending {
  const { code, message } = (object ?? {}) as { readonly code?: number; readonly message?: string };
  return Object.assign(new Error(message ?? 'the watch failed'), code === undefined ? {} : { statusCode: code });
}
