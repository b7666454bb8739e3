import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_CNY_PER_USD } from '../../core/catalog/index.ts';
import type { AccountView } from '../../core/ledger/index.ts';
import { usdToNano } from '../../core/units/index.ts';
import type { EpochMs, MonotonicMs } from '../../core/units/index.ts';
import type { LedgerStore } from '../../shell/ledger/index.ts';
import type { SpendSource } from '../../shell/spending/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { messageOf } from '../mesh/message-of.ts';

const DAY_MS = 86_400_000;
/** Between looks for what is too old. */
const LOOK_MS: MonotonicMs = 3_600_000;
/** Between looks whether this controller leads by now. */
const WAIT_MS: MonotonicMs = 2_000;

/** What people may ask of a controller's books. `views`: where budgets stand; none where another controller leads. */
export function booksOf(store: LedgerStore, views: () => readonly AccountView[]): SpendSource {
  return {
    spend: (query) => store.spend(query),
    records: (query) => store.records(query),
    unaccounted: () => store.unaccounted(),
    views,
    cnyPerUsdNano: usdToNano(DEFAULT_CNY_PER_USD),
  };
}

export interface RetentionParts {
  readonly store: Pick<LedgerStore, 'forget'>;
  /** Records, and what is unaccounted of leases that are gone, are kept for so long; sums for ever. */
  readonly days: number;
  /** Of several controllers one is enough. */
  readonly isLeading: () => boolean;
  readonly now: () => EpochMs;
  readonly logger: Logger;
}

/** Forgets what is too old, at once and then each hour. Returns what ends it. */
export function keepRetention(parts: RetentionParts): () => void {
  const ending = new AbortController();
  void (async () => {
    while (!ending.signal.aborted) {
      const isMine = parts.isLeading();
      if (isMine) await forgetOld(parts, ending.signal);
      await delay(isMine ? LOOK_MS : WAIT_MS, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  return () => ending.abort();
}

async function forgetOld({ store, days, isLeading, now, logger }: RetentionParts, ending: AbortSignal): Promise<void> {
  try {
    while (isLeading() && !ending.aborted && (await store.forget(now() - days * DAY_MS)));
  } catch (error) {
    logger.warn('records.retention_failed', { error: messageOf(error) });
  }
}
