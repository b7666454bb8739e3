import { readPod } from '../../core/control/index.ts';
import type { PodFacts, PodObject } from '../../core/control/index.ts';
import type { ApiServer } from './apiserver.ts';
import { paths } from './paths.ts';

export interface LivePodsParts {
  readonly api: Pick<ApiServer, 'send'>;
  /** Those that informers know. */
  readonly watched: () => readonly PodFacts[];
  /** Pods with a stream, by uid. */
  readonly connected: () => ReadonlySet<string>;
  /** A pod that was there is there no more; told once. */
  readonly onGone: (pod: PodFacts) => void;
}

/** More pods that no informer knows are not kept without a stream. */
const MAX_MET = 100;

/**
 * The pods that there are: those that informers know, and those that proved who they are before informers knew them, or that
 * none ever knows, as they have not the label. For these the API server is asked.
 */
export class LivePods {
  readonly #parts: LivePodsParts;
  readonly #met = new Map<string, PodFacts>();
  #present: ReadonlyMap<string, PodFacts> = new Map();

  constructor(parts: LivePodsParts) {
    this.#parts = parts;
  }

  all(): PodFacts[] {
    return [...this.#parts.watched(), ...this.#met.values()];
  }

  byUid(uid: string): PodFacts | undefined {
    return this.#met.get(uid) ?? this.#parts.watched().find((pod) => pod.uid === uid);
  }

  /** True where it is new. */
  meet(pod: PodFacts): boolean {
    if (this.byUid(pod.uid) !== undefined) return false;
    this.#met.set(pod.uid, pod);
    return true;
  }

  /** Forgets what informers have come to know, and what has no stream any more; then tells of those that are gone. */
  tend(): void {
    const watched = new Set(this.#parts.watched().map(({ uid }) => uid));
    for (const uid of this.#met.keys()) if (watched.has(uid)) this.#met.delete(uid);
    const connected = this.#met.size > MAX_MET ? this.#parts.connected() : undefined;
    for (const uid of this.#met.keys()) if (connected?.has(uid) === false && this.#met.size > MAX_MET) this.#met.delete(uid);
    const before = this.#present;
    const present = new Map(this.all().map((pod) => [pod.uid, pod]));
    this.#present = present;
    for (const [uid, pod] of before) if (!present.has(uid)) this.#parts.onGone(pod);
  }

  /** Asks for those that no informer knows. Of what gets no answer nothing is known. True where one is gone. */
  async look(): Promise<boolean> {
    const { size } = this.#met;
    for (const { uid, namespace, name } of this.#met.values()) {
      const answer = await this.#parts.api.send('GET', paths.core('pods', namespace, name)).catch(() => undefined);
      const isGone = answer?.status === 404 || (answer?.status === 200 && readPod(answer.body as PodObject).uid !== uid);
      if (isGone) this.#met.delete(uid);
    }
    return this.#met.size < size;
  }
}
