import { ApiException } from '@kubernetes/client-node';
import type { CoreV1Api, V1Secret } from '@kubernetes/client-node';
import { StoreUnreachable } from './store.ts';
import type { AuthorityStore, Kept } from './store.ts';

/** What is needed of the client. */
export type Secrets = Pick<CoreV1Api, 'readNamespacedSecret' | 'createNamespacedSecret' | 'replaceNamespacedSecret'>;

export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
}

/** The key of the Secret's data. */
const ENTRY = 'authority.json';

/**
 * A Secret, read and written by all controllers; `resourceVersion` tells who was first. Needs `get` and `update` of this Secret,
 * and `create` of Secrets, as a name cannot be permitted before it exists.
 */
export class SecretAuthorityStore implements AuthorityStore {
  readonly place: string;
  readonly #secrets: Secrets;
  readonly #at: SecretPlace;
  /** Labels and types that somebody gave it stay. */
  #seen: V1Secret | undefined;

  constructor(secrets: Secrets, at: SecretPlace) {
    this.#secrets = secrets;
    this.#at = at;
    this.place = `Secret ${at.namespace}/${at.name}`;
  }

  async read(): Promise<Kept | undefined> {
    try {
      const secret = await this.#secrets.readNamespacedSecret(this.#at);
      this.#seen = secret;
      const encoded = secret.data?.[ENTRY];
      // A Secret of that name without the entry is nobody's authority; it is there all the same, and damaged.
      return { text: encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8'), revision: secret.metadata?.resourceVersion ?? '' };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw this.#unreachable(error);
    }
  }

  async replace(expected: string | undefined, text: string): Promise<boolean> {
    const { namespace, name } = this.#at;
    const data = { [ENTRY]: Buffer.from(text).toString('base64') };
    try {
      if (expected === undefined) {
        const metadata = { namespace, name, labels: { 'app.kubernetes.io/managed-by': 'airmesh' } };
        await this.#secrets.createNamespacedSecret({ namespace, body: { metadata, type: 'airmesh.dev/authority', data } });
      } else {
        const seen = this.#seen ?? {};
        const metadata = { ...seen.metadata, namespace, name, resourceVersion: expected };
        await this.#secrets.replaceNamespacedSecret({ namespace, name, body: { ...seen, metadata, data: { ...seen.data, ...data } } });
      }
      return true;
    } catch (error) {
      // 409: changed since, or made by another. 404: removed since.
      if (statusOf(error) === 409 || statusOf(error) === 404) return false;
      throw this.#unreachable(error);
    }
  }

  /** The client's own message quotes the answer's body, and that can quote the Secret. */
  #unreachable(error: unknown): StoreUnreachable {
    const status = statusOf(error);
    return new StoreUnreachable(`${this.place}: ${status === undefined ? 'the API server did not answer' : `the API server answered ${status}`}`);
  }
}

const statusOf = (error: unknown): number | undefined => (error instanceof ApiException ? error.code : undefined);
