import { MAX_SUBJECTS, spansOf } from '../ledger/index.ts';
import type { CountedSpan, LimitSpec } from '../ledger/index.ts';
import type { EpochMs } from '../units/index.ts';
import type { AccountEntry } from './entries.ts';
import { keyOf, limitIdentity } from './identity.ts';
import type { PeriodRef, SliceAnswer } from './messages.ts';
import { Pool } from './pool.ts';
import { CLOCK_TOLERANCE_MS, RETENTION_MS } from './timing.ts';

/** A window that is over and in which nothing is outstanding is known for so long: for what was spent without a grant. */
const SETTLED_KEPT_MS = 3_600_000;

interface LimitInForce {
  spec: LimitSpec;
  readonly spanAt: (at: EpochMs) => CountedSpan;
  /** Windows of it that are known. */
  pools: number;
}

/** The limits in force and all windows of accounts that are known, made when first asked for. */
export class Pools {
  readonly #limits = new Map<string, LimitInForce>();
  readonly #pools = new Map<string, Pool>();

  /** Returns the windows whose limit has changed, come or gone. */
  replace(specs: readonly LimitSpec[]): Pool[] {
    const gone = new Set(this.#limits.keys());
    for (const spec of specs) {
      const identity = limitIdentity(spec);
      gone.delete(identity);
      const known = this.#limits.get(identity);
      if (known) known.spec = spec;
      else this.#limits.set(identity, { spec, spanAt: spansOf(spec.window), pools: 0 });
    }
    for (const identity of gone) this.#limits.delete(identity);
    const changed: Pool[] = [];
    for (const pool of this.#pools.values()) {
      const spec = this.#limits.get(pool.limit)?.spec;
      if (spec?.limit !== pool.spec?.limit || spec?.mode !== pool.spec?.mode) changed.push(pool);
      pool.spec = spec;
    }
    return changed;
  }

  /** The window, made if it is near the present time; or why there is none. */
  find(ref: PeriodRef, at: EpochMs): Pool | NonNullable<SliceAnswer['fault']> {
    const known = this.#pools.get(keyOf(ref));
    if (known) return known;
    const limit = this.#limits.get(ref.limit);
    if (limit === undefined) return 'unknown_limit';
    const until = untilOf(limit, ref.period);
    if (until === undefined || !isNear(ref.period, until, at)) return 'window_not_open';
    if (limit.pools >= MAX_SUBJECTS) return 'too_many_accounts';
    limit.pools += 1;
    const { window } = limit.spec;
    return this.#add(new Pool(ref, until, window.kind === 'rolling' ? window.durationMs : 0, limit.spec));
  }

  /** Whether anything may be granted there. */
  isOpen({ spec, period, until }: Pool, at: EpochMs): boolean {
    return spec !== undefined && isNear(period, until, at);
  }

  all(): Iterable<Pool> {
    return this.#pools.values();
  }

  restore(entry: AccountEntry): Pool {
    const pool = this.#add(new Pool(entry, entry.until ?? Infinity, entry.rollingMs, undefined));
    pool.restore(entry);
    return pool;
  }

  known(ref: PeriodRef): Pool | undefined {
    return this.#pools.get(keyOf(ref));
  }

  /** Takes out windows that are over and booked, or so old that what is outstanding stays lost. */
  takeOver(at: EpochMs): Pool[] {
    const over = [...this.#pools.values()].filter(
      ({ until, figures: { pending, lost, released } }) => until + (pending === 0n && lost === 0n && released === 0n ? SETTLED_KEPT_MS : RETENTION_MS) <= at,
    );
    for (const pool of over) {
      this.#pools.delete(pool.key);
      const limit = this.#limits.get(pool.limit);
      if (limit) limit.pools -= 1;
    }
    return over;
  }

  #add(pool: Pool): Pool {
    this.#pools.set(pool.key, pool);
    return pool;
  }
}

/** When the window that begins at `period` ends; `undefined` where none begins then. */
function untilOf({ spec, spanAt }: LimitInForce, period: EpochMs): EpochMs | undefined {
  if (!Number.isSafeInteger(period) || period < 0) return undefined;
  if (spec.window.kind !== 'calendar') return period === 0 ? Infinity : undefined;
  const { start, countsUntil } = spanAt(period);
  return start === period ? countsUntil : undefined;
}

function isNear(period: EpochMs, until: EpochMs, at: EpochMs): boolean {
  return period <= at + CLOCK_TOLERANCE_MS && until > at - CLOCK_TOLERANCE_MS;
}
