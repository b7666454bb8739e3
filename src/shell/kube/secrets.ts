import { inspect } from 'node:util';
import type { SecretAnswer } from '../../core/control/index.ts';
import { Informer } from './informer.ts';
import type { Cluster } from './open.ts';
import { paths } from './paths.ts';

/** More than providers have keys in any cluster; each costs a watch. */
const MAX_SECRETS = 1_000;

/** A Secret's content, which shows nothing of itself to whatever prints it. */
class Content {
  readonly #answer: SecretAnswer;

  constructor(answer: SecretAnswer) {
    this.#answer = answer;
  }

  get answer(): SecretAnswer {
    return this.#answer;
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/**
 * The Secrets that are referred to, each watched by its name alone, as RBAC lets names be granted and nothing narrower than
 * a namespace otherwise. What is no longer referred to is forgotten.
 */
export class Secrets {
  readonly #cluster: Pick<Cluster, 'api' | 'config'>;
  readonly #onChange: () => void;
  readonly #random: () => number;
  readonly #informers = new Map<string, Informer<Content>>();

  constructor(cluster: Pick<Cluster, 'api' | 'config'>, onChange: () => void, random: () => number) {
    this.#cluster = cluster;
    this.#onChange = onChange;
    this.#random = random;
  }

  /** Follows these, by `namespace/name`, and no others. */
  follow(references: ReadonlySet<string>): void {
    for (const [reference, informer] of this.#informers) {
      if (references.has(reference)) continue;
      informer.close();
      this.#informers.delete(reference);
    }
    for (const reference of references) {
      if (this.#informers.has(reference) || this.#informers.size >= MAX_SECRETS) continue;
      const [namespace = '', name = ''] = reference.split('/');
      const informer = new Informer({
        cluster: this.#cluster,
        path: paths.core('secrets', namespace),
        fieldSelector: `metadata.name=${name}`,
        read: contentOf,
        onChange: this.#onChange,
        random: this.#random,
      });
      this.#informers.set(reference, informer);
    }
  }

  lookUp(namespace: string, name: string): SecretAnswer {
    const informer = this.#informers.get(`${namespace}/${name}`);
    const [content] = informer?.items() ?? [];
    if (content !== undefined) return content.answer;
    if (informer?.isSynced === true) return { kind: 'absent' };
    return informer?.fault?.status === 403 ? { kind: 'forbidden' } : { kind: 'unknown' };
  }

  /** Resolves when each has been told, or refused. */
  async settled(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.settled()));
  }

  close(): void {
    for (const informer of this.#informers.values()) informer.close();
    this.#informers.clear();
  }
}

function contentOf(object: unknown): Content {
  const { metadata, data = {} } = object as {
    readonly metadata: { readonly uid?: string; readonly resourceVersion?: string };
    readonly data?: Readonly<Record<string, string>>;
  };
  return new Content({
    kind: 'found',
    revision: `${metadata.uid ?? ''}/${metadata.resourceVersion ?? ''}`,
    data: new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')])),
  });
}
