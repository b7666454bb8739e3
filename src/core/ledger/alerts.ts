import type { LimitSpec } from './types.ts';

/** Thresholds of one account: which of them what is posted has reached, and which of those were told. */
export class Thresholds {
  /** The highest that was told, in percent; 0 for none. */
  told = 0;

  /** Those that were reached and not told, lowest first; they count as told from now on. */
  take(spec: LimitSpec, posted: bigint): readonly number[] {
    if (spec.alerts === undefined) return [];
    const news = spec.alerts.filter((percent) => percent > this.told && isReached(spec, posted, percent)).toSorted((one, other) => one - other);
    this.told = news.at(-1) ?? this.told;
    return news;
  }

  /** What was posted counts no more, in a window that is over or rolls on: what is not reached any more can be reached anew. */
  rearm(spec: LimitSpec, posted: bigint): void {
    if (this.told > 0) this.told = Math.min(this.told, highest(spec, posted));
  }

  /** What is posted was posted before a restart, and told then. */
  assume(spec: LimitSpec, posted: bigint): void {
    this.told = Math.max(this.told, highest(spec, posted));
  }
}

function highest(spec: LimitSpec, posted: bigint): number {
  return Math.max(0, ...(spec.alerts ?? []).filter((percent) => isReached(spec, posted, percent)));
}

const isReached = ({ limit }: LimitSpec, posted: bigint, percent: number): boolean => posted * 100n >= limit * BigInt(percent);
