import { changesOf, labelOf } from '../../core/control/index.ts';
import type { Difference, Observed, Status } from '../../core/control/index.ts';
import { API_VERSION } from '../../core/policy/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';
import { messageOf, refusalOf } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import type { EventWriter } from './eventwriter.ts';
import { paths } from './paths.ts';

/** Five in a second, whoever acknowledges what: an API server has others to serve. */
const PACE_MS: MonotonicMs = 200;
/** Between two writes for the same resource, by what they would say. */
const APART_MS: Readonly<Record<Exclude<Difference, 'none'>, MonotonicMs>> = { verdict: 0, reach: 1_000, amounts: 10_000 };
/** The informer is waited for so long before the same resource is written again. */
const CATCH_UP_MS: MonotonicMs = 5_000;
/** What an API server refuses is not offered again before. */
const REFUSED_MS: MonotonicMs = 30_000;
const UNREACHABLE_MS: MonotonicMs = 1_000;
/** What was written and does not stand, as another writes it as well, is not repeated before. */
const REPEAT_MS: MonotonicMs = 60_000;

export interface StatusWriterParts {
  readonly api: Pick<ApiServer, 'send'>;
  readonly events: EventWriter;
  readonly now: () => MonotonicMs;
  /** Asked right before each write. */
  readonly mayWrite: () => boolean;
  readonly onFault: (resource: string, message: string) => void;
}

interface Offer {
  readonly observed: Observed;
  readonly status: Status;
  readonly difference: Exclude<Difference, 'none'>;
}

interface History {
  writtenAt: MonotonicMs;
  /** The version that the informer has to go beyond. */
  over: string;
  notBefore: MonotonicMs;
  content: string;
}

/** Writes statuses, the most urgent first, each resource's newest only, at a pace that nothing raises. */
export class StatusWriter {
  readonly #parts: StatusWriterParts;
  readonly #offers = new Map<string, Offer>();
  readonly #history = new Map<string, History>();
  #timer: NodeJS.Timeout | undefined;
  #pausedUntil: MonotonicMs = 0;
  #isClosed = false;

  constructor(parts: StatusWriterParts) {
    this.#parts = parts;
  }

  /** Takes the place of what was offered for it before. */
  offer(observed: Observed, status: Status, difference: Difference): void {
    const label = labelOf(observed);
    const former = this.#history.get(label);
    const now = this.#parts.now();
    const isBehind = former?.over === observed.resourceVersion && now - former.writtenAt < CATCH_UP_MS;
    const isRepeated = former !== undefined && now - former.writtenAt < REPEAT_MS && former.content === contentOf(observed, status);
    if (difference === 'none' || isBehind || isRepeated) return void this.#offers.delete(label);
    this.#offers.set(label, { observed, status, difference });
    this.#timer ??= setTimeout(() => void this.#write(), this.#untilNext()).unref();
  }

  /** What is no longer there needs no status. */
  keepOnly(labels: ReadonlySet<string>): void {
    for (const label of this.#offers.keys()) if (!labels.has(label)) this.#offers.delete(label);
    for (const label of this.#history.keys()) if (!labels.has(label)) this.#history.delete(label);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#offers.clear();
  }

  #lastAt: MonotonicMs = -Infinity;

  #untilNext(): number {
    const now = this.#parts.now();
    return Math.max(0, this.#lastAt + PACE_MS - now, this.#pausedUntil - now);
  }

  async #write(): Promise<void> {
    const now = this.#parts.now();
    const next = this.#parts.mayWrite() ? this.#next(now) : undefined;
    if (next !== undefined) {
      this.#offers.delete(labelOf(next.observed));
      this.#lastAt = now;
      await this.#send(next, now);
    }
    this.#timer = undefined;
    if (this.#isClosed || this.#offers.size === 0) return;
    this.#timer = setTimeout(() => void this.#write(), Math.max(PACE_MS, this.#untilNext())).unref();
  }

  #next(now: MonotonicMs): Offer | undefined {
    const due = [...this.#offers.values()].filter(({ observed, difference }) => {
      const former = this.#history.get(labelOf(observed));
      return former === undefined || (now >= former.notBefore && now - former.writtenAt >= APART_MS[difference]);
    });
    return due.find(({ difference }) => difference === 'verdict') ?? due.find(({ difference }) => difference === 'reach') ?? due[0];
  }

  async #send({ observed, status }: Offer, now: MonotonicMs): Promise<void> {
    const { api, events, onFault } = this.#parts;
    const { kind, namespace, name, resourceVersion } = observed;
    const label = labelOf(observed);
    const record = (notBefore: MonotonicMs, content = ''): void => {
      this.#history.set(label, { writtenAt: now, over: resourceVersion, notBefore, content });
    };
    try {
      // The version makes it a conflict where anything has changed since: what was said of an older spec, or by a leader of before, is not.
      const answer = await api.send('PATCH', paths.status(kind, namespace, name), {
        body: { apiVersion: API_VERSION, kind, metadata: { name, namespace, resourceVersion }, status },
        type: 'application/apply-patch+yaml',
        query: { fieldManager: 'airmesh-controller', force: 'true' },
      });
      if (answer.status === 200) {
        record(now, contentOf(observed, status));
        for (const change of changesOf(observed.status, status)) events.tell(observed, change);
      } else if (answer.status === 409) record(now);
      else if (answer.status !== 404) {
        record(now + REFUSED_MS);
        onFault(label, refusalOf(answer));
      }
    } catch (error) {
      this.#pausedUntil = now + UNREACHABLE_MS;
      onFault(label, messageOf(error));
    }
  }
}

/** Of one generation; the times in it are those since when something is so, and do not pass. */
const contentOf = ({ uid, generation }: Observed, status: Status): string => JSON.stringify([uid, generation, status]);
