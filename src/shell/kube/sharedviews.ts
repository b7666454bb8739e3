import { gunzipSync, gzipSync } from 'node:zlib';
import type { SidecarView } from '../../core/control/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';
import { messageOf, refusalOf } from './apiserver.ts';
import { Informer } from './informer.ts';
import type { Cluster } from './open.ts';
import { paths } from './paths.ts';

export interface SharedViewsParts {
  readonly cluster: Pick<Cluster, 'api' | 'config'>;
  /** Of the ConfigMap, which is there. */
  readonly namespace: string;
  readonly name: string;
  /** Of this process; a key of the ConfigMap. */
  readonly identity: string;
  readonly now: () => MonotonicMs;
  readonly random: () => number;
  /** Whether this process is the one that writes statuses. */
  readonly leads: () => boolean;
  /** Of sidecars that are connected here. */
  readonly own: () => readonly SidecarView[];
  readonly onChange: () => void;
  readonly onFault: (message: string) => void;
}

const LOOK_MS: MonotonicMs = 1_000;
/** What has not changed is told again so often, to say that somebody still stands by it. */
const AGAIN_MS: MonotonicMs = 20_000;
/** What nobody has stood by for so long counts no more. */
const STALE_MS: MonotonicMs = 60_000;
/** An object in etcd has a mebibyte for all; some thousands of sidecars fit into this. */
const MAX_BYTES = 256 * 1024;
const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;

interface Share {
  readonly text: string;
  readonly views: readonly SidecarView[];
  /** When it was seen to change. */
  readonly at: MonotonicMs;
}

/**
 * What sidecars say to any controller, for the one that writes statuses: each of the others keeps what it knows under a key of
 * its own in one ConfigMap, by server-side apply, so nobody writes over another's. One object, so RBAC can name it.
 */
export class SharedViews {
  readonly #parts: SharedViewsParts;
  readonly #informer: Informer<Readonly<Record<string, string>>>;
  readonly #shares = new Map<string, Share>();
  readonly #timer: NodeJS.Timeout;
  #told: { readonly text: string; readonly at: MonotonicMs } | undefined;
  #isWriting = false;
  #fault: string | undefined;

  constructor(parts: SharedViewsParts) {
    this.#parts = parts;
    const { cluster, namespace, name, random, onChange } = parts;
    this.#informer = new Informer({
      cluster,
      path: paths.core('configmaps', namespace),
      fieldSelector: `metadata.name=${name}`,
      read: (object) => (object as { readonly binaryData?: Readonly<Record<string, string>> }).binaryData ?? {},
      onChange: () => {
        this.#read();
        onChange();
      },
      random,
    });
    this.#timer = setInterval(() => void this.#tend(), LOOK_MS).unref();
  }

  /** Of all sidecars: those that are connected here, and what others say of theirs. */
  views(): readonly SidecarView[] {
    const { own, now } = this.#parts;
    const merged = new Map<string, SidecarView>();
    const present = [...this.#shares.values()].filter(({ at }) => now() - at < STALE_MS);
    for (const view of [...present.flatMap(({ views }) => views), ...own()]) {
      const other = merged.get(view.pod.uid);
      if (other === undefined || isNewer(view, other)) merged.set(view.pod.uid, view);
    }
    return [...merged.values()];
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#informer.close();
    if (this.#told !== undefined) await this.#write(undefined).catch(() => undefined);
  }

  #read(): void {
    const { identity, now } = this.#parts;
    const [data = {}] = this.#informer.items();
    for (const key of this.#shares.keys()) if (!Object.hasOwn(data, key)) this.#shares.delete(key);
    for (const [key, text] of Object.entries(data)) {
      if (key === identity || this.#shares.get(key)?.text === text) continue;
      this.#shares.set(key, { text, views: unpack(text), at: now() });
    }
  }

  async #tend(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    const { leads, own, now, onFault } = this.#parts;
    try {
      if (leads()) {
        if (this.#told !== undefined) await this.#write(undefined);
        await this.#forgetStale();
      } else {
        const views = JSON.stringify(own());
        if (this.#told?.text !== views || now() - this.#told.at >= AGAIN_MS) await this.#write(views);
      }
      this.#fault = undefined;
    } catch (error) {
      const message = messageOf(error);
      if (this.#fault !== message) onFault(message);
      this.#fault = message;
    } finally {
      this.#isWriting = false;
    }
  }

  /** `undefined`: nothing any more. */
  async #write(views: string | undefined): Promise<void> {
    const { namespace, name, identity, now } = this.#parts;
    // The time makes each write another text, by which others see that somebody stands by it.
    const packed = views === undefined ? undefined : gzipSync(`{"at":${Math.round(now())},"views":${views}}`);
    if (packed !== undefined && packed.length > MAX_BYTES)
      throw new Error(`what ${JSON.parse(views ?? '[]').length} sidecars say is too much to share: ${packed.length} bytes`);
    await this.#patch('application/apply-patch+yaml', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      ...(packed === undefined ? {} : { binaryData: { [identity]: packed.toString('base64') } }),
    });
    this.#told = views === undefined ? undefined : { text: views, at: now() };
  }

  /** Of controllers that were killed. */
  async #forgetStale(): Promise<void> {
    const { now } = this.#parts;
    const stale = [...this.#shares].filter(([, { at }]) => now() - at >= STALE_MS).map(([key]) => key);
    if (stale.length > 0) await this.#patch('application/merge-patch+json', { binaryData: Object.fromEntries(stale.map((key) => [key, null])) });
  }

  async #patch(type: 'application/apply-patch+yaml' | 'application/merge-patch+json', body: unknown): Promise<void> {
    const { cluster, namespace, name, identity } = this.#parts;
    const query = type === 'application/apply-patch+yaml' ? { fieldManager: `airmesh-${identity}`.slice(0, 128), force: 'true' } : {};
    const answer = await cluster.api.send('PATCH', paths.core('configmaps', namespace, name), { body, type, query });
    if (answer.status !== 200 && answer.status !== 201) throw new Error(`the ConfigMap ${namespace}/${name} cannot be written: ${refusalOf(answer)}`);
  }
}

/** A sidecar may have gone from one controller to another. */
const isNewer = (view: SidecarView, other: SidecarView): boolean => (view.isConnected === other.isConnected ? view.since >= other.since : view.isConnected);

/** What a controller of another version wrote may make no sense, and is then nothing. */
function unpack(text: string): readonly SidecarView[] {
  try {
    const { views } = JSON.parse(gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_UNPACKED_BYTES }).toString('utf8')) as {
      readonly views?: unknown;
    };
    return Array.isArray(views) ? (views as readonly SidecarView[]).filter(isView) : [];
  } catch {
    return [];
  }
}

const isView = ({ pod, workload, keys, ownKeysFor }: SidecarView): boolean =>
  typeof pod === 'object' && typeof pod.uid === 'string' && typeof workload === 'string' && Array.isArray(keys) && Array.isArray(ownKeysFor);
