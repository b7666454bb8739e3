import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { AnswerCache, AnswerSlot, KeptAnswer, Lookup, Question } from '../../core/call/index.ts';
import type { CachePolicy } from '../../core/policy/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';

/** Of all answers together. Beyond it, those go that were not asked for longest. */
export const MAX_KEPT_BYTES = 64 * 1_048_576;

/** What an answer takes besides its bytes, so that many small ones are bounded as well. */
const ENTRY_BYTES = 512;

/** Calls that wait for one answer; more ask for themselves. */
export const MAX_WAITING = 1_000;

interface Kept {
  readonly answer: KeptAnswer;
  readonly until: MonotonicMs;
  readonly bytes: number;
}

interface Coming {
  readonly answer: Promise<KeptAnswer | undefined>;
  waiting: number;
}

/** Answers in memory, the latest asked for last. Shows nothing of them, to whatever prints it. */
export class AnswerMemory implements AnswerCache {
  readonly #kept = new Map<string, Kept>();
  readonly #coming = new Map<string, Coming>();
  readonly #nowMs: () => MonotonicMs;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(nowMs: () => MonotonicMs, maxBytes = MAX_KEPT_BYTES) {
    this.#nowMs = nowMs;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  look(question: Question, { ttlMs, coalesce }: CachePolicy, waits: boolean): Lookup {
    const digest = digestOf(question);
    const kept = ttlMs > 0 ? this.#get(digest) : undefined;
    if (kept !== undefined) return { kind: 'kept', answer: kept };
    const coming = this.#coming.get(digest);
    if (coming !== undefined && waits && coming.waiting < MAX_WAITING) {
      coming.waiting += 1;
      return { kind: 'coming', answer: coming.answer };
    }
    return { kind: 'unknown', slot: this.#slot(digest, ttlMs, coalesce && coming === undefined) };
  }

  /** `isFirst`: others may wait for this one. */
  #slot(digest: string, ttlMs: MonotonicMs, isFirst: boolean): AnswerSlot {
    const { promise, resolve } = Promise.withResolvers<KeptAnswer | undefined>();
    const coming: Coming = { answer: promise, waiting: 0 };
    let isDone = false;
    if (isFirst) this.#coming.set(digest, coming);
    return {
      end: (answer) => {
        if (this.#coming.get(digest) === coming) this.#coming.delete(digest);
        if (isDone) return;
        isDone = true;
        if (answer !== undefined && ttlMs > 0) this.#keep(digest, answer, ttlMs);
        resolve(answer);
      },
    };
  }

  #get(digest: string): KeptAnswer | undefined {
    const found = this.#kept.get(digest);
    if (found === undefined) return undefined;
    this.#drop(digest, found);
    if (found.until <= this.#nowMs()) return undefined;
    this.#put(digest, found);
    return found.answer;
  }

  #keep(digest: string, answer: KeptAnswer, ttlMs: MonotonicMs): void {
    const former = this.#kept.get(digest);
    if (former !== undefined) this.#drop(digest, former);
    this.#put(digest, { answer, until: this.#nowMs() + ttlMs, bytes: answer.body.byteLength + ENTRY_BYTES });
    for (const [oldest, entry] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest, entry);
    }
  }

  #put(digest: string, entry: Kept): void {
    this.#kept.set(digest, entry);
    this.#bytes += entry.bytes;
  }

  #drop(digest: string, entry: Kept): void {
    this.#kept.delete(digest);
    this.#bytes -= entry.bytes;
  }

  toJSON(): string {
    return `${this.#kept.size} answers`;
  }

  [inspect.custom](): string {
    return this.toJSON();
  }
}

/** Each part with its length, so that no two questions look alike. */
function digestOf({ parts, body }: Question): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:${part}`);
  return hash.update(body).digest('base64');
}
