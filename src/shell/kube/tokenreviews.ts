import { createHash } from 'node:crypto';
import { TOKEN_AUDIENCE, readPod, workloadOf } from '../../core/control/index.ts';
import type { PodFacts, PodObject } from '../../core/control/index.ts';
import { workloadId } from '../../core/policy/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { EpochMs, MonotonicMs, Result } from '../../core/units/index.ts';
import { endOf } from '../wire/index.ts';
import type { Pod, TokenReviewer } from '../wire/index.ts';
import { ApiUnreachable, refusalOf } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { paths } from './paths.ts';

export interface TokenReviewsParts {
  readonly api: Pick<ApiServer, 'send'>;
  /** A live pod that is known already. */
  readonly pod: (uid: string) => PodFacts | undefined;
  /** One that was not, and lives. */
  readonly onPod: (pod: PodFacts) => void;
  readonly clock: { epochMs(): EpochMs; monotonicMs(): MonotonicMs };
  /** Whom tokens must be for; controllers, if nothing is said. */
  readonly audience?: string;
}

/** A review is asked for again after so long; the pod is looked for each time. */
const KEPT_MS: MonotonicMs = 10_000;
/** While the API server is out of reach, its last word stands for so long, if the pod is known to live and the token has not ended. */
const STANDS_MS: MonotonicMs = 15 * 60_000;
const MAX_KEPT = 20_000;
/** Who connects is not left waiting for longer. */
const ANSWER_WITHIN_MS = 5_000;
/** At once; those beyond wait. A thousand sidecars may come back in the same second. */
const MAX_REVIEWS = 32;

/** Larger is no service-account token. */
const MAX_TOKEN_LENGTH = 16_384;

interface Review {
  /** When it was asked for. */
  readonly at: MonotonicMs;
  readonly answer: Result<Bound, string>;
}

/** What a token says, once the API server has said that it is good. */
interface Bound {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly pod: string;
  readonly podUid: string;
  readonly validUntil: EpochMs;
}

/**
 * Who shows a token, by the API server's word (authentication.k8s.io/v1 TokenReview): good, for our audience, and bound to a
 * pod that lives and has not ended. A stolen token ends with its pod. Ages are counted by the monotonic clock, so that a wall
 * clock that is set makes no review older or younger.
 */
export class TokenReviews implements TokenReviewer {
  readonly #parts: TokenReviewsParts;
  /** By the token's digest: tokens themselves are not kept. The oldest first. */
  readonly #kept = new Map<string, Review>();
  readonly #asking = new Map<string, Promise<Result<Bound, string>>>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(parts: TokenReviewsParts) {
    this.#parts = parts;
  }

  /** Rejects where the API server cannot be asked and has not said of late. The error is told to who asked, and quotes nothing of the token. */
  async review(token: string): Promise<Result<Pod, string>> {
    if (token.length > MAX_TOKEN_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return err('it is no service-account token');
    const digest = createHash('sha256').update(token).digest('base64');
    const { clock } = this.#parts;
    const kept = this.#kept.get(digest);
    const bound = kept !== undefined && clock.monotonicMs() - kept.at < KEPT_MS ? kept.answer : await this.#askOnce(digest, token);
    if (!bound.ok) return bound;
    if (bound.value.validUntil <= clock.epochMs()) return err('the token has ended');
    return this.#withPod(bound.value);
  }

  /** What the API server said last, where that still stands. A pod that went is not known any more, so its token counts no longer. */
  #standing(digest: string): Result<Bound, string> | undefined {
    const kept = this.#kept.get(digest);
    if (kept === undefined || !kept.answer.ok || this.#parts.clock.monotonicMs() - kept.at >= STANDS_MS) return undefined;
    return this.#parts.pod(kept.answer.value.podUid) === undefined ? undefined : kept.answer;
  }

  async #withPod(bound: Bound): Promise<Result<Pod, string>> {
    const { namespace, pod: name, podUid, serviceAccount } = bound;
    const pod = this.#parts.pod(podUid) ?? (await this.#fetchPod(namespace, name));
    if (pod === undefined || pod.uid !== podUid || pod.namespace !== namespace) return err(`its pod ${namespace}/${name} is gone`);
    if (pod.serviceAccount !== serviceAccount) return err(`its pod ${namespace}/${name} runs as another service account`);
    return ok({ namespace, name, uid: podUid, serviceAccount, workload: workloadId(workloadOf(pod)) });
  }

  async #fetchPod(namespace: string, name: string): Promise<PodFacts | undefined> {
    const answer = await this.#parts.api.send('GET', paths.core('pods', namespace, name));
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new ApiUnreachable(`the pod ${namespace}/${name} cannot be read: ${refusalOf(answer)}`);
    const pod = readPod(answer.body as PodObject);
    this.#parts.onPod(pod);
    return pod;
  }

  #askOnce(digest: string, token: string): Promise<Result<Bound, string>> {
    const asking = this.#asking.get(digest) ?? this.#ask(digest, token).finally(() => this.#asking.delete(digest));
    this.#asking.set(digest, asking);
    return asking;
  }

  async #ask(digest: string, token: string): Promise<Result<Bound, string>> {
    await this.#turn();
    try {
      const { api, clock, audience = TOKEN_AUDIENCE } = this.#parts;
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } };
      const at = clock.monotonicMs();
      const answer = await api.send('POST', paths.tokenReviews, { body, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      if (answer.status !== 201 && answer.status !== 200) throw new ApiUnreachable(`tokens cannot be reviewed: ${refusalOf(answer)}`);
      const bound = boundBy(answer.body, token, audience);
      this.#keep(digest, { at, answer: bound });
      return bound;
    } catch (error) {
      const standing = this.#standing(digest);
      if (standing === undefined) throw error;
      return standing;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    while (this.#running >= MAX_REVIEWS) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    this.#running += 1;
  }

  #keep(digest: string, review: Review): void {
    this.#kept.delete(digest);
    this.#kept.set(digest, review);
    for (const [other, { at }] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT && review.at - at < STANDS_MS) return;
      this.#kept.delete(other);
    }
  }
}

const POD_NAME = 'authentication.kubernetes.io/pod-name';
const POD_UID = 'authentication.kubernetes.io/pod-uid';

/** Of a TokenReview's status: the audiences that were asked for and that it is good for, and what it is bound to. */
function boundBy(review: unknown, token: string, audience: string): Result<Bound, string> {
  const { status = {} } = (review ?? {}) as {
    readonly status?: {
      readonly authenticated?: boolean;
      readonly error?: string;
      readonly audiences?: readonly string[];
      readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
    };
  };
  if (status.authenticated !== true)
    return err('the API server does not take the token: it has ended, or is of another audience, another cluster or a pod that is gone');
  if (status.audiences?.includes(audience) !== true) return err(`the token is not for the audience ${audience}`);
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(status.user?.username ?? '') ?? [];
  const pod = status.user?.extra?.[POD_NAME]?.[0];
  const podUid = status.user?.extra?.[POD_UID]?.[0];
  if (namespace === undefined || serviceAccount === undefined) return err('the token is of no service account');
  if (pod === undefined || podUid === undefined) return err('the token is bound to no pod; mount a projected one');
  const validUntil = endOf(token);
  if (validUntil === undefined) return err('the token says not when it ends');
  return ok({ namespace, serviceAccount, pod, podUid, validUntil });
}
