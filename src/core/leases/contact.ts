import type { EpochMs, MonotonicMs } from '../units/index.ts';
import { Attention } from './attention.ts';
import { RETRY_MS, SILENCE_MS } from './timing.ts';

/** What is common to all that one holder has to do with time and with the authority. */
export class Contact {
  readonly instance: string;
  at: EpochMs;
  now: MonotonicMs;
  /** The number of the latest answer. */
  heard = 0;
  /** When the first message left that no answer has followed, by the clock and by how long was listened until then. */
  #unanswered: { readonly since: MonotonicMs; readonly listenedMs: MonotonicMs } | undefined;
  #isSilent = false;
  readonly #attention: Attention;

  constructor(instance: string, at: EpochMs, now: MonotonicMs) {
    this.instance = instance;
    this.at = at;
    this.now = now;
    this.#attention = new Attention(now);
  }

  /** `due`: when the holder had something to do. */
  tick(at: EpochMs, now: MonotonicMs, due: () => MonotonicMs): void {
    this.#attention.tick(this.#unanswered === undefined ? Infinity : due(), now);
    this.at = at;
    this.now = now;
  }

  /** A message leaves. */
  spoke(): void {
    this.#unanswered ??= { since: this.now, listenedMs: this.#attention.listenedMs };
  }

  /** What was sent at `echo` is answered. */
  answered(echo: MonotonicMs): void {
    if (this.#unanswered === undefined || echo < this.#unanswered.since) return;
    this.#unanswered = undefined;
    this.#isSilent = false;
  }

  /** All that has come by now was heard: whether there was an answer among it is known. */
  judge(): void {
    this.#isSilent = this.#unansweredMs >= SILENCE_MS;
  }

  /** Whether nothing was heard for so long that waiting for it makes no sense. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Whether a message and its repetition were not answered. */
  get isUnanswered(): boolean {
    return this.#unansweredMs > RETRY_MS;
  }

  /** When to judge. */
  get silentAt(): MonotonicMs {
    return this.#unanswered === undefined || this.#isSilent ? Infinity : this.now + SILENCE_MS - this.#unansweredMs;
  }

  get #unansweredMs(): MonotonicMs {
    return this.#unanswered === undefined ? 0 : this.#attention.listenedMs - this.#unanswered.listenedMs;
  }
}
