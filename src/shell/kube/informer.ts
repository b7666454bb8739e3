import { ListWatch } from '@kubernetes/client-node';
import type { KubernetesListObject } from '@kubernetes/client-node';
import { ApiUnreachable, messageOf } from './apiserver.ts';
import { listAll } from './list.ts';
import type { Cluster } from './open.ts';
import { SteadyWatch } from './steadywatch.ts';

export interface InformerParts<T> {
  readonly cluster: Pick<Cluster, 'api' | 'config'>;
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** What is kept of an object. What it throws is a bug. */
  readonly read: (object: unknown) => T;
  /** What matters of it: objects that change otherwise, by a status that is written, say, are not told of. */
  readonly signature?: (value: T) => string;
  readonly onChange: () => void;
  /** In [0, 1): many informers, and many controllers, must not come back at the same moment. */
  readonly random: () => number;
}

/** Why it cannot be told what there is; the last known stands. */
export interface InformerFault {
  /** 403 where it may not be read; `undefined` where there was no answer. */
  readonly status: number | undefined;
  readonly message: string;
}

const BACKOFF = { leastMs: 250, mostMs: 5_000 };

/** What the client's cache holds: by name, and with the version by which it tells changes. */
interface Held<T> {
  readonly metadata: { readonly name?: string; readonly namespace?: string; readonly resourceVersion?: string };
  readonly value: T;
}

/**
 * What there is of one kind, kept current by the client's informer (list, then watch from there). That one stops for good
 * at its first error; this one begins again after a while, from where it was, and lists again only when it must.
 */
export class Informer<T> {
  readonly #parts: InformerParts<T>;
  readonly #watch: SteadyWatch<Held<T>>;
  readonly #informer: ListWatch<Held<T>>;
  readonly #waiting: (() => void)[] = [];
  readonly #signatures = new Map<string, string>();
  #isSynced = false;
  #fault: InformerFault | undefined;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: InformerParts<T>) {
    this.#parts = parts;
    const { cluster, path, labelSelector, fieldSelector } = parts;
    this.#watch = new SteadyWatch(
      cluster.config,
      cluster.api,
      (object) => this.#hold(object),
      () => this.#opened(),
    );
    this.#informer = new ListWatch<Held<T>>(path, this.#watch, () => this.#list(), false, labelSelector, fieldSelector);
    const changed = (held: Held<T>, isGone: boolean): void => {
      this.#failures = 0;
      if (this.#matters(held, isGone)) parts.onChange();
    };
    this.#informer.on('add', (held) => changed(held, false));
    this.#informer.on('update', (held) => changed(held, false));
    this.#informer.on('delete', (held) => changed(held, true));
    this.#informer.on('error', (error: unknown) => this.#failed(error));
    this.#begin();
  }

  /** Whether the first list, or a refusal of it, has come. */
  get isSettled(): boolean {
    return this.#isSynced || this.#fault?.status !== undefined;
  }

  /** Whether a first list has come. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  get fault(): InformerFault | undefined {
    return this.#fault;
  }

  items(): T[] {
    return this.#informer.list().map(({ value }) => value);
  }

  /** Resolves when it is settled. */
  settled(): Promise<void> {
    return this.isSettled || this.#isClosed ? Promise.resolve() : new Promise((resolve) => void this.#waiting.push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#watch.close();
    void this.#informer.stop();
    this.#release();
  }

  #matters({ metadata, value }: Held<T>, isGone: boolean): boolean {
    const { signature } = this.#parts;
    if (signature === undefined) return true;
    const name = `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
    if (isGone) return this.#signatures.delete(name);
    const next = signature(value);
    if (this.#signatures.get(name) === next) return false;
    this.#signatures.set(name, next);
    return true;
  }

  #begin(): void {
    if (!this.#isClosed) this.#informer.start().catch((error: unknown) => this.#failed(error));
  }

  async #list(): Promise<KubernetesListObject<Held<T>>> {
    const { cluster, path, labelSelector, fieldSelector } = this.#parts;
    const { items, resourceVersion } = await listAll(cluster.api, path, {
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    });
    this.#succeeded();
    return { items: items.map((object) => this.#hold(object)), metadata: { resourceVersion } };
  }

  #hold(object: unknown): Held<T> {
    const { metadata = {} } = object as { readonly metadata?: Held<T>['metadata'] };
    const { name, namespace, resourceVersion } = metadata;
    return {
      metadata: {
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      // A bookmark is no object, and is not kept as one.
      value: name === undefined ? (undefined as T) : this.#parts.read(object),
    };
  }

  /** The list has come; the client's cache holds it in a moment, and only then is it told. */
  #succeeded(): void {
    this.#failures = 0;
    this.#fault = undefined;
    setImmediate(() => {
      this.#isSynced = true;
      this.#release();
      this.#parts.onChange();
    });
  }

  /** From where it was, where nothing was missed. */
  #opened(): void {
    this.#failures = 0;
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#parts.onChange();
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    const status = (error as { readonly statusCode?: unknown }).statusCode;
    this.#fault = { status: typeof status === 'number' && !(error instanceof ApiUnreachable) ? status : undefined, message: messageOf(error) };
    this.#failures += 1;
    if (this.isSettled) this.#release();
    this.#parts.onChange();
    const most = Math.min(BACKOFF.mostMs, BACKOFF.leastMs * 2 ** (this.#failures - 1));
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#begin(), most * (0.5 + this.#parts.random() / 2));
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
