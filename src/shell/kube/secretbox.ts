import { refusalOf } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { paths } from './paths.ts';

/** What a Secret of our own holds. */
export interface Sealed {
  readonly data: ReadonlyMap<string, string>;
  /** To be named when it is replaced. */
  readonly version: string;
}

/** One Secret in which controllers keep what all of them need, such as the key of an authority. */
export class SecretBox {
  readonly #api: ApiServer;
  readonly #namespace: string;
  readonly #name: string;

  constructor(api: ApiServer, namespace: string, name: string) {
    this.#api = api;
    this.#namespace = namespace;
    this.#name = name;
  }

  /** `undefined`: there is none yet. Rejects where it cannot be told; no error quotes what is in it. */
  async read(): Promise<Sealed | undefined> {
    const answer = await this.#api.send('GET', paths.core('secrets', this.#namespace, this.#name));
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new Error(`the Secret ${this.#namespace}/${this.#name} cannot be read: ${refusalOf(answer)}`);
    const { metadata, data = {} } = answer.body as {
      readonly metadata: { readonly resourceVersion: string };
      readonly data?: Readonly<Record<string, string>>;
    };
    return {
      data: new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')])),
      version: metadata.resourceVersion,
    };
  }

  /** Makes it, or replaces what was read under `version`. `conflict`: another controller was first; read again. */
  async write(data: ReadonlyMap<string, string>, version: string | undefined): Promise<'stored' | 'conflict'> {
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {
        name: this.#name,
        namespace: this.#namespace,
        labels: { 'app.kubernetes.io/part-of': 'airmesh' },
        ...(version === undefined ? {} : { resourceVersion: version }),
      },
      data: Object.fromEntries([...data].map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
    };
    const answer =
      version === undefined
        ? await this.#api.send('POST', paths.core('secrets', this.#namespace), { body })
        : await this.#api.send('PUT', paths.core('secrets', this.#namespace, this.#name), { body });
    if (answer.status === 200 || answer.status === 201) return 'stored';
    if (answer.status === 409 || answer.status === 404) return 'conflict';
    throw new Error(`the Secret ${this.#namespace}/${this.#name} cannot be written: ${refusalOf(answer)}`);
  }
}
