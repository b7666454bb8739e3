/** Service accounts' tokens for tests, and who tells whose they are: an API server's part, as far as tokens go. */
import { createHmac } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { TOKEN_AUDIENCE } from '../../src/core/control/index.ts';
import { err, ok } from '../../src/core/units/index.ts';
import type { Result } from '../../src/core/units/index.ts';
import type { Pod, TokenReviewer } from '../../src/shell/wire/index.ts';

export interface TokenWishes {
  readonly audience?: string;
  /** From now on; an hour if nothing is said. */
  readonly validMs?: number;
}

/** A cluster with pods. Its tokens are signed by a key that no other has. */
export class TestCluster implements TokenReviewer {
  readonly #key: string;
  readonly #pods = new Map<string, Pod>();
  #count = 0;
  /** Nothing can be found out. */
  isAway = false;
  reviews = 0;

  constructor(name: string) {
    this.#key = name;
  }

  /** A pod of the workload `namespace/name`; a name that is taken becomes that of a new pod. */
  addPod(workload: string, podName?: string): Pod {
    const [namespace = '', name = ''] = workload.split('/');
    this.#count += 1;
    const pod: Pod = { namespace, name: podName ?? `${name}-${this.#count}`, uid: `uid-${this.#count}`, workload, serviceAccount: name };
    this.#pods.set(`${pod.namespace}/${pod.name}`, pod);
    return pod;
  }

  deletePod(pod: Pod): void {
    if (this.#pods.get(`${pod.namespace}/${pod.name}`)?.uid === pod.uid) this.#pods.delete(`${pod.namespace}/${pod.name}`);
  }

  tokenFor(pod: Pod, { audience = TOKEN_AUDIENCE, validMs = 3_600_000 }: TokenWishes = {}): string {
    const claims = {
      aud: [audience],
      exp: (Date.now() + validMs) / 1_000,
      'kubernetes.io': { namespace: pod.namespace, pod: { name: pod.name, uid: pod.uid } },
    };
    const text = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
    return `${text}.${this.#signature(text)}`;
  }

  async review(token: string): Promise<Result<Pod, string>> {
    this.reviews += 1;
    if (this.isAway) throw new Error('the API server does not answer');
    const split = token.lastIndexOf('.');
    const text = token.slice(0, split);
    if (this.#signature(text) !== token.slice(split + 1)) return err('the token is none of this cluster');
    const claims = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString());
    if (!claims.aud.includes(TOKEN_AUDIENCE)) return err(`the token is not for ${TOKEN_AUDIENCE}`);
    if (claims.exp * 1_000 <= Date.now()) return err('the token has ended');
    const { namespace, pod } = claims['kubernetes.io'];
    const live = this.#pods.get(`${namespace}/${pod.name}`);
    return live !== undefined && live.uid === pod.uid ? ok(live) : err(`there is no pod ${namespace}/${pod.name} with the UID of the token`);
  }

  #signature(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

/** Writes it as the kubelet does: at once. */
export function writeToken(path: string, token: string): void {
  writeFileSync(`${path}.new`, token, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
