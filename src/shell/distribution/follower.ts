import type { Pod, Stream } from '../wire/index.ts';
import { encodeAnswer } from './codec/answer.ts';
import type { SidecarReport } from './codec/report.ts';
import type { Edition } from './edition.ts';

/** A sidecar that has not said by then what became of a state gets a newer one all the same. */
const ANSWER_MS = 30_000;

/** One sidecar's stream: at most one state on its way, and only the newest after it, so that who is slow makes nobody wait. */
export class Follower {
  readonly pod: Pod;
  readonly stream: Stream;
  /** What it said last; until then it is told nothing. */
  report: SidecarReport | undefined;
  #underWay: string | undefined;
  #lastSent: string | undefined;
  #isWaiting = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #onFree: () => void;

  /** `onFree`: it can be given a state now. */
  constructor(pod: Pod, stream: Stream, onFree: () => void) {
    this.pod = pod;
    this.stream = stream;
    this.#onFree = onFree;
  }

  heard(report: SidecarReport): void {
    const isFirst = this.report === undefined;
    this.report = report;
    const isAnswered = this.#underWay !== undefined && (report.applied === this.#underWay || report.refused?.version === this.#underWay);
    if (isAnswered) this.#free();
    if (isFirst || isAnswered) this.#onFree();
  }

  /** The newest state of its workload; `undefined`: there is none yet. */
  offer(edition: Edition | undefined): void {
    const { report } = this;
    if (report === undefined || this.#underWay !== undefined) return;
    if (edition === undefined) return this.#wait();
    const { version } = edition;
    if (version === this.#lastSent || version === report.refused?.version || edition.isTooLarge) return;
    this.#lastSent = version;
    if (version === report.applied) return this.stream.send(encodeAnswer({ kind: 'current', version }));
    this.#underWay = version;
    this.#timer = setTimeout(() => {
      this.#free();
      this.#onFree();
    }, ANSWER_MS);
    this.stream.send(edition.bytes);
  }

  left(): void {
    clearTimeout(this.#timer);
  }

  #free(): void {
    clearTimeout(this.#timer);
    this.#underWay = undefined;
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.stream.send(encodeAnswer({ kind: 'waiting', reason: `no policies are known for ${this.pod.workload} yet` }));
  }
}
