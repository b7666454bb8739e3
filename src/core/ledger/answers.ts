import type { AnswerStatistic, HeldAnswer } from './types.ts';

/** Profiles that are remembered; the one that was seen longest ago makes room. */
const MAX_PROFILES = 4_096;
/** How fast the high mark comes down towards the answers that are seen: a 64th of the distance with each. */
const HIGH_DECAY = 1 / 64;
const MEAN_WEIGHT = 1 / 16;
/** Room above the high mark, so that an answer that is a little longer is not cut short; and more while few answers were seen. */
const MARGIN = 1.25;
const MARGIN_OF_FIRST = 2;

interface Statistic {
  answers: number;
  high: number;
  mean: number;
}

/**
 * What answers really cost, in output tokens of one answer, by profile (workload and model): a high mark that rises at
 * once and falls slowly, and a mean. Used only to share what is scarce, so being wrong costs time, never money.
 */
export class AnswerStatistics {
  readonly #profiles = new Map<string, Statistic>();

  /** The cap under which an answer of this profile is hardly ever cut short; `undefined` before the first answer. */
  ampleCap(profile: string): number | undefined {
    const statistic = this.#profiles.get(profile);
    if (statistic === undefined) return undefined;
    return Math.ceil(statistic.high * (MARGIN + MARGIN_OF_FIRST / statistic.answers));
  }

  typicalTokens(profile: string): number | undefined {
    return this.#profiles.get(profile)?.mean;
  }

  observe(answer: HeldAnswer, outputTokens: number): void {
    if (answer.outputCap === 0) return;
    const tokens = Math.ceil(outputTokens / answer.choices);
    const statistic = this.#profiles.get(answer.profile) ?? { answers: 0, high: 0, mean: tokens };
    const wasCut = answer.shrunk && tokens >= answer.outputCap;
    if (wasCut) {
      // All it says is that the answer wanted more than our cap; below the high mark that is no news.
      if (tokens >= statistic.high) statistic.high = tokens * 2;
    } else if (tokens >= statistic.high) statistic.high = tokens;
    else statistic.high -= (statistic.high - tokens) * HIGH_DECAY;
    statistic.mean += (tokens - statistic.mean) * MEAN_WEIGHT;
    statistic.answers += 1;
    this.#remember(answer.profile, statistic);
  }

  restore({ profile, answers, high, mean }: AnswerStatistic): void {
    if (answers >= 1 && high >= 0 && mean >= 0 && Number.isFinite(high + mean)) this.#remember(profile, { answers, high, mean });
  }

  export(): AnswerStatistic[] {
    return [...this.#profiles].map(([profile, statistic]) => ({ profile, ...statistic }));
  }

  #remember(profile: string, statistic: Statistic): void {
    this.#profiles.delete(profile);
    this.#profiles.set(profile, statistic);
    if (this.#profiles.size <= MAX_PROFILES) return;
    const [oldest] = this.#profiles.keys();
    if (oldest !== undefined) this.#profiles.delete(oldest);
  }
}
